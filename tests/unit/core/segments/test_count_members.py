"""Counting members: exact where there is time, and an honest sample where there is not."""

import json
from collections.abc import Iterable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from chalicelib.core.segments import count_members as counting
from chalicelib.core.segments.count_members import Counted, count_members
from chalicelib.core.segments.filter import compile_filter
from chalicelib.core.segments.preview_segment import SegmentPreviewRequest, preview_segment
from chalicelib.model.comparison import Comparison
from chalicelib.model.conditions import When
from chalicelib.model.contact import Contact
from chalicelib.model.contact_shards import CONTACT_SHARDS
from chalicelib.model.event import Event
from chalicelib.model.ids import NodeId, WorkspaceUid
from chalicelib.model.segment import SegmentFilter
from chalicelib.model.steps import StepContext
from chalicelib.ports import Ports
from tests.builders import NOW, build_contact
from tests.memory.clock import VirtualClock
from tests.memory.contacts import MemoryContacts
from tests.memory.events import MemoryEvents
from tests.unit.core.segments.test_filter import TREES

WORKSPACE = WorkspaceUid("ws")
FILTER: TypeAdapter[Comparison] = TypeAdapter(SegmentFilter)
WHEN: TypeAdapter[Comparison] = TypeAdapter(When)
PLENTY, NOTHING = timedelta(seconds=9), timedelta(0)


class _CountingEvents(MemoryEvents):
    """Record the contacts that were requested."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def find_many(self, workspace: Any, contacts: Any, wanted: Any) -> Any:
        self.asked += contacts
        return super().find_many(workspace, contacts, wanted)


def _ports(people: Iterable[Contact], events: Iterable[Event] = ()) -> Ports:
    kept = _CountingEvents()
    kept.add_many(WORKSPACE, list(events))
    contacts = MemoryContacts(kept)
    contacts.add_many(WORKSPACE, list(people))
    namespace = SimpleNamespace(contacts=contacts, contact_shards=contacts, events=kept, clock=VirtualClock(NOW))
    return cast(Ports, namespace)


def _people(count: int, **fields: Any) -> list[Contact]:
    return [build_contact(uid=f"c{number}", email=None, **fields) for number in range(count)]


def _count(ports: Ports, written: object, left: timedelta = PLENTY, keep: int = 10) -> Counted:
    members = compile_filter(FILTER.validate_json(json.dumps(written)), NOW)
    return count_members(ports, WORKSPACE, members, lambda: left, keep)


_PERSON = st.tuples(
    st.sets(st.sampled_from(["vip", "new"])),
    st.dictionaries(st.sampled_from(["a", "b"]), st.one_of(st.sampled_from(["DE", ""]), st.integers(0, 3))),
    st.lists(st.tuples(st.sampled_from(["a", "b"]), st.integers(0, 14)), max_size=3),
)


@settings(max_examples=60, deadline=None)
@given(TREES, st.lists(_PERSON, max_size=12))
def test_a_preview_counts_what_looking_at_each_contact_counts(written: Any, people: list[Any]) -> None:
    contacts, histories = [], {}
    for number, (tags, attributes, did) in enumerate(people):
        contact = build_contact(uid=f"c{number}", email=None, tags=tuple(sorted(tags)), attributes=attributes)
        contacts.append(contact)
        histories[contact.uid] = tuple(
            Event(id=f"{number}-{each}", name=name, contact_uid=contact.uid, occurred_at=NOW - timedelta(days=days))
            for each, (name, days) in enumerate(did)
        )
    condition = WHEN.validate_json(json.dumps(written))

    def holds(contact: Contact) -> bool:
        context = StepContext(NOW, NOW, "c", NodeId("n"), contact, "UTC", {}, {}, history=histories[contact.uid])
        return bool(condition.holds(context))

    truth = {contact.uid for contact in contacts if holds(contact)}
    ports = _ports(contacts, [event for history in histories.values() for event in history])
    counted = preview_segment(
        ports, WORKSPACE, SegmentPreviewRequest.model_validate_json(json.dumps({"filter": written}))
    ).counted
    assert (counted.members_found.count, counted.members_found.error) == (len(truth), 0)
    assert (counted.contacts, counted.is_exact) == (len(people), True)
    assert {contact.uid for contact in counted.members} <= truth
    assert len(counted.members) == min(10, len(truth))


def test_without_time_one_shard_stands_for_all() -> None:
    people = _people(4_000)
    counted = _count(
        _ports([each.with_fields({"tags": ("vip",)}) for each in people[::2]] + people[1::2]), {"tag": "vip"}, NOTHING
    )
    assert not counted.is_exact
    assert counted.contacts % CONTACT_SHARDS == 0
    assert abs(counted.members_found.count - 2_000) <= counted.members_found.error < 1_500
    assert 3_000 < counted.contacts < 5_000


def test_a_shard_that_is_read_in_part_is_not_counted() -> None:
    left = iter([PLENTY] * 30 + [NOTHING] * 1_000)
    ports = _ports(_people(1_000, tags=("vip",)))
    members = compile_filter(FILTER.validate_json(b'{"tag": "vip"}'), NOW)
    counted = count_members(ports, WORKSPACE, members, lambda: next(left))
    assert abs(counted.members_found.count - 1_000) <= counted.members_found.error
    assert counted.members_found.count == counted.contacts


def test_a_very_large_workspace_is_sampled_from_all_over_one_shard(monkeypatch: pytest.MonkeyPatch) -> None:
    """Uids follow the time at which they were made, and the older half are members."""
    monkeypatch.setattr(counting, "WHOLE", 50)
    monkeypatch.setattr(counting, "PAGE_WITH_EVENTS", 5)
    people = [
        build_contact(uid=f"c{number:06}", email=None, tags=("vip",) if number < 5_000 else ())
        for number in range(10_000)
    ]
    ports = _ports(people)
    for left in (PLENTY, NOTHING):
        counted = _count(ports, {"tag": "vip"}, left)
        assert not counted.is_exact
        assert abs(counted.contacts - 10_000) < 3_000
        assert abs(counted.members_found.count - counted.contacts / 2) <= counted.members_found.error
    assert counted.members_found.error <= counted.contacts


def test_histories_are_read_only_of_those_whom_nothing_else_decides() -> None:
    ports = _ports([*_people(20), *(build_contact(uid=f"v{n}", email=None, tags=("vip",)) for n in range(5))])
    written = {"all": [{"event": "order.placed", "is": False}, {"tag": "vip"}]}
    assert _count(ports, written).members_found.count == 5
    events = cast(_CountingEvents, ports.events)
    assert sorted(events.asked) == [f"v{n}" for n in range(5)]


def test_as_many_members_are_kept_as_are_asked_for() -> None:
    ports = _ports(_people(100))
    assert [len(_count(ports, {"not": {"tag": "x"}}, keep=keep).members) for keep in (0, 7, 200)] == [0, 7, 100]
