"""Measurement of the AWS usage of a worker, from botocore's events and without calls of its own.

DynamoDB returns the consumed capacity on request (`ReturnConsumedCapacity`), except for a write whose condition failed.
Such a write counts as one unit, or two in a transaction, although a large item costs more.
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
#: SQS bills each started 64 KB of a request as one request.
_CHUNK = 65_536
#: Receiving a batch and deleting it, which Lambda does.
_POLLING = 2
#: Memory of a function if the environment does not state it (.chalice/config.json).
_MEMORY = "1024"
#: Later usage of a queued event: its item in the history, its id marker, and the mark that it was published.
_EVENT = AwsUsage(write_units=3, read_halves=4)
#: Flows whose remaining usage a process stores.
_REMEMBERED = 1_000

Place = tuple[WorkspaceUid, FlowUid]


@dataclass(slots=True)
class _Tally:
    """Usage of one invocation, since its start or since `take`."""

    place: Place | None
    usage: AwsUsage = field(default_factory=lambda: AwsUsage(queue_requests=_POLLING, invocations=1))
    #: A wall clock, because tests move it; if it is set back, a batch counts one millisecond.
    since: float = field(default_factory=time.time)

    def take(self) -> AwsUsage:
        """Return the usage up to now, including time, and restart at zero."""
        now = time.time()
        milliseconds = max(1, -int((self.since - now) * 1000 // 1))
        memory = int(os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", _MEMORY))
        taken = self.usage + AwsUsage(megabyte_milliseconds=milliseconds * memory)
        self.usage, self.since = AwsUsage(), now
        return taken


_open: ContextVar[_Tally | None] = ContextVar("tally", default=None)
#: Usage of a flow after its last write; it is recorded with the next write, and lost with the process.
_remainders: OrderedDict[Place, AwsUsage] = OrderedDict()


@contextmanager
def metered(workspace: str = "", flow: str = "") -> Iterator[None]:
    """Measure one invocation for several flows, or for this one. The flow that writes next records the usage."""
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
    """Return the usage to record for the flow now; empty outside `metered`."""
    tally = _open.get()
    if tally is None:
        return AwsUsage()
    tally.place = (workspace, flow)
    return tally.take() + _remainders.pop(tally.place, AwsUsage())


def expect_event() -> None:
    """Count the usage of storing an event where the event is caused, because its consumer does not know the flow."""
    tally = _open.get()
    if tally is not None:
        tally.usage += _EVENT


def watch(client: Any) -> None:
    """Count the requests of this client while `metered` is active; a repeated call is harmless.

    `client` may be of any service, hence Any.
    """
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
    reported = parsed.get("ConsumedCapacity", [])
    units = sum(each.get("CapacityUnits", 0.0) for each in ([reported] if isinstance(reported, Mapping) else reported))
    if model.name in _READS:
        tally.usage += AwsUsage(read_halves=round(units * 2))
    elif model.name in _WRITES:
        tally.usage += AwsUsage(write_units=round(units) or _least(parsed))


def _least(parsed: Mapping[str, Any]) -> int:
    """Return the minimum usage of a refused write, or of statements without reported capacity."""
    return 2 * len(parsed.get("CancellationReasons", ())) or len(parsed.get("Responses", ())) or 1


def _note_request(params: Mapping[str, Any], **_: Any) -> None:
    tally = _open.get()
    if tally is not None:
        tally.usage += AwsUsage(queue_requests=max(1, -(-len(params.get("body") or b"") // _CHUNK)))
