"""Runs over the real adapters, with ministack or moto in this process. Every call of botocore is numbered."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import time_machine
from botocore.exceptions import ClientError, ConnectionClosedError

from chalicelib.aws.contacts import DynamoContacts
from chalicelib.aws.executions import DynamoExecutions
from chalicelib.errors import RetryLater
from chalicelib.ports import Ports
from chalicelib.settings import read_settings
from chalicelib.wiring import build_ports
from infra.local.resources import queue_urls
from tests.embedded_aws import EmbeddedAws, MotoAws
from tests.faults.injector import FaultInjector, SkewedClock
from tests.faults.simulated_queues import BATCH, VISIBILITY, QueuedMessage
from tests.memory.clock import START

#: Queue name in the harness → logical id in `infra/resources.yaml`.
QUEUES = {
    "events": "EventQueue",
    "jobs": "JobQueue",
    "steps": "StepQueue",
    "receipts": "ReceiptQueue",
    "dead_events": "EventDeadLetters",
    "dead_receipts": "ReceiptDeadLetters",
    "dead_jobs": "JobDeadLetters",
    "dead_steps": "StepDeadLetters",
}
SERVICES = ("dynamodb", "sqs")
#: Calls that the harness makes in place of Lambda's event source mappings.
_MAPPING = frozenset({"ReceiveMessage", "DeleteMessage"})


class EmulatorClock(SkewedClock):
    """A clock that also moves the time of the process, because the emulators time delays and timeouts by it."""

    def __init__(self, time_travel: time_machine.Traveller) -> None:
        super().__init__(START)
        self._time_travel = time_travel

    def advance(self, span: timedelta) -> None:
        super().advance(span)
        self._time_travel.shift(span)


@dataclass
class SqsQueues:
    """The emulator's queues. The times at which messages become visible are derived from the observed sends."""

    aws: EmbeddedAws | MotoAws
    clock: SkewedClock
    urls: dict[str, str]
    #: Queue → times at which a message may become visible.
    moments: dict[str, list[datetime]] = field(default_factory=lambda: {name: [] for name in QUEUES})

    def receive(self, queue: str, now: datetime) -> list[QueuedMessage]:
        due = [moment for moment in self.moments[queue] if moment <= now]
        if not due:
            return []
        answer = self.aws.client("sqs").receive_message(
            QueueUrl=self.urls[queue], MaxNumberOfMessages=BATCH[queue], MessageSystemAttributeNames=["All"]
        )
        found = answer.get("Messages", [])
        if not found:
            self.moments[queue] = [moment for moment in self.moments[queue] if moment > now]
            return []
        self.moments[queue] += [now + VISIBILITY[queue] + timedelta(seconds=1)]
        if not queue.startswith("dead_"):
            self.moments[f"dead_{queue}"] += [now + VISIBILITY[queue] + timedelta(seconds=1)]
        return [
            QueuedMessage(
                each["MessageId"], each["Body"], now, int(each["Attributes"]["ApproximateReceiveCount"]),
                each["ReceiptHandle"],
            )
            for each in found
        ]  # fmt: skip

    def delete(self, queue: str, message: QueuedMessage) -> None:
        with suppress(ClientError):  # Another delivery of the same message has deleted it.
            self.aws.client("sqs").delete_message(QueueUrl=self.urls[queue], ReceiptHandle=message.handle)

    def next_moment(self) -> datetime | None:
        return min((moment for of in self.moments.values() for moment in of), default=None)

    def record_send(self, params: dict[str, Any]) -> None:
        """Record when the messages of a send request become visible."""
        queue = next(name for name, url in self.urls.items() if url == params["QueueUrl"])
        for entry in params.get("Entries", [params]):
            self.moments[queue].append(self.clock.true_now() + timedelta(seconds=entry.get("DelaySeconds", 0)))


@dataclass
class AwsBackend:
    """The emulated AWS with a clock, ports and queues."""

    clock: SkewedClock
    ports: Ports
    queues: SqsQueues
    intercepted: tuple[str, ...] = ()
    executions_table: str = ""

    def move(self, span: timedelta) -> None:
        self.clock.advance(span)

    def claims(self, now: datetime) -> int:
        """Count the claimed executions with a scan that the injector does not see."""
        items = self.queues.aws.client("dynamodb").scan(TableName=self.executions_table, ConsistentRead=True)["Items"]
        return sum("by" in item.get("claim", {}).get("M", {}) for item in items)

    @contextmanager
    def listening(self, injector: FaultInjector) -> Iterator[None]:
        """Route every call of botocore through the injector, before the call and after its response."""
        hooks = [_Hook(injector, self.queues, service) for service in SERVICES]
        for hook in hooks:
            hook.register()
        try:
            yield
        finally:
            for hook in hooks:
                hook.unregister()


class _Hook:
    """The botocore event handlers of one service's client."""

    def __init__(self, injector: FaultInjector, queues: SqsQueues, service: str) -> None:
        self._injector, self._queues, self._service = injector, queues, service
        self._events = queues.aws.client(service).meta.events
        #: Errors to raise after the responses of the calls in progress.
        self._after: list[BaseException | None] = []

    def register(self) -> None:
        self._events.register_first(f"provide-client-params.{self._service}", self._record_send, unique_id="faults-0")
        self._events.register_first(f"before-call.{self._service}", self._before_call, unique_id="faults-1")
        self._events.register_last(f"after-call.{self._service}", self._after_call, unique_id="faults-2")

    def unregister(self) -> None:
        self._events.unregister(f"provide-client-params.{self._service}", unique_id="faults-0")
        self._events.unregister(f"before-call.{self._service}", unique_id="faults-1")
        self._events.unregister(f"after-call.{self._service}", unique_id="faults-2")

    def _record_send(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        if model.name in {"SendMessage", "SendMessageBatch"}:
            self._queues.record_send(params)

    def _before_call(self, model: Any, **_: Any) -> Any:
        """Inject the planned fault. A crash or a lost response is raised after the call has taken effect."""
        self._after.append(None)
        if model.name in _MAPPING or not self._injector.on or not self._injector.invocations:
            return None
        try:
            self._injector.call(f"aws.{self._service}.{model.name}", _nothing, (), {})
        except RetryLater as error:
            if "refused" in str(error):
                return _throttled()
            self._after[-1] = ConnectionClosedError(endpoint_url="https://aws.example")
        except BaseException as error:  # noqa: BLE001 - the process dies after the call has taken effect
            self._after[-1] = error
        return None

    def _after_call(self, **_: Any) -> None:
        error = self._after.pop()
        if error is not None:
            # The call has taken effect only now, and its effect may be a claim.
            self._injector.claims_at_faults[-1] = max(self._injector.claims_at_faults[-1], self._injector.claims())
            raise error


def _nothing() -> None:
    return None


class _Refusal:
    status_code = 400


def _throttled() -> Any:
    error = {"Code": "ThrottlingException", "Message": "refused by the harness"}
    return _Refusal(), {"Error": error, "ResponseMetadata": {"HTTPStatusCode": 400}}


@contextmanager
def aws_backend(aws: EmbeddedAws | MotoAws) -> Iterator[AwsBackend]:
    """Yield an empty AWS on a clock that only the harness moves."""
    with time_machine.travel(START, tick=False) as time_travel:
        aws.reset()
        environment = aws.provision()
        clock = EmulatorClock(time_travel)
        settings = read_settings({"SIGNING_SECRET_ID": "unused", **environment, "STAGE": "test"})
        ports = replace(build_ports(settings, aws.client), clock=clock)
        if isinstance(aws, MotoAws):
            # PartiQL in moto ignores conditions, so executions and contacts are written one by one.
            client = aws.client("dynamodb")
            executions = DynamoExecutions(client, environment["EXECUTIONS_TABLE"], batched=False)
            contacts = DynamoContacts(client, environment["CONTACTS_TABLE"], batched=False)
            ports = replace(ports, executions=executions, contacts=contacts)
        found = queue_urls(aws.client)
        queues = SqsQueues(aws, clock, {name: found[logical] for name, logical in QUEUES.items()})
        yield AwsBackend(clock, ports, queues, executions_table=environment["EXECUTIONS_TABLE"])
