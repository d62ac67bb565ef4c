"""The fault injector numbers every call that leaves the code under test, and injects the faults of a plan."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from chalicelib.errors import RetryLater
from chalicelib.model.circuit import Circuit
from chalicelib.model.queue_messages import ScheduledStep
from chalicelib.ports import Ports
from tests.faults.plan import Call, Fault, Kind, Plan, applicable_kind
from tests.memory.clock import VirtualClock

#: Delay of a zombie's worker: longer than the claim's lease and every visibility timeout.
ZOMBIE_DELAY = timedelta(seconds=400)
MOMENT = timedelta(milliseconds=1)
SKEW = timedelta(seconds=30)
LATE = timedelta(seconds=90)
#: The only call that returns a result for each of its writes.
SAVES = "executions.save_many"
LONGEST_DELAY = timedelta(seconds=900)


class ProcessDied(BaseException):
    """The process has ended. A BaseException, so that the code under test does not catch it."""


class SkewedClock(VirtualClock):
    """A clock with an error; `skew` is the clock error of the running process."""

    skew = timedelta(0)

    def now(self) -> datetime:
        return super().now() + self.skew

    def real(self) -> datetime:
        return super().real() + self.skew

    def true_now(self) -> datetime:
        """Return the time without the skew."""
        return super().now()


@dataclass
class Invocation:
    """One invocation of the code under test; `redeliver` delivers the same messages to another process."""

    name: str
    redeliver: Callable[[], object]
    calls: int = 0
    is_zombie: bool = False


@dataclass
class FaultInjector:
    """Numbers calls and injects faults.

    `calls` is the record of the run. `claims_at_faults` holds, for each injected fault, the number of live claims.
    """

    clock: SkewedClock
    plan: dict[int, Kind]
    claims: Callable[[], int] = lambda: 0
    act: Callable[[], None] | None = None
    calls: list[Call] = field(default_factory=list)
    invocations: list[Invocation] = field(default_factory=list)
    injected: list[Fault] = field(default_factory=list)
    claims_at_faults: list[int] = field(default_factory=list)
    watchers: list[Callable[[str, tuple[Any, ...], Any], None]] = field(default_factory=list)
    #: False while the harness itself reads.
    on: bool = True

    @classmethod
    def of(cls, clock: SkewedClock, plan: Plan) -> "FaultInjector":
        return cls(clock, {fault.number: fault.kind for fault in plan})

    @contextmanager
    def uncounted(self) -> Iterator[None]:
        """Let the harness call ports without counting the calls."""
        before, self.on = self.on, False
        try:
            yield
        finally:
            self.on = before

    @contextmanager
    def invocation(self, name: str, redeliver: Callable[[], object]) -> Iterator[Invocation]:
        """Open an invocation; its process starts with a correct clock."""
        skew, self.clock.skew = self.clock.skew, timedelta(0)
        self.invocations.append(Invocation(name, redeliver))
        try:
            yield self.invocations[-1]
        finally:
            self.invocations.pop()
            self.clock.skew = skew

    def call(self, name: str, method: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Make one call of the code under test, with the fault that is planned for its number."""
        if not self.on or not self.invocations:
            return self._observed(name, method, args, kwargs)
        invocation = self.invocations[-1]
        invocation.calls += 1
        self.calls.append(Call(name, invocation.calls == 1))
        planned = self.plan.get(len(self.calls))
        if planned is None:
            return self._observed(name, method, args, kwargs)
        number, before = len(self.calls), self.claims()
        kind = applicable_kind(planned, self.calls[-1], number, self.act is not None)
        try:
            if name == SAVES and kind in {Kind.REFUSED, Kind.LOST}:
                return self._save_undecided(kind, name, method, args)
            return self._inject(kind, invocation, name, method, args, kwargs)
        finally:
            self.injected.append(Fault(number, kind))
            self.claims_at_faults.append(max(before, self.claims()))

    def _observed(self, name: str, method: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        answer = method(*args, **kwargs)
        for watch in self.watchers:
            watch(name, args, answer)
        return answer

    def _inject(
        self,
        kind: Kind,
        invocation: Invocation,
        name: str,
        method: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: Any,
    ) -> Any:
        if kind is Kind.REFUSED:
            raise RetryLater("refused by the harness")
        if kind is Kind.DROPPED:
            return None
        if kind is Kind.LAG:
            return _lagging_read(name, method, args, kwargs)
        self._before_call(kind, invocation)
        if kind is Kind.DELAYED:
            args, kwargs = _delayed(name, args, kwargs)
        if kind is Kind.DOUBLED:
            self._observed(name, method, args, kwargs)
        answer = self._observed(name, method, args, kwargs)
        if kind is Kind.CRASH:
            raise ProcessDied
        if kind is Kind.LOST:
            raise RetryLater("its answer was lost by the harness")
        return answer

    def _save_undecided(self, kind: Kind, name: str, method: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        """Return undecided saves: a refusal writes every other execution, a lost response writes all."""
        saves, shards = args
        if kind is Kind.LOST:
            self._observed(name, method, args, {})
            return (None,) * len(saves)
        results = iter(self._observed(name, method, (saves[1::2], shards), {}))
        return tuple(next(results) if index % 2 else None for index in range(len(saves)))

    def _before_call(self, kind: Kind, invocation: Invocation) -> None:
        if kind is Kind.ZOMBIE:
            self.clock.advance(ZOMBIE_DELAY)
            invocation.is_zombie = True
        if kind in {Kind.TWIN, Kind.ZOMBIE}:
            # Two workers that write the same value in the same millisecond would each take it for their own write.
            self.clock.advance(MOMENT)
            invocation.redeliver()
            self.clock.advance(MOMENT)
        elif kind in {Kind.FAST, Kind.SLOW}:
            self.clock.skew = SKEW if kind is Kind.FAST else -SKEW
        elif kind is Kind.ACT and self.act:
            self.act()


def _lagging_read(name: str, method: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Return stale values: executions and contacts before their last write, empty lists, closed circuits."""
    answer = method(*args, **kwargs)
    if name in {"contacts.find_many", "executions.find_many"}:
        strong = kwargs.get("strong", args[2] if len(args) > 2 else True)
        return answer if strong else _previous_versions(name, method, answer)
    if name == "circuits.find_channel":
        return replace(answer, circuit=Circuit()) if answer and not kwargs.get("strong", True) else answer
    if name == "catalog.page":
        return replace(answer, items=(), cursor=None)
    return iter(())


def _previous_versions(name: str, method: Callable[..., Any], answer: Mapping[Any, Any]) -> Mapping[Any, Any]:
    if name == "contacts.find_many":
        before = method.__self__.previous
        return {uid: before.get(uid, contact) for uid, contact in answer.items()}
    previous = method.__self__.previous
    return {key: previous[key] for key in answer if key in previous}


def _delayed(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    if name == "jobs.send":
        job, *delay = args
        return (job, min(LONGEST_DELAY, (delay[0] if delay else timedelta(0)) + LATE)), kwargs
    if name == "steps.send":
        steps, now = args
        return ([ScheduledStep(each.message, min(now + LONGEST_DELAY, each.due + LATE)) for each in steps], now), kwargs
    return ([ScheduledStep(each.message, each.due + LATE) for each in args[0]], *args[1:]), kwargs


class InterceptedPort:
    """A port with every method routed through the injector."""

    def __init__(self, injector: FaultInjector, name: str, port: object) -> None:
        self._injector, self._name, self._port = injector, name, port

    def __getattr__(self, method: str) -> Any:
        found = getattr(self._port, method)
        if not callable(found):
            return found
        name = f"{self._name}.{method}"

        def called(*args: Any, **kwargs: Any) -> Any:
            return self._injector.call(name, found, args, kwargs)

        # The next access finds the attribute without __getattr__.
        self.__dict__[method] = called
        return called


PORTS = (
    "catalog", "versions", "chunks", "schedule", "contacts", "contact_shards", "consents", "events", "event_queue",
    "receipt_queue", "executions", "steps", "jobs", "timers", "statistics", "recount_parts", "flow_errors", "pacing",
    "circuits", "rates", "balances", "budgets", "files", "multipart_files", "usage_limits", "webhook_scheduler",
    "webhook_queue",
)  # fmt: skip


def intercept(injector: FaultInjector, ports: Ports, names: Sequence[str] = PORTS) -> Ports:
    """Return the ports with the injector in front of each named one."""
    return replace(ports, **{name: InterceptedPort(injector, name, getattr(ports, name)) for name in names})
