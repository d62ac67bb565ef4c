"""Steps that an accepted message goes through, and their delays. All providers share them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from infra.local.providers.scripted_outcomes import ScriptedOutcome


class Step(StrEnum):
    """A change of a message after the provider accepted it."""

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
    """A step and its delay after acceptance, in seconds of the stack's clock."""

    step: Step
    after: float


_SENT = Moment(Step.SENT, 0.2)
_DELIVERED = (_SENT, Moment(Step.DELIVERED, 1.0))
_OTHERS: dict[ScriptedOutcome, tuple[Moment, ...]] = {
    ScriptedOutcome.OPEN: (*_DELIVERED, Moment(Step.READ, 2.0)),
    ScriptedOutcome.CLICK: (*_DELIVERED, Moment(Step.READ, 2.0), Moment(Step.CLICKED, 3.0)),
    ScriptedOutcome.REPLY: (*_DELIVERED, Moment(Step.ANSWERED, 3.0)),
    ScriptedOutcome.STOP: (*_DELIVERED, Moment(Step.STOPPED, 3.0)),
    ScriptedOutcome.BOUNCE: (_SENT, Moment(Step.BOUNCED, 1.0)),
    ScriptedOutcome.SUPPRESSED: (_SENT, Moment(Step.BOUNCED, 1.0)),
    ScriptedOutcome.SOFT_BOUNCE: (_SENT, Moment(Step.SOFT_BOUNCED, 1.0)),
    ScriptedOutcome.COMPLAINT: (*_DELIVERED, Moment(Step.COMPLAINED, 3.0)),
    ScriptedOutcome.SILENT: (),
}


def steps_of(outcome: ScriptedOutcome) -> tuple[Moment, ...]:
    """Return the steps of an accepted message, in order of time."""
    return _OTHERS.get(outcome, _DELIVERED)
