"""The same runs over the real adapters, with ministack or moto in this process; every call of botocore is numbered."""

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
from tests.faults.injector import Board, SkewedClock
from tests.faults.simulated_queues import BATCH, VISIBILITY, Mail
from tests.memory.clock import START

#: Our names of the queues → their logical ids.
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
#: What the harness itself asks, as Lambda's event source mappings do.
_MAPPING = frozenset({"ReceiveMessage", "DeleteMessage"})


class TravellingClock(SkewedClock):
    """Moves the process's time along, by which the emulators keep delays and timeouts."""

    def __init__(self, traveller: time_machine.Traveller) -> None:
        super().__init__(START)
        self._traveller = traveller

    def advance(self, span: timedelta) -> None:
        super().advance(span)
        self._traveller.shift(span)


@dataclass
class SqsPost:
    """The emulator's queues; when messages show up is overheard from what is sent."""

    aws: EmbeddedAws | MotoAws
    clock: SkewedClock
    urls: dict[str, str]
    #: Queue → moments at which something may show up.
    moments: dict[str, list[datetime]] = field(default_factory=lambda: {name: [] for name in QUEUES})

    def receive(self, queue: str, now: datetime) -> list[Mail]:
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
            Mail(
                each["MessageId"], each["Body"], now, int(each["Attributes"]["ApproximateReceiveCount"]),
                each["ReceiptHandle"],
            )
            for each in found
        ]  # fmt: skip

    def delete(self, queue: str, mail: Mail) -> None:
        with suppress(ClientError):  # A twin was faster.
            self.aws.client("sqs").delete_message(QueueUrl=self.urls[queue], ReceiptHandle=mail.handle)

    def next_moment(self) -> datetime | None:
        return min((moment for of in self.moments.values() for moment in of), default=None)

    def overhear(self, params: dict[str, Any]) -> None:
        """A message is sent, or several are."""
        queue = next(name for name, url in self.urls.items() if url == params["QueueUrl"])
        for entry in params.get("Entries", [params]):
            self.moments[queue].append(self.clock.true_now() + timedelta(seconds=entry.get("DelaySeconds", 0)))


@dataclass
class AwsBackend:
    """`board` is set once the world has one; until then nothing is counted."""

    clock: SkewedClock
    ports: Ports
    post: SqsPost
    wired: tuple[str, ...] = ()
    executions_table: str = ""

    def move(self, span: timedelta) -> None:
        self.clock.advance(span)

    def claims(self, now: datetime) -> int:
        """Counted outside of the switchboard, by a scan."""
        items = self.post.aws.client("dynamodb").scan(TableName=self.executions_table, ConsistentRead=True)["Items"]
        return sum("by" in item.get("claim", {}).get("M", {}) for item in items)

    @contextmanager
    def listening(self, board: Board) -> Iterator[None]:
        """Every call of botocore goes over the switchboard: before it, and once it was answered."""
        hooks = [_Hook(board, self.post, service) for service in SERVICES]
        for hook in hooks:
            hook.hang()
        try:
            yield
        finally:
            for hook in hooks:
                hook.unhang()


class _Hook:
    """On one service's client."""

    def __init__(self, board: Board, post: SqsPost, service: str) -> None:
        self._board, self._post, self._service = board, post, service
        self._events = post.aws.client(service).meta.events
        #: What is to be done once the call under way is answered.
        self._after: list[BaseException | None] = []

    def hang(self) -> None:
        self._events.register_first(f"provide-client-params.{self._service}", self._overhear, unique_id="faults-0")
        self._events.register_first(f"before-call.{self._service}", self._before, unique_id="faults-1")
        self._events.register_last(f"after-call.{self._service}", self._behind, unique_id="faults-2")

    def unhang(self) -> None:
        self._events.unregister(f"provide-client-params.{self._service}", unique_id="faults-0")
        self._events.unregister(f"before-call.{self._service}", unique_id="faults-1")
        self._events.unregister(f"after-call.{self._service}", unique_id="faults-2")

    def _overhear(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        if model.name in {"SendMessage", "SendMessageBatch"}:
            self._post.overhear(params)

    def _before(self, model: Any, **_: Any) -> Any:
        """The call's own effect comes after this; a crash or a lost answer is kept for when it is over."""
        self._after.append(None)
        if model.name in _MAPPING or not self._board.on or not self._board.frames:
            return None
        try:
            self._board.call(f"aws.{self._service}.{model.name}", _nothing, (), {})
        except RetryLater as refused:
            if "refused" in str(refused):
                return _throttled()
            self._after[-1] = ConnectionClosedError(endpoint_url="https://aws.example")
        except BaseException as died:  # noqa: BLE001 - the process dies once the call has taken effect
            self._after[-1] = died
        return None

    def _behind(self, **_: Any) -> None:
        error = self._after.pop()
        if error is not None:
            # Only now has the call taken effect, which may be a claim.
            self._board.moments[-1] = max(self._board.moments[-1], self._board.claims())
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
    """A fresh AWS on a clock that stands still."""
    with time_machine.travel(START, tick=False) as traveller:
        aws.reset()
        environment = aws.provision()
        clock = TravellingClock(traveller)
        settings = read_settings({"SIGNING_SECRET_ID": "unused", **environment, "STAGE": "test"})
        ports = replace(build_ports(settings, aws.client), clock=clock)
        if isinstance(aws, MotoAws):
            # moto's PartiQL overlooks conditions: rows and contacts are written one by one there.
            client, rows, contacts = (
                aws.client("dynamodb"),
                environment["EXECUTIONS_TABLE"],
                environment["CONTACTS_TABLE"],
            )
            executions = DynamoExecutions(client, rows, batched=False)
            ports = replace(ports, executions=executions, contacts=DynamoContacts(client, contacts, batched=False))
        found = queue_urls(aws.client)
        post = SqsPost(aws, clock, {name: found[logical] for name, logical in QUEUES.items()})
        yield AwsBackend(clock, ports, post, executions_table=environment["EXECUTIONS_TABLE"])
