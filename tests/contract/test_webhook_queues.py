"""Contract of the webhook queues: the workers read what was sent, in memory and on both emulators of SQS."""

import json
from typing import Any

import pytest

from chalicelib.aws.webhook_queues import UIDS_A_MESSAGE, SqsWebhookQueue, SqsWebhookScheduler
from chalicelib.model.ids import WorkspaceUid
from chalicelib.model.webhook import CallResult, DeliveryJob, OutgoingCall
from tests.embedded_aws import EmbeddedAws, MotoAws

CALL = OutgoingCall(
    workspace="w", delivery="d", attempt=1, url="https://example.com", secrets=("whsec_AA==",), body='{"é": 1}'
)


@pytest.fixture(params=[EmbeddedAws, MotoAws])
def aws(request: pytest.FixtureRequest) -> Any:
    made = request.param()
    made.reset()
    return made


def bodies(aws: Any, url: str) -> list[str]:
    return [
        message["Body"]
        for message in aws.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    ]


def test_a_call_arrives_whole(aws: Any) -> None:
    url = aws.provision()["WEBHOOK_QUEUE_URL"]
    SqsWebhookQueue(aws.client("sqs"), url).send(CALL)
    (body,) = bodies(aws, url)
    assert OutgoingCall.model_validate_json(body) == CALL


def test_many_deliveries_go_in_few_messages(aws: Any) -> None:
    url = aws.provision()["WEBHOOK_DESK_URL"]
    desk = SqsWebhookScheduler(aws.client("sqs"), url)
    uids = [f"d{number}" for number in range(UIDS_A_MESSAGE + 1)]
    desk.schedule(WorkspaceUid("w"), uids)
    desk.schedule(WorkspaceUid("w"), [])
    found = [DeliveryJob.model_validate_json(body) for body in bodies(aws, url)]
    assert sorted(uid for each in found for uid in each.uids) == sorted(uids)
    assert len(found) == 2


def test_a_result_is_told_from_a_question(aws: Any) -> None:
    url = aws.provision()["WEBHOOK_DESK_URL"]
    at = "2026-03-02T09:00:00.000Z"
    result = CallResult.model_validate_json(
        json.dumps({"w": "w", "delivery": "d", "attempt": 1, "at": at, "status": 204, "milliseconds": 12})
    )
    SqsWebhookScheduler(aws.client("sqs"), url).report(result)
    (body,) = bodies(aws, url)
    assert CallResult.model_validate_json(body) == result
