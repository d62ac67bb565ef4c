"""Deletion of the executions of a deleted flow."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.core.flows import purge_flow as purging
from chalicelib.core.flows.purge_flow import purge_flow
from chalicelib.model.ids import ContactUid, FlowUid
from chalicelib.model.queue_messages import PurgeFlow
from chalicelib.ports import Ports
from tests.builders import KEY, build_execution
from tests.memory.executions import MemoryExecutions
from tests.memory.ports import memory_ports
from tests.memory.queues import MemoryJobQueue

SHARDS = 2
JOB = PurgeFlow(workspace=KEY.workspace, flow=KEY.flow, shards=SHARDS)


@pytest.fixture
def executions(monkeypatch: pytest.MonkeyPatch) -> MemoryExecutions:
    """Ten executions of the flow, and one of another flow, read in pages of two."""
    monkeypatch.setattr(purging, "PAGE", 2)
    store = MemoryExecutions()
    keys = [replace(KEY, contact=ContactUid(f"c{number}")) for number in range(10)]
    store.enrol_many([build_execution(key=key) for key in [*keys, replace(KEY, flow=FlowUid("other"))]], SHARDS)
    return store


def _purge(executions: MemoryExecutions, jobs: MemoryJobQueue, time_left: Callable[[], timedelta]) -> None:
    ports: Ports = memory_ports(executions=executions, jobs=jobs)
    purge_flow(ports, JOB, time_left)


def test_only_the_executions_of_the_deleted_flow_are_removed(executions: MemoryExecutions) -> None:
    jobs = MemoryJobQueue()
    _purge(executions, jobs, lambda: timedelta(minutes=1))
    assert {key.flow for key in executions.stored} == {"other"}
    assert jobs.entries == []


def test_a_job_without_time_sends_a_job_that_removes_the_rest(executions: MemoryExecutions) -> None:
    jobs, spans = MemoryJobQueue(), iter([timedelta(minutes=1), timedelta(seconds=1)])
    _purge(executions, jobs, lambda: next(spans))
    assert len(executions.stored) == 9
    assert jobs.take() == (JOB, timedelta(0))
    _purge(executions, jobs, lambda: timedelta(minutes=1))
    assert {key.flow for key in executions.stored} == {"other"}
