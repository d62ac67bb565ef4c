"""One simulated run: the engine on intercepted ports, with queues, a clock Lambda, operators and a provider."""

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
from tests.faults.injector import FaultInjector, Invocation, ProcessDied, intercept
from tests.faults.plan import Kind, Plan
from tests.faults.provider import Provider
from tests.faults.sample_data import HERE, NEIGHBOUR, build_campaign, store_sample_data
from tests.faults.scenario import Act, Scenario
from tests.faults.simulated_queues import QueuedMessage
from tests.memory.clock import START

#: Queue → its worker and the worker's time limit, as in infra/resources.yaml and .chalice/config.json.
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
#: Faults that lose nothing, so the live counters must be exact too.
HARMLESS = frozenset({Kind.TWIN, Kind.DOUBLED, Kind.DELAYED, Kind.LAG})
MINUTE = timedelta(minutes=1)
#: Longest time between two ticks. An idle clock ticks less often to save CPU; late ticks are allowed.
SLOWEST_TICK = timedelta(minutes=10)
#: A flow that has not ended by then is stuck. The watchdog checks a flow at least daily.
PATIENCE = timedelta(days=6)


@dataclass(frozen=True)
class Ack:
    """An operator's request has been acknowledged. From then on only `in_flight` sends may still begin."""

    action: str
    flow: str
    contact: str | None
    attempts: int
    in_flight: int


@dataclass
class Context:
    """Lambda's context on the virtual clock."""

    left: Callable[[], timedelta]

    def get_remaining_time_in_millis(self) -> int:
        return max(0, self.left() // timedelta(milliseconds=1))


class _ErrorLog(logging.Handler):
    """Collects the errors that the workers log."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.faults: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.faults.append(f"{getattr(record, 'fault', record.getMessage())} {getattr(record, 'where', '')[:160]}")


@dataclass
class World:
    """The state of one run. `random` shuffles deliveries; without it they come in order."""

    scenario: Scenario
    backend: Backend
    injector: FaultInjector
    ports: Ports
    direct: Ports
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
    #: Scheduled acts with their times.
    script: list[tuple[datetime, Act]] = field(default_factory=list)

    @property
    def now(self) -> datetime:
        return self.injector.clock.true_now()

    @property
    def expected_flows(self) -> int:
        """Number of flows that must exist; an act lowers it when it had no reason to start one."""
        return int(self.notes.get("flows", self.scenario.flows))

    # ---- reads that the injector does not count ----

    def flows(self) -> list[Flow]:
        """Return all flows of the campaign, the oldest first."""
        catalog = self.direct.catalog
        with self.injector.uncounted():
            pages = all_pages(partial(catalog.children, HERE, Campaign, self.scenario.name, Flow, 100))
            return sorted((flow for page in pages for flow in page), key=lambda flow: (flow.created_at, flow.uid))

    def executions(self, flow: Flow) -> list[Execution]:
        executions, uid = self.direct.executions, FlowUid(flow.uid)
        with self.injector.uncounted():
            pages = (all_pages(partial(executions.page, HERE, uid, shard, 1000)) for shard in range(flow.shards))
            return [execution for shard in pages for page in shard for execution in page]

    def claims(self) -> int:
        """Return the number of claimed executions."""
        with self.injector.uncounted():
            return self.backend.claims(self.now)

    def acknowledge(self, action: str, flow: str, contact: str | None = None) -> None:
        """Record that the operator has the response, with the messages in flight that `PATCH` and `GET` report."""
        with self.injector.uncounted():
            in_flight = self.direct.statistics.in_flight(HERE, FlowUid(flow), self.now)
        self.acks.append(Ack(action, flow, contact, len(self.provider.attempts), in_flight))

    # ---- running ----

    def schedule(self, span: timedelta, act: Act) -> None:
        """Add an act to the script, `span` from now."""
        self.script.append((self.now + span, act))
        self.script.sort(key=lambda entry: entry[0])

    def run_to_end(self) -> None:
        """Run the scenario's script and everything that follows from it, until nothing is left to do."""
        for span, act in self.scenario.script:
            self.schedule(span, act)
        self.run_until_quiet()

    def run_until_quiet(self) -> None:
        """Run until nothing is left to do, without the scenario's script."""
        end = self.now + PATIENCE
        while self.now < end:
            if self.script and self.script[0][0] <= self.now:
                self.script.pop(0)[1](self)
                continue
            if self.now >= self.next_tick:
                self._tick_when_due()
                continue
            if self.deliver_next():
                self.idle = MINUTE
                self.next_tick = min(self.next_tick, self.now + MINUTE)
                continue
            coming = self.backend.queues.next_moment()
            if not self.script and coming is None and self._is_quiet():
                return
            moments = [self.next_tick, *([coming] if coming else []), *(at for at, _ in self.script[:1])]
            self.backend.move(max(min(moments) - self.now, timedelta(milliseconds=1)))
        self.problems.append(f"I3 not quiet after {PATIENCE}: {[str(flow.status) for flow in self.flows()]}")

    def _is_quiet(self) -> bool:
        with self.injector.uncounted():
            if any(True for _ in self.direct.events.find_unpublished(self.now + timedelta(days=1))):
                return False
        flows = self.flows()
        if len(flows) < self.expected_flows:
            return False
        return all(self._is_idle(flow) for flow in flows)

    def _is_idle(self, flow: Flow) -> bool:
        if flow.status is FlowStatus.CANCELLED:
            return flow.settled_at is not None
        if flow.open_ended and flow.status is FlowStatus.RUNNING:
            return not any(execution.is_open for execution in self.executions(flow))
        return flow.is_over or flow.status in {FlowStatus.PAUSED, FlowStatus.ERROR, FlowStatus.DRAFT}

    def deliver_next(self) -> bool:
        names = list(WORKERS)
        if self.random:
            self.random.shuffle(names)
        for name in names:
            batch = self.backend.queues.receive(name, self.now)
            if batch:
                if self.random:
                    self.random.shuffle(batch)
                self.deliver(name, batch)
                return True
        return False

    def deliver(self, queue: str, batch: Sequence[QueuedMessage]) -> None:
        """Deliver a batch to the worker. Messages that it does not finish return after their visibility timeout."""
        entry, limit = WORKERS[queue]
        deadline = self.now + limit
        event = {"Records": [_record(message, queue) for message in batch]}
        try:
            with self.injector.invocation(queue, lambda: self._redeliver(queue, batch)) as invocation:
                answer = load_handler(entry)(event, Context(lambda: deadline - self.now))
        except ProcessDied:
            return
        except Exception as error:  # noqa: BLE001 - as in Lambda, the whole batch returns
            self._note(error, invocation)
            return
        failed = {failure["itemIdentifier"] for failure in (answer or {}).get("batchItemFailures", ())}
        for message in batch:
            if message.id not in failed:
                self.backend.queues.delete(queue, message)

    def _redeliver(self, queue: str, batch: Sequence[QueuedMessage]) -> None:
        self.deliver(queue, [replace(message, times=message.times + 1) for message in batch])

    def _note(self, error: Exception, invocation: Invocation) -> None:
        if not isinstance(error, CarillonError):
            self.faults.append(f"{type(error).__name__}: {error} in {invocation.name}")

    def _tick_when_due(self) -> None:
        self.idle = min(self.idle * 2, SLOWEST_TICK)
        self.next_tick = self.now + self.idle
        self.tick()

    def tick(self) -> None:
        """Run the clock rule once."""
        entry, deadline = load_handler("chalicelib.workers.clock.tick"), self.now + timedelta(seconds=30)
        event = build_event("tick", self.now.timestamp())
        try:
            with self.injector.invocation("tick", self.tick) as invocation:
                entry(event, Context(lambda: deadline - self.now))
        except ProcessDied:
            return
        except Exception as error:  # noqa: BLE001 - the next tick follows anyway
            self._note(error, invocation)


def _record(message: QueuedMessage, queue: str) -> dict[str, Any]:
    return {
        "messageId": message.id,
        "receiptHandle": message.handle,
        "body": message.body,
        "attributes": {"ApproximateReceiveCount": str(message.times)},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:eu-west-1:000000000000:{queue}",
    }


class _CountedUlid(ULID):
    """Ids from a counter and the virtual clock, so that a run is repeatable."""

    clock: Callable[[], datetime]
    count = 0

    def __init__(self, value: bytes | None = None) -> None:
        if value is None:
            type(self).count += 1
            moment = int(type(self).clock().timestamp() * 1000).to_bytes(6, "big")
            value = moment + type(self).count.to_bytes(10, "big")
        super().__init__(value)


@contextmanager
def open_world(scenario: Scenario, plan: Plan, backend: Backend, seed: int | None = None) -> Iterator[World]:
    """Yield a world with the scenario's documents, before the first act."""
    injector = FaultInjector.of(backend.clock, plan)
    provider = Provider(injector, answer=scenario.answer, deduplicates=scenario.deduplicates)
    direct = replace(backend.ports, channel_types={"console": provider}, memory=WorkerMemory())
    chance = random.Random(seed) if seed is not None else None
    world = World(
        scenario, backend, injector, intercept(injector, direct, backend.intercepted), direct, provider, chance
    )
    ulid: Any = type("Ulid", (_CountedUlid,), {"clock": staticmethod(backend.clock.true_now), "count": 0})
    before, errors = ids.ULID, _ErrorLog()
    logger = logging.getLogger("carillon")
    environment = mock.patch.dict(os.environ, {"STAGE": "local"})  # Other stages print metrics to stdout.
    environment.start()
    telemetry._logger()
    handlers, level = logger.handlers[:], logger.level
    ids.ULID = ulid
    try:
        logger.handlers[:], logger.propagate = [errors], False
        logger.setLevel(logging.ERROR)
        use_ports(world.ports)
        store_sample_data(direct, scenario.contacts, scenario.channel)
        direct.catalog.add(
            HERE,
            build_campaign(
                scenario.name, scenario.steps, scenario.contacts, scenario.configuration, **scenario.campaign
            ),
        )
        _watch(world)
        if scenario.act:
            injector.act = partial(scenario.act, world)
        with backend.listening(injector):
            yield world
        world.faults += errors.faults
    finally:
        ids.ULID = before
        logger.handlers[:] = handlers
        logger.setLevel(level)
        use_ports(None)
        environment.stop()


def _watch(world: World) -> None:
    """Watch calls for violations that leave no trace: second ends, receipts that fall, access to the neighbour."""

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

    world.injector.watchers.append(watch)
    world.injector.claims = world.claims


def _note_end(world: World, flow: Flow) -> None:
    before = world.statuses.get(flow.uid)
    world.statuses[flow.uid] = flow.status
    if not flow.is_over or before is flow.status:
        return
    world.ended.append(flow.uid)
    kinds = {fault.kind for fault in world.injector.injected}
    if kinds <= HARMLESS and not world.injector.act and flow.status is not FlowStatus.CANCELLED:
        with world.injector.uncounted():
            live = dict(world.direct.statistics.read(HERE, FlowUid(flow.uid), flow.stats_epoch - 1))
        counted = sum((counters_of(execution) for execution in world.executions(flow)), Counter())
        # Only the recount that ends the flow finds timeouts.
        names = {name for name in {*live, *counted} if not name.endswith("timedOut")} - {"movements"}
        if any(live.get(name, 0) != counted[name] for name in names):
            world.problems.append(f"I4 flow {flow.uid} had live counters that differ: {live}, counted {dict(counted)}")
    if before is not None and before in {FlowStatus.COMPLETED, FlowStatus.PARTIAL_COMPLETED, FlowStatus.FAILED}:
        world.problems.append(f"I15 flow {flow.uid} ended twice: {before}, {flow.status}")
    still_open = [execution.key.execution_id for execution in world.executions(flow) if execution.is_open]
    if flow.status is not FlowStatus.CANCELLED and still_open:
        world.problems.append(f"I15 flow {flow.uid} ended {flow.status} with {still_open} open")
