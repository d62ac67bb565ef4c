"""Routes of contacts, also called identities."""

from dataclasses import replace
from typing import Annotated

from chalice.app import Blueprint
from pydantic import Field, ValidationInfo, field_validator

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
from chalicelib.api.responses.contacts import SavedVersionResponse, TimelineResponse, timeline_response
from chalicelib.core.contacts.list_contacts import ContactSearch, list_contacts
from chalicelib.core.contacts.save_contact import Given, Saved, get_contact, patch_contact, put_contact, upsert_contact
from chalicelib.core.contacts.validate_contact import check_value
from chalicelib.core.privacy.erase_contact import anonymise_contact, erase_contact
from chalicelib.core.reporting.contact_timeline import contact_timeline
from chalicelib.model.base import Uid
from chalicelib.model.contact import Contact, ContactFields, ContactStatus, Tag
from chalicelib.model.workspace import Scope
from chalicelib.ports import Page

blueprint = Blueprint(__name__)


class ContactBody(ContactFields):
    """Validate fields that need no workspace, so that all problems are reported together."""

    @field_validator("email", "phone", "timezone")
    @classmethod
    def _check(cls, value: str | None, info: ValidationInfo) -> str | None:
        return check_value(str(info.field_name), value) if value is not None else None


class NewContact(ContactBody):
    """A contact to create or update. A client may choose the uid."""

    uid: Uid | None = None
    """Identifier that the client chooses; null generates one."""


@endpoint(
    blueprint,
    "POST /v1/contacts",
    response=Contact,
    status=201,
    also_status=200,
    replayed=SavedVersionResponse,
    scope=Scope.WRITE,
    body=NewContact,
    idempotent=True,
)
def post_contact(call: Call[NewContact, NoBody]) -> ApiResponse[Contact]:
    """Create a contact, or update the one with the same uid, externalId, email or phone."""
    fields = {name: value for name, value in _sent_fields(call.body).items() if name != "uid"}
    saved = upsert_contact(call.ports, call.workspace, fields, call.body.uid)
    # The stored response holds only the uid: data of an erased contact must not stay in it for a day.
    replayed = respond(SavedVersionResponse(uid=saved.contact.uid), "Contact saved before")
    return replace(_saved(saved), kept=replayed.text)


class ContactQuery(ListQuery):
    """Filters of the contact list."""

    email: Annotated[str, Field(max_length=320)] | None = None
    """Only the contact with this e-mail address."""
    phone: Annotated[str, Field(max_length=32)] | None = None
    """Only the contact with this phone number."""
    external_id: Annotated[str, Field(max_length=128)] | None = None
    """Only the contact with this external id."""
    tag: Tag | None = None
    """Only contacts with this tag."""
    status: ContactStatus | None = None
    """Only contacts with this status."""
    name: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    """Only contacts whose name or address contains this text."""


@endpoint(blueprint, "GET /v1/contacts", response=Contact, form=ResponseForm.PAGE, query=ContactQuery)
def get_contacts(call: Call[NoBody, ContactQuery]) -> ApiResponse[Contact]:
    """List contacts in no particular order. A filtered page may be short and still have a next page."""
    asked = call.query
    exact = {"email": asked.email, "phone": asked.phone, "external_id": asked.external_id}
    wanted = ContactSearch({name: value for name, value in exact.items() if value}, asked.tag, asked.status, asked.name)
    return respond_page(call, list_contacts(call.ports, call.workspace, wanted, asked.limit, call.cursor))


@endpoint(
    blueprint, "GET /v1/contacts/{uid}/timeline", response=TimelineResponse, form=ResponseForm.PAGE, query=ListQuery
)
def get_timeline(call: Call[NoBody, ListQuery]) -> ApiResponse[TimelineResponse]:
    """List the events of a contact, newest first."""
    page = contact_timeline(call.ports, call.workspace, call.uid, call.query.limit, call.cursor)
    shown = tuple(timeline_response(each) for each in page.items)
    return respond_page(call, Page(shown, page.cursor))


@endpoint(blueprint, "POST /v1/contacts/{uid}/anonymise", response=Contact, scope=Scope.WRITE, idempotent=True)
def post_anonymise(call: Call[NoBody, NoBody]) -> ApiResponse[Contact]:
    """Remove all personal data of a contact. Statistics stay, and no message is sent any more."""
    return respond(anonymise_contact(call.ports, call.workspace, call.uid), "Contact anonymised")


def get_one(call: Call[NoBody, NoBody]) -> ApiResponse[Contact]:
    """Return a contact."""
    return respond(get_contact(call.ports, call.workspace, call.uid), "Contact")


def put_one(call: Call[ContactBody, NoBody]) -> ApiResponse[Contact]:
    """Create or replace the contact with this uid."""
    return _saved(put_contact(call.ports, call.workspace, call.uid, _sent_fields(call.body)))


def delete_one(call: Call[NoBody, NoBody]) -> ApiResponse[NoData]:
    """Erase a contact."""
    erase_contact(call.ports, call.workspace, call.uid)
    return respond_done("Contact erased")


@endpoint(blueprint, "PATCH /v1/contacts/{uid}", response=Contact, scope=Scope.WRITE, body=ContactBody)
def patch_one(call: Call[ContactBody, NoBody]) -> ApiResponse[Contact]:
    """Change the fields in the body."""
    return respond(patch_contact(call.ports, call.workspace, call.uid, _sent_fields(call.body)), "Contact changed")


for _path in ("/v1/contacts/{uid}", "/v1/identity/{uid}"):
    endpoint(blueprint, f"GET {_path}", response=Contact)(get_one)
    endpoint(
        blueprint, f"PUT {_path}", response=Contact, status=201, also_status=200, scope=Scope.WRITE, body=ContactBody
    )(put_one)
    endpoint(blueprint, f"DELETE {_path}", response=NoData, scope=Scope.WRITE)(delete_one)


def _sent_fields(body: ContactFields) -> Given:
    return {name: getattr(body, name) for name in body.model_fields_set}


def _saved(saved: Saved) -> ApiResponse[Contact]:
    return respond(saved.contact, "Contact created" if saved.is_new else "Contact saved", 201 if saved.is_new else 200)
