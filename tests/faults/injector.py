"""The switchboard: numbers every call that leaves the code under test, and lets go wrong what the plan says."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from chalicelib.errors import RetryLater
from chalicelib.model.circuit import Circuit
from chalicelib.model.queue_messages import ScheduledStep
from chalicelib.ports import Ports
from tests.faults.plan import Call, Fault, Kind, Plan, fitting
from tests.memory.clock import VirtualClock

#: Longer than lease and every visibility timeout.
JUMP = timedelta(seconds=400)
MOMENT = timedelta(milliseconds=1)
SKEW = timedelta(seconds=30)
LATE = timedelta(seconds=90)
#: The only call that answers for each of its writes.
SAVES = "executions.save_many"
LONGEST_DELAY = timedelta(seconds=900)


class Died(BaseException):
    """The process is gone; nothing may catch it."""


class SkewedClock(VirtualClock):
    """`skew` is by how much the clock of the process that is running now goes wrong."""

    skew = timedelta(0)

    def now(self) -> datetime:
        return super().now() + self.skew

    def real(self) -> datetime:
        return super().real() + self.skew

    def true_now(self) -> datetime:
        """What the world's clocks show."""
        return super().now()


@dataclass
class Frame:
    """One invocation of the code under test; `again` delivers the same to another process."""

    name: str
    again: Callable[[], object]
    calls: int = 0
    is_zombie: bool = False


@dataclass
class Board:
    """`calls` is the record of the run; `moments` tells, for each fault that fired, how many claims were alive."""

    clock: SkewedClock
    plan: dict[int, Kind]
    claims: Callable[[], int] = lambda: 0
    act: Callable[[], None] | None = None
    calls: list[Call] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)
    fired: list[Fault] = field(default_factory=list)
    moments: list[int] = field(default_factory=list)
    watchers: list[Callable[[str, tuple[Any, ...], Any], None]] = field(default_factory=list)
    #: Off while the harness itself looks.
    on: bool = True

    @classmethod
    def of(cls, clock: SkewedClock, plan: Plan) -> "Board":
        return cls(clock, {fault.number: fault.kind for fault in plan})

    @contextmanager
    def aside(self) -> Iterator[None]:
        """The harness looks, and nothing is counted."""
        before, self.on = self.on, False
        try:
            yield
        finally:
            self.on = before

    @contextmanager
    def frame(self, name: str, again: Callable[[], object]) -> Iterator[Frame]:
        """An invocation has a clock of its own."""
        skew, self.clock.skew = self.clock.skew, timedelta(0)
        self.frames.append(Frame(name, again))
        try:
            yield self.frames[-1]
        finally:
            self.frames.pop()
            self.clock.skew = skew

    def call(self, name: str, method: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """One call from the code under test."""
        if not self.on or not self.frames:
            return self._watched(name, method, args, kwargs)
        frame = self.frames[-1]
        frame.calls += 1
        self.calls.append(Call(name, frame.calls == 1))
        planned = self.plan.get(len(self.calls))
        if planned is None:
            return self._watched(name, method, args, kwargs)
        number, before = len(self.calls), self.claims()
        kind = fitting(planned, self.calls[-1], number, self.act is not None)
        try:
            if name == SAVES and kind in {Kind.REFUSED, Kind.LOST}:
                return self._undecided(kind, name, method, args)
            return self._go_wrong(kind, frame, name, method, args, kwargs)
        finally:
            self.fired.append(Fault(number, kind))
            self.moments.append(max(before, self.claims()))

    def _watched(self, name: str, method: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        answer = method(*args, **kwargs)
        for watch in self.watchers:
            watch(name, args, answer)
        return answer

    def _go_wrong(
        self, kind: Kind, frame: Frame, name: str, method: Callable[..., Any], args: tuple[Any, ...], kwargs: Any
    ) -> Any:
        if kind is Kind.REFUSED:
            raise RetryLater("refused by the harness")
        if kind is Kind.DROPPED:
            return None
        if kind is Kind.LAG:
            return _lagging(name, method, args, kwargs)
        self._beforehand(kind, frame)
        if kind is Kind.DELAYED:
            args, kwargs = _later(name, args, kwargs)
        if kind is Kind.DOUBLED:
            self._watched(name, method, args, kwargs)
        answer = self._watched(name, method, args, kwargs)
        if kind is Kind.CRASH:
            raise Died
        if kind is Kind.LOST:
            raise RetryLater("its answer was lost by the harness")
        return answer

    def _undecided(self, kind: Kind, name: str, method: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        """Saves are answered one by one: of those refused every other one is written, of lost answers all are."""
        saves, shards = args
        if kind is Kind.LOST:
            self._watched(name, method, args, {})
            return (None,) * len(saves)
        told = iter(self._watched(name, method, (saves[1::2], shards), {}))
        return tuple(next(told) if index % 2 else None for index in range(len(saves)))

    def _beforehand(self, kind: Kind, frame: Frame) -> None:
        if kind is Kind.ZOMBIE:
            self.clock.advance(JUMP)
            frame.is_zombie = True
        if kind in {Kind.TWIN, Kind.ZOMBIE}:
            # Two that write the very same in the same millisecond would each take it for their own lost answer.
            self.clock.advance(MOMENT)
            frame.again()
            self.clock.advance(MOMENT)
        elif kind in {Kind.FAST, Kind.SLOW}:
            self.clock.skew = SKEW if kind is Kind.FAST else -SKEW
        elif kind is Kind.ACT and self.act:
            self.act()


def _lagging(name: str, method: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Rows and contacts as before their last write; else as at first: lists empty, circuits closed."""
    answer = method(*args, **kwargs)
    if name in {"contacts.find_many", "executions.find_many"}:
        strong = kwargs.get("strong", args[2] if len(args) > 2 else True)
        return answer if strong else _as_before(name, method, answer)
    if name == "circuits.find_channel":
        return replace(answer, circuit=Circuit()) if answer and not kwargs.get("strong", True) else answer
    if name == "catalog.page":
        return replace(answer, items=(), cursor=None)
    return iter(())


def _as_before(name: str, method: Callable[..., Any], answer: Mapping[Any, Any]) -> Mapping[Any, Any]:
    if name == "contacts.find_many":
        before = method.__self__.previous
        return {uid: before.get(uid, contact) for uid, contact in answer.items()}
    previous = method.__self__.previous
    return {key: previous[key] for key in answer if key in previous}


def _later(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    if name == "jobs.send":
        job, *delay = args
        return (job, min(LONGEST_DELAY, (delay[0] if delay else timedelta(0)) + LATE)), kwargs
    if name == "steps.send":
        hints, now = args
        return ([ScheduledStep(each.message, min(now + LONGEST_DELAY, each.due + LATE)) for each in hints], now), kwargs
    return ([ScheduledStep(each.message, each.due + LATE) for each in args[0]], *args[1:]), kwargs


class Wired:
    """A port whose every method goes over the switchboard."""

    def __init__(self, board: Board, name: str, port: object) -> None:
        self._board, self._name, self._port = board, name, port

    def __getattr__(self, method: str) -> Any:
        found = getattr(self._port, method)
        if not callable(found):
            return found
        name = f"{self._name}.{method}"

        def called(*args: Any, **kwargs: Any) -> Any:
            return self._board.call(name, found, args, kwargs)

        # Found at once the next time.
        self.__dict__[method] = called
        return called


PORTS = (
    "catalog", "versions", "chunks", "schedule", "contacts", "contact_shards", "consents", "events", "event_queue",
    "receipt_queue", "executions", "steps", "jobs", "timers", "statistics", "recount_parts", "flow_errors", "pacing",
    "circuits", "rates", "balances", "budgets", "files", "multipart_files", "usage_limits", "webhook_scheduler",
    "webhook_queue",
)  # fmt: skip


def wire(board: Board, ports: Ports, names: Sequence[str] = PORTS) -> Ports:
    """The ports with the switchboard in front of each; what other branches add to them stays as it is."""
    return replace(ports, **{name: Wired(board, name, getattr(ports, name)) for name in names})
