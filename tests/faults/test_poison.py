"""Unreadable messages, and missing executions, graphs and flows: other contacts go on, dead letters do no harm."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.model.campaign import Campaign
from chalicelib.model.execution import ExecutionKey, ExecutionStatus
from chalicelib.model.flow import Flow, FlowStatus
from chalicelib.model.ids import ContactUid, FlowUid, NodeId
from chalicelib.model.queue_messages import build_step_message
from chalicelib.nodes.send import Send
from tests.faults import operators as do
from tests.faults.backends import MemoryBackend
from tests.faults.invariants import violations
from tests.faults.sample_data import HERE
from tests.faults.scenarios import BY_NAME
from tests.faults.simulation import World, open_world

UNREADABLE = (
    "",
    "\x00\xff",
    "[]",
    "null",
    "{",
    '{"v":2,"w":"here","f":"f","c":"c0","q":0}',
    '{"kind":"dance"}',
    "é" * 5_000,
)


@pytest.fixture
def world() -> Iterator[World]:
    with MemoryBackend.new() as backend, open_world(BY_NAME["wait"], (), backend) as opened:
        yield opened


def _memory(world: World) -> MemoryBackend:
    assert isinstance(world.backend, MemoryBackend)
    return world.backend


@pytest.mark.parametrize("queue", ["steps", "jobs", "events"])
def test_unreadable_messages_become_dead_letters_and_other_messages_are_processed(world: World, queue: str) -> None:
    do.launch(world)
    for body in UNREADABLE:
        _memory(world).queues.put(queue, body)
    world.run_until_quiet()
    assert sorted({message.body for message in _memory(world).queues.unreadable}) == sorted(UNREADABLE)
    assert not violations(world)
    assert world.flows()[0].status is FlowStatus.COMPLETED


def test_step_messages_of_missing_flows_and_executions_are_dropped(world: World) -> None:
    do.launch(world)
    key = ExecutionKey(HERE, FlowUid("missing"), ContactUid("c0"))
    for each in (key, replace(key, flow=FlowUid(world.flows()[0].uid), contact=ContactUid("unknown"))):
        _memory(world).queues.put("steps", build_step_message(each, 3).model_dump_json())
    world.run_until_quiet()
    assert not _memory(world).queues.unreadable
    assert not violations(world)


def test_a_missing_execution_stops_no_other_execution() -> None:
    with MemoryBackend.new() as backend, open_world(BY_NAME["fan_out"], (), backend) as world:
        do.launch(world)
        while not backend.executions.stored:
            world.deliver_next()
        backend.executions.stored.pop(next(iter(backend.executions.stored)))
        world.run_until_quiet()
    assert world.provider.acceptances().total() == BY_NAME["fan_out"].contacts - 1


def test_a_flow_without_its_graph_stops_and_resumes_when_the_graph_is_back(world: World) -> None:
    do.launch(world)
    catalog = world.direct.catalog
    key = ((HERE, Campaign.kind, "wait"), 1)
    version = catalog._versions.pop(key)  # type: ignore[attr-defined] - of the fake
    world.run_until_quiet()
    (stopped,) = world.flows()
    assert (stopped.status, world.provider.attempts) == (FlowStatus.ERROR, [])
    assert "version" in (stopped.pause_reason or "")
    catalog._versions[key] = version  # type: ignore[attr-defined] - of the fake
    do.resume(world)
    world.run_until_quiet()
    assert world.flows()[0].status is FlowStatus.COMPLETED
    assert not violations(world)


def test_an_error_in_the_code_fails_only_its_contact_as_poison(monkeypatch: pytest.MonkeyPatch) -> None:
    decide = Send.decide

    def fail(self: Send, context: object) -> object:
        if getattr(context, "contact").uid == "c1":  # noqa: B009 - the parameter is typed as object
            raise KeyError("an error in the code")
        return decide(self, context)  # type: ignore[arg-type]

    monkeypatch.setattr(Send, "decide", fail)
    with MemoryBackend.new() as backend, open_world(BY_NAME["fan_out"], (), backend) as world:
        do.launch(world)
        world.run_until_quiet()
        (flow,) = world.flows()
        executions = {str(execution.key.contact): execution for execution in world.executions(flow)}
        counters = world.direct.statistics.read(HERE, FlowUid(flow.uid), flow.stats_epoch)
    assert (executions["c1"].status, executions["c1"].reason) == (ExecutionStatus.FAILED, "poison")
    assert {execution.status for uid, execution in executions.items() if uid != "c1"} == {ExecutionStatus.COMPLETED}
    assert counters["reason.failed.poison"] == 1


def test_an_execution_at_an_unknown_node_fails_with_the_reason(world: World) -> None:
    do.launch(world)
    backend = _memory(world)
    while not backend.executions.stored:
        world.deliver_next()
    (key, execution), *_ = backend.executions.stored.items()
    backend.executions.stored[key] = replace(execution, node=NodeId("nowhere"))
    world.run_until_quiet()
    assert backend.executions.stored[key].reason == "node_not_found"


def test_redriven_dead_letters_of_a_completed_execution_send_nothing(world: World) -> None:
    do.launch(world)
    world.run_until_quiet()
    (flow,) = world.flows()
    (execution,) = world.executions(flow)
    for step in range(execution.seq + 1):
        _memory(world).queues.put("dead_steps", build_step_message(execution.key, step).model_dump_json())
    before = len(world.provider.attempts)
    world.backend.move(timedelta(seconds=1))
    world.run_until_quiet()
    assert len(world.provider.attempts) == before
    assert world.direct.catalog.get(HERE, Flow, flow.uid).status is FlowStatus.COMPLETED
