"""Counts what a worker asks of AWS while it works: botocore's events say it, and no call is made for it.

DynamoDB says itself what a request consumed, when it is asked to (`ReturnConsumedCapacity`). It does not say so of a
write whose condition failed: that one counts as one unit, or two in a transaction, though a large item costs more.
"""

import os
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from chalicelib.model.aws_usage import AwsUsage
from chalicelib.model.ids import FlowUid, WorkspaceUid

_READS = frozenset({"GetItem", "BatchGetItem", "Query", "Scan"})
_WRITES = frozenset(
    {"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems", "BatchExecuteStatement"}
)
#: SQS bills each started 64 KB of a request as one.
_CHUNK = 65_536
#: To fetch a batch and to delete it, which Lambda does for us.
_POLLING = 2
#: What a function has where the environment does not say it (.chalice/config.json).
_MEMORY = "1024"
#: What an event that is queued asks for later: its item in the history, its id, and that it was told.
_EVENT = AwsUsage(write_units=3, read_halves=4)
#: Flows whose remainders a process keeps.
_REMEMBERED = 1_000

Place = tuple[WorkspaceUid, FlowUid]


@dataclass(slots=True)
class _Tally:
    """Of one invocation, since it began or since its last part was taken."""

    place: Place | None
    usage: AwsUsage = field(default_factory=lambda: AwsUsage(queue_requests=_POLLING, invocations=1))
    #: A wall clock, as tests move it; where it is set back, a batch has taken a millisecond.
    since: float = field(default_factory=time.time)

    def take(self) -> AwsUsage:
        """All up to now, the time too; counting goes on from nothing."""
        now = time.time()
        milliseconds = max(1, -int((self.since - now) * 1000 // 1))
        memory = int(os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", _MEMORY))
        taken = self.usage + AwsUsage(megabyte_milliseconds=milliseconds * memory)
        self.usage, self.since = AwsUsage(), now
        return taken


_open: ContextVar[_Tally | None] = ContextVar("tally", default=None)
#: By flow, what was asked for after its last write: it goes with the next. Lost with the process.
_remainders: OrderedDict[Place, AwsUsage] = OrderedDict()


@contextmanager
def metered(workspace: str = "", flow: str = "") -> Iterator[None]:
    """One invocation for flows, or for this one. What is asked for meanwhile is taken by the flow that writes next."""
    tally = _Tally((WorkspaceUid(workspace), FlowUid(flow)) if flow else None)
    token = _open.set(tally)
    try:
        yield
    finally:
        _open.reset(token)
        if tally.place:
            _keep(tally.place, tally.take())


def _keep(place: Place, usage: AwsUsage) -> None:
    _remainders[place] = _remainders.pop(place, AwsUsage()) + usage
    while len(_remainders) > _REMEMBERED:
        _remainders.popitem(last=False)


def drain(workspace: WorkspaceUid, flow: FlowUid) -> AwsUsage:
    """What to write down for the flow now; nothing outside of `metered`."""
    tally = _open.get()
    if tally is None:
        return AwsUsage()
    tally.place = (workspace, flow)
    return tally.take() + _remainders.pop(tally.place, AwsUsage())


def expect_event() -> None:
    """Counts what storing an event takes where it is caused: whoever stores it does not know for which flow."""
    tally = _open.get()
    if tally is not None:
        tally.usage += _EVENT


def watch(client: Any) -> None:
    """Counts what this client asks for, wherever that is `metered`; harmless twice. Any: any service's client."""
    service, events = client.meta.service_model.service_name, client.meta.events
    if service == "dynamodb":
        events.register("before-parameter-build.dynamodb", _ask, unique_id="usage-ask")
        events.register("after-call.dynamodb", _note_units, unique_id="usage-units")
    elif service == "sqs":
        events.register("before-call.sqs", _note_request, unique_id="usage-request")


def _ask(params: dict[str, Any], model: Any, **_: Any) -> None:
    if _open.get() is not None and model.name in _READS | _WRITES:
        params["ReturnConsumedCapacity"] = "TOTAL"


def _note_units(parsed: Mapping[str, Any], model: Any, **_: Any) -> None:
    tally = _open.get()
    if tally is None:
        return
    told = parsed.get("ConsumedCapacity", [])
    units = sum(each.get("CapacityUnits", 0.0) for each in ([told] if isinstance(told, Mapping) else told))
    if model.name in _READS:
        tally.usage += AwsUsage(read_halves=round(units * 2))
    elif model.name in _WRITES:
        tally.usage += AwsUsage(write_units=round(units) or _least(parsed))


def _least(parsed: Mapping[str, Any]) -> int:
    """Of a write that was refused, or of statements of which nothing is told."""
    return 2 * len(parsed.get("CancellationReasons", ())) or len(parsed.get("Responses", ())) or 1


def _note_request(params: Mapping[str, Any], **_: Any) -> None:
    tally = _open.get()
    if tally is not None:
        tally.usage += AwsUsage(queue_requests=max(1, -(-len(params.get("body") or b"") // _CHUNK)))
