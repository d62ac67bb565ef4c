"""SQS queues of outgoing webhooks: due deliveries and results, and calls."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from chalicelib.aws._dynamodb import translate_errors
from chalicelib.model.ids import WorkspaceUid
from chalicelib.model.webhook import CallResult, DeliveryJob, OutgoingCall

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

#: One worker processes the deliveries of a message one by one, in about 20 ms each.
UIDS_A_MESSAGE = 50


class SqsWebhookScheduler:
    """Implements `ports.WebhookScheduler`."""

    def __init__(self, client: "SQSClient", queue_url: str) -> None:
        self._client, self._queue_url = client, queue_url

    def schedule(self, workspace: WorkspaceUid, deliveries: Sequence[str]) -> None:
        for start in range(0, len(deliveries), UIDS_A_MESSAGE):
            due = DeliveryJob(workspace=workspace, uids=tuple(deliveries[start : start + UIDS_A_MESSAGE]))
            self._send(due.model_dump_json())

    def report(self, result: CallResult) -> None:
        self._send(result.model_dump_json())

    def _send(self, body: str) -> None:
        with translate_errors():
            self._client.send_message(QueueUrl=self._queue_url, MessageBody=body)


class SqsWebhookQueue:
    """Implements `ports.WebhookQueue`."""

    def __init__(self, client: "SQSClient", queue_url: str) -> None:
        self._client, self._queue_url = client, queue_url

    def send(self, call: OutgoingCall) -> None:
        with translate_errors():
            self._client.send_message(QueueUrl=self._queue_url, MessageBody=call.model_dump_json())
