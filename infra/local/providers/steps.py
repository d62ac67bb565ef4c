"""What a provider comes to know of a message after it took it, and when; the same for all of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from infra.local.providers.fates import Fate


class Step(StrEnum):
    """One thing that happens to a message."""

    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    CLICKED = "clicked"
    ANSWERED = "answered"
    STOPPED = "stopped"
    BOUNCED = "bounced"
    SOFT_BOUNCED = "soft_bounced"
    COMPLAINED = "complained"


@dataclass(frozen=True, slots=True)
class Moment:
    """A step, so many seconds of the stack's clock after the message was taken."""

    step: Step
    after: float


_SENT = Moment(Step.SENT, 0.2)
_DELIVERED = (_SENT, Moment(Step.DELIVERED, 1.0))
_OTHERS: dict[Fate, tuple[Moment, ...]] = {
    Fate.OPEN: (*_DELIVERED, Moment(Step.READ, 2.0)),
    Fate.CLICK: (*_DELIVERED, Moment(Step.READ, 2.0), Moment(Step.CLICKED, 3.0)),
    Fate.REPLY: (*_DELIVERED, Moment(Step.ANSWERED, 3.0)),
    Fate.STOP: (*_DELIVERED, Moment(Step.STOPPED, 3.0)),
    Fate.BOUNCE: (_SENT, Moment(Step.BOUNCED, 1.0)),
    Fate.SUPPRESSED: (_SENT, Moment(Step.BOUNCED, 1.0)),
    Fate.SOFT_BOUNCE: (_SENT, Moment(Step.SOFT_BOUNCED, 1.0)),
    Fate.COMPLAINT: (*_DELIVERED, Moment(Step.COMPLAINED, 3.0)),
    Fate.SILENT: (),
}


def steps_of(fate: Fate) -> tuple[Moment, ...]:
    """What becomes of a message that was taken."""
    return _OTHERS.get(fate, _DELIVERED)
