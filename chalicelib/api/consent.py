"""Routes of consent and of the suppression list."""

from typing import Annotated, Self

from chalice.app import Blueprint
from pydantic import Field, model_validator

from chalicelib.api.http.endpoint import (
    ApiResponse,
    Call,
    ListQuery,
    NoBody,
    NoData,
    ResponseForm,
    endpoint,
    respond,
    respond_done,
    respond_page,
)
from chalicelib.api.responses.build import build_response
from chalicelib.api.responses.contacts import ConsentResponse, OptInResponse
from chalicelib.core.contacts.validate_contact import normalise_contact
from chalicelib.core.privacy.request_opt_in import OptInRequest, request_opt_in
from chalicelib.core.privacy.set_consent import list_consents, set_consent
from chalicelib.core.privacy.suppress_address import find_suppression, remove_suppression, suppress_address
from chalicelib.errors import invalid
from chalicelib.model.base import StrictModel, Uid
from chalicelib.model.consent import LINK_LIFE, MAX_LINK_LIFE, ConsentRecord, ConsentSource
from chalicelib.model.contact import ConsentState
from chalicelib.model.durations import Duration
from chalicelib.model.message import MessageType
from chalicelib.model.suppression import AddressKind, ChannelTypeName, Suppression, SuppressionBlock, SuppressionReason
from chalicelib.model.workspace import Scope, Workspace

blueprint = Blueprint(__name__)


class NewConsent(ConsentSource):
    """The body of a consent change. PENDING with a template and a channel sends a confirmation link."""

    channel_type: ChannelTypeName
    """Channel type that the consent is for, for example `email`."""
    message_type: MessageType = MessageType.NEWSLETTER
    """Message type that the consent is for; default `NEWSLETTER`."""
    state: ConsentState
    """Consent of the contact; PENDING with a template asks for confirmation."""
    channel_uid: Uid | None = None
    """Channel that sends the confirmation message; requires `templateUid`."""
    template_uid: Uid | None = None
    """Template of the confirmation message; requires `channelUid`."""
    expires_in: Duration = LINK_LIFE
    """How long the confirmation link is valid."""

    @model_validator(mode="after")
    def _asks_whole(self) -> Self:
        asked = (self.channel_uid, self.template_uid)
        if any(asked) and (self.state is not ConsentState.PENDING or not all(asked)):
            raise ValueError("channelUid and templateUid ask for a confirmation: both together, with the state PENDING")
        if self.expires_in > MAX_LINK_LIFE:
            raise ValueError(f"expiresIn is at most {MAX_LINK_LIFE.days} days")
        return self


class Address(StrictModel):
    """An address: email or phone."""

    email: Annotated[str, Field(max_length=320)] | None = None
    """E-mail address, at most 320 characters; not together with `phone`."""
    phone: Annotated[str, Field(max_length=32)] | None = None
    """Phone number, at most 32 characters; not together with `email`."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.email is None) == (self.phone is None):
            raise ValueError("name either email or phone")
        return self


class NewSuppression(Address):
    """The body of a new suppression. Without channel type or message type it covers all of them."""

    channel_type: ChannelTypeName | None = None
    """Channel type to suppress; null suppresses all that use the address."""
    message_type: MessageType | None = None
    """Message type to suppress; null suppresses all messages."""
    reason: SuppressionReason = SuppressionReason.MANUAL
    """Why the address is suppressed; default `manual`."""


@endpoint(blueprint, "GET /v1/contacts/{uid}/consent", response=ConsentRecord, form=ResponseForm.PAGE, query=ListQuery)
def get_consent(call: Call[NoBody, ListQuery]) -> ApiResponse[ConsentRecord]:
    """List the consent changes of a contact, newest first."""
    return respond_page(call, list_consents(call.ports, call.workspace, call.uid, call.query.limit, call.cursor))


@endpoint(
    blueprint,
    "POST /v1/contacts/{uid}/consent",
    response=ConsentResponse,
    also_status=202,
    scope=Scope.WRITE,
    body=NewConsent,
    idempotent=True,
)
def post_consent(call: Call[NewConsent, NoBody]) -> ApiResponse[ConsentResponse]:
    """Record the consent of a contact, or request its confirmation."""
    change = call.body
    if change.channel_type not in call.ports.channel_types:
        known = ", ".join(sorted(call.ports.channel_types))
        raise invalid("channelType", f"{change.channel_type} is not a channel type; use one of {known}")
    origin = ConsentSource(source=change.source, proof=change.proof, collected_at=change.collected_at)
    kind = (change.channel_type, change.message_type)
    saved = ConsentResponse(contact_uid=call.uid, channel_type=kind[0], message_type=kind[1], state=change.state)
    if change.channel_uid and change.template_uid:
        request = OptInRequest(change.channel_uid, change.template_uid, change.expires_in)
        opt_in = request_opt_in(call.ports, call.workspace, call.uid, kind, request, origin)
        return respond(
            build_response(ConsentResponse, saved, confirmation=build_response(OptInResponse, opt_in)),
            "Asked to confirm",
            202,
        )
    set_consent(call.ports, call.workspace, call.uid, kind, change.state, origin)
    return respond(saved, "Consent saved")


@endpoint(blueprint, "GET /v1/suppressions", response=Suppression, form=ResponseForm.PAGE, query=ListQuery)
def get_suppressions(call: Call[NoBody, ListQuery]) -> ApiResponse[Suppression]:
    """List suppressed addresses, newest first. Only keyed hashes of addresses are stored."""
    listed = {"listed": "yes"}
    return respond_page(
        call, call.ports.catalog.page(call.workspace, Suppression, listed, call.query.limit, call.cursor)
    )


@endpoint(
    blueprint,
    "POST /v1/suppressions",
    response=Suppression,
    status=201,
    scope=Scope.WRITE,
    body=NewSuppression,
    idempotent=True,
)
def post_suppression(call: Call[NewSuppression, NoBody]) -> ApiResponse[Suppression]:
    """Suppress an address. After the response no send to it starts. Repeating changes nothing."""
    kind, address = _read_address(call.body, call)
    block = SuppressionBlock(
        address=kind,
        channel_type=call.body.channel_type,
        message_type=call.body.message_type,
        reason=call.body.reason,
        at=call.ports.clock.now(),
    )
    return respond(suppress_address(call.ports, call.workspace, address, block), "Address suppressed", 201)


@endpoint(blueprint, "POST /v1/suppressions/search", response=Suppression, body=Address, idempotent=False)
def search_suppression(call: Call[Address, NoBody]) -> ApiResponse[Suppression]:
    """Look up an address. It is in the body, because URLs appear in logs."""
    return respond(find_suppression(call.ports, call.workspace, *_read_address(call.body, call)), "Suppression")


@endpoint(blueprint, "DELETE /v1/suppressions/{uid}", response=NoData, scope=Scope.WRITE)
def delete_suppression(call: Call[NoBody, NoBody]) -> ApiResponse[NoData]:
    """Remove an address from the suppression list."""
    remove_suppression(call.ports, call.workspace, call.uid)
    return respond_done("Suppression removed")


def _read_address(body: Address, call: Call[Address, NoBody] | Call[NewSuppression, NoBody]) -> tuple[AddressKind, str]:
    """Return the address in the form that contacts have."""
    region = call.ports.catalog.get(call.workspace, Workspace, call.workspace).region
    kind = AddressKind.EMAIL if body.email is not None else AddressKind.PHONE
    checked = normalise_contact({kind: body.email if body.email is not None else body.phone}, region)
    return kind, str(checked[kind])
