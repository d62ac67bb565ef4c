"""A fault plan names kinds of faults and the calls at which they occur. `C@12 P@30` repeats a run."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """Kinds of faults. Calls are numbered from 1 over the whole run."""

    #: The process dies after the call took effect.
    CRASH = "C"
    #: The call takes effect, and its response is lost.
    LOST = "L"
    #: The call is refused without effect.
    REFUSED = "T"
    #: Another delivery of the same message runs to its end before the call.
    TWIN = "P"
    #: As TWIN, after the clock jumps past visibility timeout and lease. The first worker then continues, although
    #: Lambda would have ended it.
    ZOMBIE = "Z"
    DOUBLED = "D2"
    DROPPED = "D0"
    #: The message arrives so late that others overtake it.
    DELAYED = "D+"
    #: An index, or an eventually consistent read, returns an old state.
    LAG = "G"
    #: The clock of this process is 30 s fast, or slow.
    FAST = "K+"
    SLOW = "K-"
    #: No fault: the act of the scenario runs before this call.
    ACT = "O"


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One kind of fault at one call."""

    number: int
    kind: Kind

    def __str__(self) -> str:
        return f"{self.kind}@{self.number}"


Plan = tuple[Fault, ...]


def read_plan(text: str) -> Plan:
    """Parse a plan such as `C@12 P@30`. Raise ValueError when the text is not a plan."""
    entries = (entry.partition("@") for entry in text.split())
    return tuple(sorted(Fault(int(number), Kind(kind)) for kind, _, number in entries))


def write_plan(plan: Iterable[Fault]) -> str:
    """Return the text of a plan; `read_plan` parses it."""
    return " ".join(str(fault) for fault in plan)


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a run; `opens` is True for the first call of an invocation."""

    name: str
    opens: bool = False


#: Calls that change nothing. A crash after a read equals a crash after the write before it, and a lost response
#: equals a refusal.
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
#: Calls that may lag behind writes by their contract.
LAGS = frozenset(
    {
        "catalog.page", "schedule.list_active", "schedule.list_due", "contacts.find_many",
        "executions.find_many", "events.find_unpublished", "circuits.find_channel",
    }
)  # fmt: skip
#: Messages that may be lost: executions and flows hold the state, and the sweeper enqueues what is missing.
STEP_TRIGGERS = frozenset({"steps.send", "jobs.send", "timers.put"})


def kinds_of(call: Call, act: bool) -> Iterator[Kind]:
    """Yield the kinds of faults that apply to a call."""
    if call.name not in READS:
        yield from (Kind.CRASH, Kind.LOST)
    yield from (Kind.REFUSED, Kind.TWIN, Kind.ZOMBIE)
    if call.name in LAGS:
        yield Kind.LAG
    if call.name in STEP_TRIGGERS:
        yield from (Kind.DOUBLED, Kind.DROPPED, Kind.DELAYED)
    if call.name in {"event_queue.send", "receipt_queue.send"}:
        yield Kind.DOUBLED
    if call.opens:
        yield from (Kind.FAST, Kind.SLOW)
    if act:
        yield Kind.ACT


def applicable_kind(kind: Kind, call: Call, number: int, act: bool) -> Kind:
    """Return the kind if it applies to the call, else another one that does.

    The calls of a fuzzed run differ from those of the run that the plan was made from.
    """
    options = tuple(kinds_of(call, act))
    return kind if kind in options else options[number % len(options)]


def single_faults(calls: Sequence[Call], act: bool, after: int = 0) -> list[Fault]:
    """Return every fault at every call after the first `after` calls."""
    numbered = enumerate(calls[after:], start=after + 1)
    return [Fault(number, kind) for number, call in numbered for kind in kinds_of(call, act)]
