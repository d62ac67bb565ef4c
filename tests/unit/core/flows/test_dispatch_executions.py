"""Enqueueing of the pending executions of a flow."""

from dataclasses import replace
from datetime import timedelta

from chalicelib.core.flows.dispatch_executions import FULL_QUEUE, WAIT_WHEN_FULL, enqueue_pending
from chalicelib.model.execution import ExecutionKey, ExecutionStatus
from chalicelib.model.flow import FlowStatus
from chalicelib.model.ids import ContactUid
from chalicelib.model.queue_messages import EnqueuePending
from chalicelib.ports import Ports
from tests.builders import KEY, NOW, build_channel, build_execution, build_flow
from tests.memory.clock import VirtualClock
from tests.memory.ports import memory_ports
from tests.memory.queues import MemoryStepQueue

PLENTY = timedelta(minutes=1)
JOB = EnqueuePending(workspace=KEY.workspace, flow=KEY.flow, epoch=1, shard=0, stride=1)


def _ports(status: FlowStatus = FlowStatus.RUNNING) -> tuple[Ports, MemoryStepQueue]:
    """Return ports with a flow of the open executions a and b, and the completed execution c."""
    steps = MemoryStepQueue()
    ports = memory_ports(steps=steps, clock=VirtualClock(NOW))
    ports.catalog.add(KEY.workspace, build_channel())
    ports.catalog.add(KEY.workspace, build_flow(status, epoch=1, chunks=1, expanded_chunks=(0,), expanded_at=NOW))
    statuses = {"a": ExecutionStatus.PENDING, "b": ExecutionStatus.PENDING, "c": ExecutionStatus.COMPLETED}
    executions = [build_execution(key=_key(uid), status=each) for uid, each in statuses.items()]
    ports.executions.enrol_many(executions, 1)
    return ports, steps


def _key(uid: str) -> ExecutionKey:
    return replace(KEY, contact=ContactUid(uid))


def test_every_open_execution_gets_one_step_message() -> None:
    ports, steps = _ports()
    enqueue_pending(ports, JOB, lambda: PLENTY)
    assert [message.execution_id for _, message in steps.entries] == ["a", "b"]


def test_a_paused_flow_and_a_job_of_an_earlier_start_enqueue_nothing() -> None:
    paused, steps = _ports(FlowStatus.PAUSED)
    enqueue_pending(paused, JOB, lambda: PLENTY)
    assert steps.entries == []
    running, steps = _ports()
    enqueue_pending(running, JOB.model_copy(update={"epoch": 0}), lambda: PLENTY)
    assert steps.entries == []


def test_a_full_step_queue_delays_the_page() -> None:
    ports, steps = _ports()
    steps.reported_backlog = FULL_QUEUE + 1
    enqueue_pending(ports, JOB, lambda: PLENTY)
    assert (steps.entries, ports.jobs.take()) == ([], (JOB, WAIT_WHEN_FULL))


def test_a_job_for_overdue_executions_leaves_recent_ones_alone() -> None:
    ports, steps = _ports()
    late = build_execution(key=_key("late"), updated=NOW - timedelta(minutes=3))
    ports.executions.enrol_many([late], 1)
    enqueue_pending(ports, JOB.model_copy(update={"overdue_only": True}), lambda: PLENTY)
    assert [message.execution_id for _, message in steps.entries] == ["late"]
