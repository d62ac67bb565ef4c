"""Accept reported events: find the contact of each and queue it for its subscribers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, Field, JsonValue, StringConstraints, model_validator

from chalicelib.core.contacts.validate_contact import normalise_contact
from chalicelib.errors import InvalidRequest, Problem
from chalicelib.model.base import Moment, StrictModel, Uid
from chalicelib.model.contact import unique_keys
from chalicelib.model.event import EVENT_LIFE, RESERVED, Event, EventName, check_properties
from chalicelib.model.ids import ContactUid, WorkspaceUid, new_uid
from chalicelib.model.workspace import Workspace
from chalicelib.ports import Ports

#: Largest number of events in one request.
MAX_EVENTS = 100
#: How far `occurredAt` may lie in the future, because the clocks of systems differ.
AHEAD = timedelta(minutes=15)


def _not_reserved(name: str) -> str:
    if name.startswith(RESERVED):
        raise ValueError(f"names that begin with {' or '.join(RESERVED)} are reserved for Carillon; choose another")
    return name


class NewEvent(StrictModel):
    """An event as a customer's system reports it. Exactly one field names the contact."""

    name: Annotated[EventName, AfterValidator(_not_reserved)]
    """Name of the event, for example `order.placed`."""
    contact_uid: Uid | None = None
    """Uid of the contact. Set exactly one of `contactUid`, `externalId`, `email` and `phone`."""
    external_id: Annotated[str, StringConstraints(min_length=1, max_length=128)] | None = None
    """External id of the contact."""
    email: Annotated[str, StringConstraints(min_length=1, max_length=320)] | None = None
    """Email address of the contact."""
    phone: Annotated[str, StringConstraints(min_length=1, max_length=32)] | None = None
    """Phone number of the contact."""
    properties: Annotated[Mapping[str, JsonValue], AfterValidator(check_properties)] = {}
    """Properties of the event, at most 4 KB as JSON."""
    occurred_at: Moment | None = None
    """Time of the event, at most 400 days ago and 15 minutes in the future; default is the time of the request."""
    id: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    """Id of the event, at most 200 characters. A repeated report with the same id is ignored. Default is a new id."""

    @model_validator(mode="after")
    def _one_contact(self) -> Self:
        named = (self.contact_uid, self.external_id, self.email, self.phone)
        if sum(each is not None for each in named) != 1:
            raise ValueError("name the contact by exactly one of contactUid, externalId, email and phone")
        return self


class NewEvents(StrictModel):
    """The body of `POST /v1/events`."""

    #: Largest number of JSON values in the request. Each event may have properties of 4 KB.
    max_values: ClassVar[int] = 10_000

    events: Annotated[tuple[NewEvent, ...], Field(min_length=1, max_length=MAX_EVENTS)]
    """Events, 1 to 100."""


@dataclass(frozen=True, slots=True)
class EventOutcome:
    """The result for one event of a request."""

    id: str
    contact_uid: str | None
    #: Set if the event was refused.
    problem: Problem | None = None


def accept_events(ports: Ports, workspace: WorkspaceUid, new: Sequence[NewEvent]) -> tuple[EventOutcome, ...]:
    """Queue the valid events. Returns one outcome for each event, in order."""
    now, region = ports.clock.now(), ports.catalog.get(workspace, Workspace, workspace).region
    lookups = [_lookup(each, region) for each in new]
    keys = list(dict.fromkeys(each for each in lookups if isinstance(each, str)))
    owners = ports.contacts.find_by(workspace, keys) if keys else {}
    named = {ContactUid(each.contact_uid) for each in new if each.contact_uid}
    known = ports.contacts.find_many(workspace, list(named), strong=True) if named else {}
    outcomes, events = [], []
    for each, lookup in zip(new, lookups, strict=True):
        uid = owners.get(lookup) if isinstance(lookup, str) else None
        uid = uid or (ContactUid(each.contact_uid) if each.contact_uid in known else None)
        problem = lookup if isinstance(lookup, Problem) else _problem(each, uid, now)
        outcome = EventOutcome(each.id or new_uid(), uid, problem)
        outcomes.append(outcome)
        if uid is not None and problem is None:
            events.append(_build_event(each, outcome.id, uid, now))
    ports.event_queue.send(workspace, events)
    return tuple(outcomes)


def _lookup(new: NewEvent, region: str) -> str | Problem | None:
    """Return the look-up key of the contact, None for a contact that is named by uid, or the problem with it."""
    if new.contact_uid:
        return None
    addresses = {name: value for name in ("email", "phone") if (value := getattr(new, name))}
    try:
        checked = normalise_contact(addresses, region)
    except InvalidRequest as error:
        return error.problems[0]
    email, phone = (str(checked[name]) if name in checked else None for name in ("email", "phone"))
    return unique_keys(new.external_id, email, phone)[0]


def _problem(new: NewEvent, uid: str | None, now: datetime) -> Problem | None:
    if uid is None:
        return Problem("contactUid", "No contact has this uid, external id or address")
    at = new.occurred_at or now
    if at > now + AHEAD:
        return Problem("occurredAt", f"at most {AHEAD.seconds // 60} minutes in the future")
    if at < now - EVENT_LIFE:
        return Problem("occurredAt", f"at most {EVENT_LIFE.days} days ago, because events are stored for that long")
    return None


def _build_event(new: NewEvent, event_id: str, uid: str, now: datetime) -> Event:
    at = new.occurred_at or now
    return Event(id=event_id, name=new.name, contact_uid=uid, properties=new.properties, occurred_at=at)
