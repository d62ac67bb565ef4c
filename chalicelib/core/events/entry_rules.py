"""Decide whether an event starts an execution of an event campaign for its contact. Pure: it computes only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from chalicelib.model.contact import Contact
from chalicelib.model.event import Event
from chalicelib.model.execution import Execution
from chalicelib.model.ids import NodeId
from chalicelib.model.steps import StepContext
from chalicelib.model.trigger import EntryPolicy, EventTrigger


@dataclass(frozen=True, slots=True)
class Admit:
    """The contact enters. `entry` counts the entries of this contact, from 1."""

    entry: int


@dataclass(frozen=True, slots=True)
class AlreadyIn:
    """The same event has started `execution` before."""

    execution: Execution


@dataclass(frozen=True, slots=True)
class Refused:
    """The contact does not enter, for this reason."""

    reason: str


def check_entry(
    entries: Sequence[Execution], event: Event, rule: EntryPolicy, now: datetime
) -> Admit | AlreadyIn | Refused:
    """Decide on one entry. `entries` are the executions of the contact in the flow, newest first."""
    same = next((each for each in entries if each.cause and each.cause.event == event.id), None)
    if same is not None:
        return AlreadyIn(same)
    if not entries:
        return Admit(1)
    newest = entries[0]
    if newest.is_open:
        return Refused("active")
    if not rule.again:
        return Refused("entered_before")
    if rule.after is not None and now - newest.created < rule.after:
        return Refused("entered_lately")
    return Admit(newest.key.entry + 1)


def matches_trigger(
    trigger: EventTrigger, event: Event, contact: Contact, history: tuple[Event, ...], now: datetime
) -> bool:
    """Report whether the trigger's event and condition match, for the contact as it is now."""
    if trigger.event != event.name or (trigger.until is not None and event.occurred_at >= trigger.until):
        return False
    context = StepContext(
        now=now,
        entered=now,
        campaign="",
        node=NodeId(""),
        contact=contact,
        timezone="UTC",
        results={},
        receipts={},
        properties=event.properties,
        history=history,
    )
    return trigger.when is None or bool(trigger.when.holds(context))
