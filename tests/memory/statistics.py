"""Statistics in dicts."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from copy import deepcopy
from datetime import datetime

from chalicelib.model.ids import FlowUid, WorkspaceUid
from chalicelib.ports import Counters, Overview

Place = tuple[WorkspaceUid, FlowUid]
#: Maximum of stored errors per flow.
ERRORS = 50


class MemoryStatistics:
    """Implements `ports.Statistics`, `RecountParts` and `FlowErrors` in memory.

    The start of an epoch is separate from the counters added to it.
    """

    def __init__(self) -> None:
        self.starts: dict[Place, dict[int, Counter[str]]] = defaultdict(dict)
        self.counters: dict[Place, dict[int, Counter[str]]] = defaultdict(dict)
        self.register: dict[Place, dict[tuple[int, str], tuple[int, datetime]]] = defaultdict(dict)
        self.counted: dict[tuple[Place, str], dict[int, Counters]] = defaultdict(dict)
        self.errors: dict[Place, list[Mapping[str, object]]] = defaultdict(list)
        #: Rev of the flow at which the start of an epoch was written.
        self.revs: dict[tuple[Place, int], int] = {}

    def register_batch(
        self, workspace: WorkspaceUid, flow: FlowUid, epoch: int, batch: str, count: int, until: datetime
    ) -> None:
        self.register[workspace, flow][epoch, batch] = (count, until)

    def record_batch(self, workspace: WorkspaceUid, flow: FlowUid, epoch: int, batch: str, counters: Counters) -> None:
        self.register[workspace, flow].pop((epoch, batch), None)
        if any(counters.values()):
            total = self.counters[workspace, flow].setdefault(epoch, Counter())
            total.update({**counters, "movements": counters.get("movements", 0) + 1})

    def read(self, workspace: WorkspaceUid, flow: FlowUid, epoch: int) -> Counters:
        total: Counter[str] = Counter()
        for source in (self.starts, self.counters):
            total.update(source[workspace, flow].get(epoch, {}))
        return {name: count for name, count in total.items() if count}

    def in_flight(self, workspace: WorkspaceUid, flow: FlowUid, real_now: datetime) -> int:
        return sum(count for count, until in self.register[workspace, flow].values() if until > real_now)

    def replace(self, workspace: WorkspaceUid, flow: FlowUid, epoch: int, counters: Counters, rev: int) -> bool:
        address = (workspace, flow)
        if self.revs.get((address, epoch), -1) >= rev and self.starts[address][epoch] != Counter(counters):
            return False
        self.revs[address, epoch] = rev
        self.starts[address][epoch] = Counter(counters)
        for source in (self.starts, self.counters):
            source[address] = {number: each for number, each in source[address].items() if number >= epoch - 1}
        return True

    def overview(self, workspace: WorkspaceUid, flow: FlowUid, epoch: int, real_now: datetime) -> Overview:
        """Return the statistics without AWS usage, because dicts make no AWS calls."""
        return Overview(self.read(workspace, flow, epoch), self.in_flight(workspace, flow, real_now))

    def put_part(self, workspace: WorkspaceUid, flow: FlowUid, pass_id: str, shard: int, counters: Counters) -> None:
        self.counted[(workspace, flow), pass_id][shard] = {name: count for name, count in counters.items() if count}

    def list_parts(self, workspace: WorkspaceUid, flow: FlowUid, pass_id: str) -> tuple[Counters, ...]:
        parts = self.counted[(workspace, flow), pass_id]
        return tuple(dict(parts[shard]) for shard in sorted(parts))

    def add_errors(self, workspace: WorkspaceUid, flow: FlowUid, errors: Sequence[Mapping[str, object]]) -> None:
        stored = self.errors[workspace, flow]
        stored.extend(deepcopy(list(errors))[: ERRORS - len(stored)])

    def list_errors(self, workspace: WorkspaceUid, flow: FlowUid) -> tuple[Mapping[str, object], ...]:
        return tuple(deepcopy(self.errors[workspace, flow]))
