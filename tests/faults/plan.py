"""What shall go wrong, and at which call: `C@12 P@30` is a run that can be repeated."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """Kinds of faults; a call is numbered from 1 over the whole run."""

    #: The process dies after the call took effect.
    CRASH = "C"
    #: It took effect, and its answer is lost.
    LOST = "L"
    #: It is refused, without effect.
    REFUSED = "T"
    #: Before it another delivery of the same message runs to its end.
    TWIN = "P"
    #: The same, after the clock jumped past visibility timeout and lease; then this one goes on, as no Lambda could.
    ZOMBIE = "Z"
    DOUBLED = "D2"
    DROPPED = "D0"
    #: It comes so late that others overtake it.
    DELAYED = "D+"
    #: An index, or a read that may lag, answers as it would have at the beginning.
    LAG = "G"
    #: The clock of this process goes half a minute fast, or slow.
    FAST = "K+"
    SLOW = "K-"
    #: No fault: the scenario's operator acts at this very moment.
    ACT = "O"


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One kind at one call."""

    number: int
    kind: Kind

    def __str__(self) -> str:
        return f"{self.kind}@{self.number}"


Plan = tuple[Fault, ...]


def read_plan(text: str) -> Plan:
    """`C@12 P@30`; ValueError when it cannot be read."""
    entries = (entry.partition("@") for entry in text.split())
    return tuple(sorted(Fault(int(number), Kind(kind)) for kind, _, number in entries))


def write_plan(plan: Iterable[Fault]) -> str:
    """As `read_plan` reads it."""
    return " ".join(str(fault) for fault in plan)


@dataclass(frozen=True, slots=True)
class Call:
    """A call as a run without faults made it; `opens` is the first one of an invocation."""

    name: str
    opens: bool = False


#: What changes nothing. A crash behind one is a crash behind the write before it; a lost answer is a refusal.
READS = frozenset(
    {
        "catalog.find", "catalog.get", "catalog.page", "catalog.children", "versions.find_version",
        "versions.list_versions", "chunks.get_chunk", "schedule.list_active", "schedule.list_due",
        "contacts.find_many", "contacts.find_by", "contacts.page", "events.page", "events.find_unpublished",
        "executions.find_many", "executions.find_entries", "executions.page", "executions.find_flows",
        "steps.backlog", "timers.buckets", "timers.read", "timers.swept_to", "statistics.read",
        "statistics.in_flight", "recount_parts.list_parts", "flow_errors.list_errors", "statistics.overview",
        "pacing.get", "circuits.get", "circuits.find_channel", "rates.daily_count", "balances.find",
        "budgets.find_budget", "balances.list_entries", "consents.page", "files.get", "files.lines",
        "files.link", "aws.dynamodb.GetItem", "aws.dynamodb.BatchGetItem", "aws.dynamodb.Query",
        "aws.sqs.GetQueueAttributes",
    }
)  # fmt: skip
#: What may lag behind writes, by its contract.
LAGS = frozenset(
    {
        "catalog.page", "schedule.list_active", "schedule.list_due", "contacts.find_many",
        "executions.find_many", "events.find_unpublished", "circuits.find_channel",
    }
)  # fmt: skip
#: Hints: any may be lost, since rows and flows are the truth.
HINTS = frozenset({"steps.send", "jobs.send", "timers.put"})


def kinds_of(call: Call, act: bool) -> Iterator[Kind]:
    """What can go wrong at a call."""
    if call.name not in READS:
        yield from (Kind.CRASH, Kind.LOST)
    yield from (Kind.REFUSED, Kind.TWIN, Kind.ZOMBIE)
    if call.name in LAGS:
        yield Kind.LAG
    if call.name in HINTS:
        yield from (Kind.DOUBLED, Kind.DROPPED, Kind.DELAYED)
    if call.name in {"event_queue.send", "receipt_queue.send"}:
        yield Kind.DOUBLED
    if call.opens:
        yield from (Kind.FAST, Kind.SLOW)
    if act:
        yield Kind.ACT


def fitting(kind: Kind, call: Call, number: int, act: bool) -> Kind:
    """The kind, or where it has no meaning at this call another one: a fuzzed plan meets calls that it has not seen."""
    options = tuple(kinds_of(call, act))
    return kind if kind in options else options[number % len(options)]


def single_faults(calls: Sequence[Call], act: bool, after: int = 0) -> list[Fault]:
    """Every fault at every call behind the first `after` ones."""
    numbered = enumerate(calls[after:], start=after + 1)
    return [Fault(number, kind) for number, call in numbered for kind in kinds_of(call, act)]
