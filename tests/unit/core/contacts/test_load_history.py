"""Load the event history of a contact."""

from datetime import timedelta

from chalicelib.core.contacts.load_history import load_event_history
from chalicelib.model.conditions import MAX_RECALLED
from chalicelib.model.event import Event
from chalicelib.model.ids import WorkspaceUid
from tests.builders import NOW, build_contact
from tests.memory.ports import memory_ports

WORKSPACE = WorkspaceUid("ws")


def _event(number: int, name: str, contact: str = "ann") -> Event:
    return Event(id=f"{name}-{number}", name=name, contact_uid=contact, occurred_at=NOW + timedelta(minutes=number))


def test_only_events_with_the_requested_names_are_returned_newest_first() -> None:
    ports = memory_ports()
    events = [_event(1, "order.placed"), _event(2, "page.viewed"), _event(3, "order.placed")]
    ports.events.add_many(WORKSPACE, [*events, _event(4, "order.placed", contact="bob")])
    found = load_event_history(ports, WORKSPACE, build_contact(uid="ann"), frozenset({"order.placed"}))
    assert [each.id for each in found] == ["order.placed-3", "order.placed-1"]


def test_the_history_is_limited_to_the_newest_events() -> None:
    ports = memory_ports()
    ports.events.add_many(WORKSPACE, [_event(number, "a.b") for number in range(MAX_RECALLED + 2)])
    found = load_event_history(ports, WORKSPACE, build_contact(uid="ann"), frozenset({"a.b"}))
    assert (len(found), found[0].id, found[-1].id) == (MAX_RECALLED, f"a.b-{MAX_RECALLED + 1}", "a.b-2")
