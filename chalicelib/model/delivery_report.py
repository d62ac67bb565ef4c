"""Delivery reports of providers in one form, and the callbacks that carry them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from chalicelib.model.execution import Engagement
from chalicelib.model.ids import ChannelUid, MessageUid, WorkspaceUid, is_uid

#: Longest callback that is read, in bytes: the limit of an SQS message. Meta's batches are usually far smaller.
MAX_CALLBACK_BYTES = 1_048_576
#: SQS limit of one message, in bytes.
MAX_QUEUED_BYTES = 1_048_576
_NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class SuppressionSignal(StrEnum):
    """Reason to stop writing to an address."""

    HARD_BOUNCE = "hard_bounce"
    COMPLAINT = "complaint"
    #: For the message's channel type and all message types.
    OPTED_OUT = "opted_out"
    #: For NEWSLETTER only: the provider still accepts other message types.
    OPTED_OUT_OF_MARKETING = "opted_out_of_marketing"
    #: One device's push endpoint; the contact may have others.
    ENDPOINT_GONE = "endpoint_gone"


@dataclass(frozen=True, slots=True)
class Price:
    """Final price of a message in units of 10⁻⁴ of the currency's minor unit: 0.0958 USD is 95,800."""

    units: int
    currency: str


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """A delivery report.

    Providers repeat and reorder reports, so only `DeliveryReceipt.rank` decides which one counts.
    """

    #: None if the report is about an opt-out or a price, not about the state of a message.
    engagement: Engagement | None
    #: Time by the provider's clock; None if the provider does not say.
    at: datetime | None = None
    #: None if the provider knows only its own message id.
    message: MessageUid | None = None
    provider_id: str = ""
    #: The provider's code of a failure.
    code: str = ""
    #: A failure that may pass, such as a full mailbox or an automatic reply. It does not replace a delivery.
    is_soft: bool = False
    suppress: SuppressionSignal | None = None
    #: The recipient if the provider names it: e-mail address, phone in E.164, or push endpoint.
    address: str | None = None
    #: The contact's reply, in full.
    reply: str | None = None
    #: The reply withdraws an earlier STOP.
    resumes: bool = False
    price: Price | None = None
    #: The channel type that delivered the message, if the provider fell back to another one.
    delivered_by: str | None = None


@dataclass(frozen=True, slots=True)
class ProviderCallback:
    """An event of a provider: from a queue (body only), or a request to `/v1/hooks/{uid}`."""

    body: bytes
    #: The public URL exactly as it was called, with its query, because Twilio signs it.
    url: str = ""
    #: By name in lower case.
    headers: Mapping[str, str] = field(default_factory=lambda: _NO_HEADERS)


def build_callback_id(workspace: WorkspaceUid, channel: str) -> str:
    """Return the `{uid}` of a channel's `/v1/hooks/{uid}`.

    It includes the workspace, because callbacks carry no API key.
    """
    return f"{workspace}.{channel}"


def read_hook_uid(uid: str) -> tuple[WorkspaceUid, ChannelUid] | None:
    """Return the workspace and channel of a callback uid; None for an invalid uid."""
    workspace, _, channel = uid.partition(".")
    if not is_uid(workspace) or not is_uid(channel):
        return None
    return WorkspaceUid(workspace), ChannelUid(channel)
