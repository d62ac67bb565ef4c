"""When a batch looks whether its flow is over: always in a small flow, now and then in a large one."""

from dataclasses import replace

import pytest

from chalicelib.core.reconciliation.request_completion import SHARE_LIFE, request_completion
from chalicelib.model.flow import Flow
from chalicelib.model.ids import FlowUid, WorkspaceUid, new_uid
from chalicelib.model.queue_messages import Recount
from chalicelib.ports import Counters
from tests.bench.cpu import Laboratory
from tests.builders import NOW, build_flow
from tests.memory.statistics import MemoryStatistics

W = WorkspaceUid("ws")
BATCH = 10


class ReadStatistics(MemoryStatistics):
    """Counts how often somebody looks."""

    looks = 0

    def read(self, workspace: WorkspaceUid, flow: FlowUid, epoch: int) -> Counters:
        self.looks += 1
        return super().read(workspace, flow, epoch)


class Stage:
    """A running flow over so many contacts, and one worker."""

    def __init__(self, contacts: int) -> None:
        self.laboratory, self.statistics = Laboratory(), ReadStatistics()
        self.ports = replace(self.laboratory.ports, statistics=self.statistics)
        self.flow: Flow = build_flow(uid=new_uid(), contact_count=contacts, expanded_at=NOW)

    def end(self, executions: int, seen: bool = True) -> None:
        """By this worker, or by another one."""
        uid = FlowUid(self.flow.uid)
        self.statistics.record_batch(W, uid, self.flow.stats_epoch, "batch", {"completed": executions})
        if seen:
            request_completion(self.ports, W, self.flow, executions)

    def asked(self) -> int:
        """How many counts were asked for."""
        return sum(isinstance(job, Recount) for job, _ in self.laboratory.jobs.entries)


def test_every_batch_of_a_small_flow_looks_and_the_last_asks_for_the_count() -> None:
    stage = Stage(1_000)
    for _ in range(99):
        stage.end(BATCH)
    assert (stage.statistics.looks, stage.asked()) == (99, 0)
    stage.end(BATCH)
    assert stage.asked() == 1


@pytest.mark.parametrize("contacts", [100_000, 1_000_000])
def test_a_large_flow_is_looked_at_now_and_then_and_its_end_is_found(contacts: int) -> None:
    stage = Stage(contacts)
    for _ in range(contacts // 1_000):
        stage.end(1_000 - BATCH, seen=False)
        stage.end(BATCH)
    assert stage.asked() == 1
    assert stage.statistics.looks < 0.7 * contacts / 1_000


def test_a_worker_alone_looks_after_a_tenth_of_its_batches() -> None:
    stage = Stage(1_000_000)
    for _ in range(100_000):
        stage.end(BATCH)
    assert stage.asked() == 1
    assert stage.statistics.looks < 10_000


def test_a_worker_that_was_away_looks_at_once() -> None:
    stage = Stage(1_000_000)
    stage.end(BATCH)
    stage.end(BATCH)
    assert stage.statistics.looks == 1
    stage.end(1_000_000 - 3 * BATCH, seen=False)
    stage.laboratory.clock.advance(SHARE_LIFE)
    stage.end(BATCH)
    assert stage.asked() == 1


def test_a_recount_makes_every_worker_look_anew() -> None:
    stage = Stage(1_000_000)
    stage.end(BATCH)
    stage.flow = stage.flow.model_copy(update={"stats_epoch": stage.flow.stats_epoch + 1})
    stage.end(BATCH)
    assert stage.statistics.looks == 2


def test_a_flow_that_cannot_end_is_not_looked_at() -> None:
    for fields in ({"open_ended": True}, {"expanded_at": None}):
        stage = Stage(10)
        stage.flow = stage.flow.model_copy(update=fields)
        stage.end(BATCH)
        assert (stage.statistics.looks, stage.asked()) == (0, 0)
