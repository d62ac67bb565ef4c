"""What nobody can read, and rows, graphs and flows that are gone: neighbours go on, and dead letters are harmless."""

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
from tests.faults.simulation import World, opened

RUBBISH = (
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
    with MemoryBackend.new() as backend, opened(BY_NAME["wait"], (), backend) as told:
        yield told


def _memory(world: World) -> MemoryBackend:
    assert isinstance(world.backend, MemoryBackend)
    return world.backend


@pytest.mark.parametrize("queue", ["steps", "jobs", "events"])
def test_unreadable_messages_end_as_dead_letters_and_their_neighbours_go_on(world: World, queue: str) -> None:
    do.launch(world)
    for body in RUBBISH:
        _memory(world).post.put(queue, body)
    world.settle_on()
    assert sorted({mail.body for mail in _memory(world).post.buried}) == sorted(RUBBISH)
    assert not violations(world)
    assert world.flows()[0].status is FlowStatus.COMPLETED


def test_hints_of_flows_and_rows_that_are_gone_are_dropped(world: World) -> None:
    do.launch(world)
    key = ExecutionKey(HERE, FlowUid("gone"), ContactUid("c0"))
    for each in (key, replace(key, flow=FlowUid(world.flows()[0].uid), contact=ContactUid("nobody"))):
        _memory(world).post.put("steps", build_step_message(each, 3).model_dump_json())
    world.settle_on()
    assert not _memory(world).post.buried
    assert not violations(world)


def test_rows_that_disappear_under_way_take_nobody_with_them() -> None:
    with MemoryBackend.new() as backend, opened(BY_NAME["fan_out"], (), backend) as world:
        do.launch(world)
        while not backend.executions.rows:
            world.hand_over_any()
        backend.executions.rows.pop(next(iter(backend.executions.rows)))
        world.settle_on()
    assert world.provider.acceptances().total() == BY_NAME["fan_out"].contacts - 1


def test_a_flow_whose_graph_is_missing_stops_and_goes_on_when_it_is_back(world: World) -> None:
    do.launch(world)
    catalog = world.bare.catalog
    key = ((HERE, Campaign.kind, "wait"), 1)
    version = catalog._versions.pop(key)  # type: ignore[attr-defined] - of the fake
    world.settle_on()
    (stopped,) = world.flows()
    assert (stopped.status, world.provider.tries) == (FlowStatus.ERROR, [])
    assert "version" in (stopped.pause_reason or "")
    catalog._versions[key] = version  # type: ignore[attr-defined] - of the fake
    do.resume(world)
    world.settle_on()
    assert world.flows()[0].status is FlowStatus.COMPLETED
    assert not violations(world)


def test_a_fault_of_code_fails_its_contact_as_poison_and_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    decide = Send.decide

    def stumble(self: Send, context: object) -> object:
        if getattr(context, "contact").uid == "c1":  # noqa: B009 - the context is a value of any kind here
            raise KeyError("a fault of the code")
        return decide(self, context)  # type: ignore[arg-type]

    monkeypatch.setattr(Send, "decide", stumble)
    with MemoryBackend.new() as backend, opened(BY_NAME["fan_out"], (), backend) as world:
        do.launch(world)
        world.settle_on()
        (flow,) = world.flows()
        rows = {str(row.key.contact): row for row in world.rows(flow)}
        counters = world.bare.statistics.read(HERE, FlowUid(flow.uid), flow.stats_epoch)
    assert (rows["c1"].status, rows["c1"].reason) == (ExecutionStatus.FAILED, "poison")
    assert {row.status for uid, row in rows.items() if uid != "c1"} == {ExecutionStatus.COMPLETED}
    assert counters["reason.failed.poison"] == 1


def test_a_row_that_stands_nowhere_fails_with_the_reason(world: World) -> None:
    do.launch(world)
    backend = _memory(world)
    while not backend.executions.rows:
        world.hand_over_any()
    (key, row), *_ = backend.executions.rows.items()
    backend.executions.rows[key] = replace(row, node=NodeId("nowhere"))
    world.settle_on()
    assert backend.executions.rows[key].reason == "node_not_found"


def test_dead_letters_that_come_again_are_harmless_doubles(world: World) -> None:
    do.launch(world)
    world.settle_on()
    (flow,) = world.flows()
    (row,) = world.rows(flow)
    for step in range(row.seq + 1):
        _memory(world).post.put("dead_steps", build_step_message(row.key, step).model_dump_json())
    before = len(world.provider.tries)
    world.backend.move(timedelta(seconds=1))
    world.settle_on()
    assert len(world.provider.tries) == before
    assert world.bare.catalog.get(HERE, Flow, flow.uid).status is FlowStatus.COMPLETED
