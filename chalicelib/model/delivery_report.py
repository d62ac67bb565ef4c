"""What a provider reports of a message later, in one form for all providers, and the callback by which it came."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from chalicelib.model.execution import Engagement
from chalicelib.model.ids import ChannelUid, MessageUid, WorkspaceUid, is_uid

#: Longest callback that is read: SQS hands over at most 1 MiB, and Meta's batches are far smaller as a rule.
MAX_CALLBACK_BYTES = 1_048_576
#: SQS's own limit of one message.
MAX_QUEUED_BYTES = 1_048_576
_NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class SuppressionSignal(StrEnum):
    """Why an address is not to be written to again."""

    HARD_BOUNCE = "hard_bounce"
    COMPLAINT = "complaint"
    #: By the message's medium, whatever the message type.
    OPTED_OUT = "opted_out"
    #: NEWSLETTER only: the provider still takes other messages.
    OPTED_OUT_OF_MARKETING = "opted_out_of_marketing"
    #: One device's push endpoint; the contact may have others.
    ENDPOINT_GONE = "endpoint_gone"


@dataclass(frozen=True, slots=True)
class Price:
    """What a message cost in the end, in units of 10⁻⁴ of the currency's minor unit: 0.0958 USD is 95,800."""

    units: int
    currency: str


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """One receipt. Providers repeat and reorder theirs, so only `Receipt.rank` tells which one counts."""

    #: None where nothing became of the message itself (an opt-out, a price).
    engagement: Engagement | None
    #: When it happened, by the provider's clock; None where it does not say.
    at: datetime | None = None
    #: None where the provider knows only its own id.
    message: MessageUid | None = None
    provider_id: str = ""
    #: The provider's word for why it failed.
    code: str = ""
    #: A failure that may pass, such as a full mailbox or an automatic answer: it does not undo a delivery.
    is_soft: bool = False
    suppress: SuppressionSignal | None = None
    #: Whose report it is, where the provider says: an e-mail address, a phone in E.164, a push endpoint.
    address: str | None = None
    #: What the contact answered, in full.
    reply: str | None = None
    #: The answer takes back an earlier STOP.
    resumes: bool = False
    price: Price | None = None
    #: The medium that carried it in the end, where the provider fell back to another one.
    went_by: str | None = None


@dataclass(frozen=True, slots=True)
class ProviderCallback:
    """What a provider hands us: an event from a queue (a body only), or a request to `/v1/hooks/{uid}`."""

    body: bytes
    #: The public URL exactly as it was called, with its query: Twilio signs it.
    url: str = ""
    #: By names in lower case.
    headers: Mapping[str, str] = field(default_factory=lambda: _NO_HEADERS)


def build_callback_id(workspace: WorkspaceUid, channel: str) -> str:
    """The `{uid}` of a channel's `/v1/hooks/{uid}`: it comes without a key, so it carries the workspace."""
    return f"{workspace}.{channel}"


def read_hook_uid(uid: str) -> tuple[WorkspaceUid, ChannelUid] | None:
    """Workspace and channel of a callback, or None when the uid is not one of ours."""
    workspace, _, channel = uid.partition(".")
    if not is_uid(workspace) or not is_uid(channel):
        return None
    return WorkspaceUid(workspace), ChannelUid(channel)
