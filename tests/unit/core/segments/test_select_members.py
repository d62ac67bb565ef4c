"""Select the members of a filter, and read histories only where they decide."""

import json
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import cast

from pydantic import TypeAdapter

from chalicelib.core.segments.filter import compile_filter
from chalicelib.core.segments.select_members import select_members
from chalicelib.model.comparison import Comparison
from chalicelib.model.event import Event, HistoryQuery
from chalicelib.model.ids import ContactUid, WorkspaceUid
from chalicelib.model.segment import SegmentFilter
from chalicelib.ports import Ports
from tests.builders import NOW, build_contact
from tests.memory.events import MemoryEvents

WORKSPACE = WorkspaceUid("ws")
FILTER: TypeAdapter[Comparison] = TypeAdapter(SegmentFilter)


class _RecordingEvents(MemoryEvents):
    """Records the contacts whose histories are read."""

    def __init__(self) -> None:
        super().__init__()
        self.read: list[str] = []

    def find_many(
        self, workspace: WorkspaceUid, contacts: Sequence[ContactUid], wanted: HistoryQuery
    ) -> Mapping[str, tuple[Event, ...]]:
        self.read += contacts
        return super().find_many(workspace, contacts, wanted)


def _select(events: MemoryEvents, condition: object, tags: Sequence[tuple[str, ...]]) -> list[str]:
    contacts = [build_contact(uid=f"c{index}", email=None, tags=each) for index, each in enumerate(tags)]
    members = compile_filter(FILTER.validate_json(json.dumps(condition)), NOW)
    ports = cast(Ports, SimpleNamespace(events=events))
    return [each.uid for each in select_members(ports, WORKSPACE, members, contacts)]


def test_members_keep_the_order_of_the_contacts() -> None:
    vip: tuple[str, ...] = ("vip",)
    other: tuple[str, ...] = ()
    assert _select(MemoryEvents(), {"tag": "vip"}, [vip, other, vip]) == ["c0", "c2"]


def test_a_filter_without_events_reads_no_history() -> None:
    events = _RecordingEvents()
    _select(events, {"tag": "vip"}, [("vip",), ()])
    assert events.read == []


def test_histories_are_read_only_of_undecided_contacts() -> None:
    events = _RecordingEvents()
    without_order = {"all": [{"event": "order.placed", "is": False}, {"tag": "vip"}]}
    assert _select(events, without_order, [("vip",), ()]) == ["c0"]
    assert events.read == ["c0"]
