"""Measurement of the AWS usage of a worker, from botocore's events and without additional calls.

DynamoDB returns the consumed capacity on request (`ReturnConsumedCapacity`), except if the condition of a write fails.
That write counts as one unit, or two in a transaction, although a large item costs more.
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
#: Later usage of a queued event: its item in the history, its id marker, and the mark of its publication.
_EVENT = AwsUsage(write_units=3, read_halves=4)
#: Flows with remaining usage that a process stores.
_MAX_FLOWS = 1_000

FlowAddress = tuple[WorkspaceUid, FlowUid]


@dataclass(slots=True)
class _UsageCounter:
    """Usage of one invocation, since its start or since `take`."""

    flow: FlowAddress | None
    usage: AwsUsage = field(default_factory=lambda: AwsUsage(queue_requests=_POLLING, invocations=1))
    #: A wall clock, because tests move it; if it is set back, a batch counts one millisecond.
    since: float = field(default_factory=time.time)

    def take(self) -> AwsUsage:
        """Return the usage up to now, including time, and restart at zero."""
        now = time.time()
        milliseconds = max(1, -int((self.since - now) * 1000 // 1))
        memory = int(os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", _MEMORY))
        usage = self.usage + AwsUsage(megabyte_milliseconds=milliseconds * memory)
        self.usage, self.since = AwsUsage(), now
        return usage


_current: ContextVar[_UsageCounter | None] = ContextVar("counter", default=None)
#: Usage of a flow after its last write; it is recorded with the next write, and lost with the process.
_remainders: OrderedDict[FlowAddress, AwsUsage] = OrderedDict()


@contextmanager
def metered(workspace: str = "", flow: str = "") -> Iterator[None]:
    """Measure one invocation for several flows, or for this one. The flow that writes next records the usage."""
    counter = _UsageCounter((WorkspaceUid(workspace), FlowUid(flow)) if flow else None)
    token = _current.set(counter)
    try:
        yield
    finally:
        _current.reset(token)
        if counter.flow:
            _carry_over(counter.flow, counter.take())


def _carry_over(flow: FlowAddress, usage: AwsUsage) -> None:
    _remainders[flow] = _remainders.pop(flow, AwsUsage()) + usage
    while len(_remainders) > _MAX_FLOWS:
        _remainders.popitem(last=False)


def drain(workspace: WorkspaceUid, flow: FlowUid) -> AwsUsage:
    """Return the usage to record for the flow now; empty outside `metered`."""
    counter = _current.get()
    if counter is None:
        return AwsUsage()
    counter.flow = (workspace, flow)
    return counter.take() + _remainders.pop(counter.flow, AwsUsage())


def expect_event() -> None:
    """Count the usage of storing an event at its cause, because its consumer does not know the flow."""
    counter = _current.get()
    if counter is not None:
        counter.usage += _EVENT


def watch(client: Any) -> None:
    """Count the requests of this client while `metered` is active; a repeated call is harmless.

    The type is Any, because `client` may be of any service.
    """
    service, events = client.meta.service_model.service_name, client.meta.events
    if service == "dynamodb":
        events.register("before-parameter-build.dynamodb", _request_capacity, unique_id="usage-ask")
        events.register("after-call.dynamodb", _count_units, unique_id="usage-units")
    elif service == "sqs":
        events.register("before-call.sqs", _count_request, unique_id="usage-request")


def _request_capacity(params: dict[str, Any], model: Any, **_: Any) -> None:
    if _current.get() is not None and model.name in _READS | _WRITES:
        params["ReturnConsumedCapacity"] = "TOTAL"


def _count_units(parsed: Mapping[str, Any], model: Any, **_: Any) -> None:
    counter = _current.get()
    if counter is None:
        return
    reported = parsed.get("ConsumedCapacity", [])
    units = sum(each.get("CapacityUnits", 0.0) for each in ([reported] if isinstance(reported, Mapping) else reported))
    if model.name in _READS:
        counter.usage += AwsUsage(read_halves=round(units * 2))
    elif model.name in _WRITES:
        counter.usage += AwsUsage(write_units=round(units) or _minimum_units(parsed))


def _minimum_units(parsed: Mapping[str, Any]) -> int:
    """Return the minimum usage of a refused write, or of statements without reported capacity."""
    return 2 * len(parsed.get("CancellationReasons", ())) or len(parsed.get("Responses", ())) or 1


def _count_request(params: Mapping[str, Any], **_: Any) -> None:
    counter = _current.get()
    if counter is not None:
        counter.usage += AwsUsage(queue_requests=max(1, -(-len(params.get("body") or b"") // _CHUNK)))
