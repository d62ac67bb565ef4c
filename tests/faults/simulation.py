"""One run: the engine on ports with the switchboard in front, queues, a clock Lambda, operators and a provider."""

import logging
import os
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from unittest import mock

from ulid import ULID

from chalicelib import telemetry
from chalicelib.core.flows.progress import counters_of
from chalicelib.errors import CarillonError
from chalicelib.model import ids
from chalicelib.model.campaign import Campaign
from chalicelib.model.execution import Execution
from chalicelib.model.flow import Flow, FlowStatus
from chalicelib.model.ids import FlowUid
from chalicelib.model.worker_memory import WorkerMemory
from chalicelib.ports import Ports, all_pages
from chalicelib.wiring import use_ports
from infra.local.clock import build_event
from infra.local.lambda_runtime import load_handler
from tests.faults.backends import Backend
from tests.faults.injector import Board, Died, Frame, wire
from tests.faults.plan import Kind, Plan
from tests.faults.provider import Provider
from tests.faults.sample_data import HERE, NEIGHBOUR, build_campaign, furnish
from tests.faults.scenario import Act, Scenario
from tests.faults.simulated_queues import Mail
from tests.memory.clock import START

#: Queue → the worker that reads it and its time limit, as resources.yaml and .chalice/config.json say.
WORKERS = {
    "events": ("chalicelib.workers.events.run_events", timedelta(seconds=30)),
    "jobs": ("chalicelib.workers.jobs.run_jobs", timedelta(seconds=60)),
    "steps": ("chalicelib.workers.steps.run_steps", timedelta(seconds=30)),
    "receipts": ("chalicelib.workers.receipts.record_receipts", timedelta(seconds=30)),
    "dead_receipts": ("chalicelib.workers.receipts.redrive_receipts", timedelta(seconds=30)),
    "dead_events": ("chalicelib.workers.events.redrive_events", timedelta(seconds=30)),
    "dead_jobs": ("chalicelib.workers.dead_letters.redrive_jobs", timedelta(seconds=30)),
    "dead_steps": ("chalicelib.workers.dead_letters.redrive_steps", timedelta(seconds=30)),
}
#: Nothing is lost by these, so that also the live counters must be exact.
HARMLESS = frozenset({Kind.TWIN, Kind.DOUBLED, Kind.DELAYED, Kind.LAG})
MINUTE = timedelta(minutes=1)
#: A clock that finds nothing to do comes round less often, up to this: late rounds are allowed, and cost nothing here.
SLOWEST_TICK = timedelta(minutes=10)
#: Whatever is not over by then is stuck. The watchdog looks at least daily.
PATIENCE = timedelta(days=6)


@dataclass(frozen=True)
class Ack:
    """An operator was told that it is done: from here on only `in_flight` sends may still go out."""

    what: str
    flow: str
    contact: str | None
    tries: int
    in_flight: int


@dataclass
class Context:
    """Lambda's context on the harness's clock."""

    left: Callable[[], timedelta]

    def get_remaining_time_in_millis(self) -> int:
        return max(0, self.left() // timedelta(milliseconds=1))


class _Listener(logging.Handler):
    """Collects what the workers log as faults."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.faults: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.faults.append(f"{getattr(record, 'fault', record.getMessage())} {getattr(record, 'where', '')[:160]}")


@dataclass
class World:
    """Everything of one run. `seed` shuffles deliveries; without one they come in order."""

    scenario: Scenario
    backend: Backend
    board: Board
    ports: Ports
    bare: Ports
    provider: Provider
    random: random.Random | None
    next_tick: datetime = START + MINUTE
    idle: timedelta = MINUTE
    acks: list[Ack] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    statuses: dict[str, FlowStatus] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)
    #: What people will do, and when.
    script: list[tuple[datetime, Act]] = field(default_factory=list)

    @property
    def now(self) -> datetime:
        return self.board.clock.true_now()

    @property
    def expected_flows(self) -> int:
        """Fewer than the scenario says where there was no reason for one."""
        return int(self.notes.get("flows", self.scenario.flows))

    # ---- looking, without being counted ----

    def flows(self) -> list[Flow]:
        """All of the campaign, the oldest first."""
        catalog = self.bare.catalog
        with self.board.aside():
            pages = all_pages(partial(catalog.children, HERE, Campaign, self.scenario.name, Flow, 100))
            return sorted((flow for page in pages for flow in page), key=lambda flow: (flow.created_at, flow.uid))

    def rows(self, flow: Flow) -> list[Execution]:
        executions, uid = self.bare.executions, FlowUid(flow.uid)
        with self.board.aside():
            pages = (all_pages(partial(executions.page, HERE, uid, shard, 1000)) for shard in range(flow.shards))
            return [row for shard in pages for page in shard for row in page]

    def claims(self) -> int:
        """How many rows are claimed now."""
        with self.board.aside():
            return self.backend.claims(self.now)

    def acknowledge(self, what: str, flow: str, contact: str | None = None) -> None:
        """What `PATCH` and `GET` would say is in flight, as the last thing before the operator has the answer."""
        with self.board.aside():
            in_flight = self.bare.statistics.in_flight(HERE, FlowUid(flow), self.now)
        self.acks.append(Ack(what, flow, contact, len(self.provider.tries), in_flight))

    # ---- running ----

    def later(self, span: timedelta, act: Act) -> None:
        """Somebody will do this, after this long."""
        self.script.append((self.now + span, act))
        self.script.sort(key=lambda entry: entry[0])

    def settle(self) -> None:
        """Everything that happens by itself, and the scenario's script, until nothing is left to happen."""
        for span, act in self.scenario.script:
            self.later(span, act)
        self.settle_on()

    def settle_on(self) -> None:
        """The same without the script."""
        end = self.now + PATIENCE
        while self.now < end:
            if self.script and self.script[0][0] <= self.now:
                self.script.pop(0)[1](self)
                continue
            if self.now >= self.next_tick:
                self._tick_in_turn()
                continue
            if self.hand_over_any():
                self.idle = MINUTE
                self.next_tick = min(self.next_tick, self.now + MINUTE)
                continue
            coming = self.backend.post.next_moment()
            if not self.script and coming is None and self._is_quiet():
                return
            moments = [self.next_tick, *([coming] if coming else []), *(at for at, _ in self.script[:1])]
            self.backend.move(max(min(moments) - self.now, timedelta(milliseconds=1)))
        self.problems.append(f"I3 not quiet after {PATIENCE}: {[str(flow.status) for flow in self.flows()]}")

    def _is_quiet(self) -> bool:
        with self.board.aside():
            if any(True for _ in self.bare.events.find_unpublished(self.now + timedelta(days=1))):
                return False
        flows = self.flows()
        if len(flows) < self.expected_flows:
            return False
        return all(self._rests(flow) for flow in flows)

    def _rests(self, flow: Flow) -> bool:
        if flow.status is FlowStatus.CANCELLED:
            return flow.settled_at is not None
        if flow.open_ended and flow.status is FlowStatus.RUNNING:
            return not any(row.is_open for row in self.rows(flow))
        return flow.is_over or flow.status in {FlowStatus.PAUSED, FlowStatus.ERROR, FlowStatus.DRAFT}

    def hand_over_any(self) -> bool:
        names = list(WORKERS)
        if self.random:
            self.random.shuffle(names)
        for name in names:
            batch = self.backend.post.receive(name, self.now)
            if batch:
                if self.random:
                    self.random.shuffle(batch)
                self.hand_over(name, batch)
                return True
        return False

    def hand_over(self, queue: str, batch: Sequence[Mail]) -> None:
        """What the worker does not finish comes again after its visibility timeout."""
        entry, limit = WORKERS[queue]
        deadline = self.now + limit
        event = {"Records": [_record(mail, queue) for mail in batch]}
        try:
            with self.board.frame(queue, lambda: self._again(queue, batch)) as frame:
                answer = load_handler(entry)(event, Context(lambda: deadline - self.now))
        except Died:
            return
        except Exception as error:  # noqa: BLE001 - as Lambda: the whole batch comes again
            self._note(error, frame)
            return
        failed = {failure["itemIdentifier"] for failure in (answer or {}).get("batchItemFailures", ())}
        for mail in batch:
            if mail.id not in failed:
                self.backend.post.delete(queue, mail)

    def _again(self, queue: str, batch: Sequence[Mail]) -> None:
        self.hand_over(queue, [replace(mail, times=mail.times + 1) for mail in batch])

    def _note(self, error: Exception, frame: Frame) -> None:
        if not isinstance(error, CarillonError):
            self.faults.append(f"{type(error).__name__}: {error} in {frame.name}")

    def _tick_in_turn(self) -> None:
        self.idle = min(self.idle * 2, SLOWEST_TICK)
        self.next_tick = self.now + self.idle
        self.tick()

    def tick(self) -> None:
        """The minute's rule."""
        entry, deadline = load_handler("chalicelib.workers.clock.tick"), self.now + timedelta(seconds=30)
        event = build_event("tick", self.now.timestamp())
        try:
            with self.board.frame("tick", self.tick) as frame:
                entry(event, Context(lambda: deadline - self.now))
        except Died:
            return
        except Exception as error:  # noqa: BLE001 - the next minute comes all the same
            self._note(error, frame)


def _record(mail: Mail, queue: str) -> dict[str, Any]:
    return {
        "messageId": mail.id,
        "receiptHandle": mail.handle,
        "body": mail.body,
        "attributes": {"ApproximateReceiveCount": str(mail.times)},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:eu-west-1:000000000000:{queue}",
    }


class _CountedUlid(ULID):
    """Ids by a counter and the virtual clock, so that a run can be repeated."""

    clock: Callable[[], datetime]
    count = 0

    def __init__(self, value: bytes | None = None) -> None:
        if value is None:
            type(self).count += 1
            moment = int(type(self).clock().timestamp() * 1000).to_bytes(6, "big")
            value = moment + type(self).count.to_bytes(10, "big")
        super().__init__(value)


@contextmanager
def opened(scenario: Scenario, plan: Plan, backend: Backend, seed: int | None = None) -> Iterator[World]:
    """A world in which the scenario is staged and nothing has happened yet."""
    board = Board.of(backend.clock, plan)
    provider = Provider(board, answer=scenario.answer, deduplicates=scenario.deduplicates)
    bare = replace(backend.ports, channel_types={"console": provider}, memory=WorkerMemory())
    chance = random.Random(seed) if seed is not None else None
    world = World(scenario, backend, board, wire(board, bare, backend.wired), bare, provider, chance)
    ulid: Any = type("Ulid", (_CountedUlid,), {"clock": staticmethod(backend.clock.true_now), "count": 0})
    before, listener = ids.ULID, _Listener()
    logger = logging.getLogger("carillon")
    environment = mock.patch.dict(os.environ, {"STAGE": "local"})  # Metrics are lines on the standard output elsewhere.
    environment.start()
    telemetry._logger()
    handlers, level = logger.handlers[:], logger.level
    ids.ULID = ulid
    try:
        logger.handlers[:], logger.propagate = [listener], False
        logger.setLevel(logging.ERROR)
        use_ports(world.ports)
        furnish(bare, scenario.contacts, scenario.channel)
        bare.catalog.add(
            HERE,
            build_campaign(
                scenario.name, scenario.steps, scenario.contacts, scenario.configuration, **scenario.campaign
            ),
        )
        _watch(world)
        if scenario.act:
            board.act = partial(scenario.act, world)
        with backend.listening(board):
            yield world
        world.faults += listener.faults
    finally:
        ids.ULID = before
        logger.handlers[:] = handlers
        logger.setLevel(level)
        use_ports(None)
        environment.stop()


def _watch(world: World) -> None:
    """What can only be seen while it happens: ends of flows, receipts that fall, reads of the neighbour's things."""

    def watch(name: str, args: tuple[Any, ...], answer: Any) -> None:
        if args and (args[0] == NEIGHBOUR or getattr(args[0], "workspace", HERE) == NEIGHBOUR):
            world.problems.append(f"I16 {name} on the neighbour's workspace")
        if name == "catalog.save" and isinstance(args[1], Flow):
            _note_end(world, answer)
        if name == "executions.put_receipt" and answer:
            before, after = answer
            known = before.receipts.get(args[2])
            if known and known.rank >= after.receipts[args[2]].rank:
                world.problems.append(f"I14 the receipt of {before.key.execution_id} at {args[2]} fell")

    world.board.watchers.append(watch)
    world.board.claims = world.claims


def _note_end(world: World, flow: Flow) -> None:
    before = world.statuses.get(flow.uid)
    world.statuses[flow.uid] = flow.status
    if not flow.is_over or before is flow.status:
        return
    world.ended.append(flow.uid)
    kinds = {fault.kind for fault in world.board.fired}
    if kinds <= HARMLESS and not world.board.act and flow.status is not FlowStatus.CANCELLED:
        with world.board.aside():
            live = dict(world.bare.statistics.read(HERE, FlowUid(flow.uid), flow.stats_epoch - 1))
        counted = sum((counters_of(row) for row in world.rows(flow)), Counter())
        # Who timed out is found by the pass that ends the flow.
        names = {name for name in {*live, *counted} if not name.endswith("timedOut")} - {"movements"}
        if any(live.get(name, 0) != counted[name] for name in names):
            world.problems.append(f"I4 flow {flow.uid} had live counters that differ: {live}, counted {dict(counted)}")
    if before is not None and before in {FlowStatus.COMPLETED, FlowStatus.PARTIAL_COMPLETED, FlowStatus.FAILED}:
        world.problems.append(f"I15 flow {flow.uid} ended twice: {before}, {flow.status}")
    still_open = [row.key.execution_id for row in world.rows(flow) if row.is_open]
    if flow.status is not FlowStatus.CANCELLED and still_open:
        world.problems.append(f"I15 flow {flow.uid} ended {flow.status} with {still_open} open")
