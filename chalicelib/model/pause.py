"""Reasons for the pause of a flow."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer

from chalicelib.model.base import Moment, StrictModel


class PauseCause(StrEnum):
    """Cause of a pause. The values are stored, so they must not change."""

    OPERATOR = "operator"
    #: The workspace's balance, or the provider's account, has no money left.
    BALANCE = "balance"
    CAMPAIGN_BLOCKED = "campaign_blocked"
    CHANNEL_CIRCUIT = "channel_circuit"
    TEMPLATE_REJECTED = "template_rejected"
    #: The run cannot continue, for example because its campaign version is missing. Only the detail is stored.
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class PauseReason:
    """Cause of a pause, and the detail that the API shows with it."""

    cause: PauseCause
    detail: str = ""

    @property
    def text(self) -> str:
        """The stored form, which is also `pauseReason` in the API: `balance: 131042`, or `balance` without a detail."""
        if self.cause is PauseCause.FAULT:
            return self.detail
        return f"{self.cause}: {self.detail}" if self.detail else self.cause.value


_NAMED = {cause.value: cause for cause in PauseCause if cause is not PauseCause.FAULT}


def parse_pause_reason(text: str) -> PauseReason:
    """Parse the stored form. Text without a known cause at its start describes a fault."""
    cause, _, detail = text.partition(": ")
    return PauseReason(_NAMED[cause], detail) if cause in _NAMED else PauseReason(PauseCause.FAULT, text)


def _decode(value: object) -> object:
    return parse_pause_reason(value) if isinstance(value, str) else value


def _encode(reason: PauseReason | None) -> str | None:
    return reason.text if reason else None


#: A pause reason in a document, stored as its text.
StoredPauseReason = Annotated[
    PauseReason | None, BeforeValidator(_decode), PlainSerializer(_encode, return_type=str | None)
]


class PausedBy(StrictModel):
    """The open circuit that paused a flow. Times are those of the real clock."""

    channel_uid: str
    """Channel whose circuit is open."""
    cause: str
    """Failure code that opened the circuit."""
    since: Moment | None
    """Time at which the circuit opened."""
    retry_after: Moment | None
    """Earliest time at which a resumed flow may probe the channel."""
