"""The embedded AWS responds as AWS does, also in its shortcuts."""

from copy import deepcopy
from typing import Any

import pytest

from infra.local.aws_shortcuts import copied
from tests.contract.emulators import ProvisionedAws


@pytest.fixture
def aws() -> ProvisionedAws:
    return ProvisionedAws("ministack")


def _receive_all(client: Any, url: str) -> list[Any]:
    pages: list[list[Any]] = []
    while page := client.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=60).get("Messages"):
        pages.append(page)
    return [message for page in pages for message in page]


def test_ten_messages_are_deleted_by_one_call_and_their_neighbours_stay(aws: ProvisionedAws) -> None:
    client, url = aws.client("sqs"), aws.names["STEP_QUEUE_URL"]
    for number in range(12):
        client.send_message(QueueUrl=url, MessageBody=f"message {number}")
    messages = _receive_all(client, url)
    entries = [{"Id": str(n), "ReceiptHandle": each["ReceiptHandle"]} for n, each in enumerate(messages[:10])]
    answer = client.delete_message_batch(QueueUrl=url, Entries=entries)
    assert [each["Id"] for each in answer["Successful"]] == [str(n) for n in range(10)]
    for each in messages[10:]:
        client.change_message_visibility(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"], VisibilityTimeout=0)
    assert {each["Body"] for each in _receive_all(client, url)} == {each["Body"] for each in messages[10:]}


def test_a_handle_that_is_wrong_or_used_up_is_told_by_its_entry(aws: ProvisionedAws) -> None:
    client, url = aws.client("sqs"), aws.names["STEP_QUEUE_URL"]
    client.send_message(QueueUrl=url, MessageBody="one")
    (message,) = _receive_all(client, url)
    handles = {"good": message["ReceiptHandle"], "again": message["ReceiptHandle"], "wrong": "no handle"}
    entries = [{"Id": name, "ReceiptHandle": handle} for name, handle in handles.items()]
    answer = client.delete_message_batch(QueueUrl=url, Entries=entries)
    assert [each["Id"] for each in answer["Successful"]] == ["good"]
    assert {each["Id"]: each["Code"] for each in answer["Failed"]} == dict.fromkeys(
        ("again", "wrong"), "ReceiptHandleIsInvalid"
    )


@pytest.mark.parametrize("value", ["text", None, True, 1.5, [{"S": "a"}, {"M": {"L": []}}], {"of": {1, 2}}])
def test_a_copy_shares_nothing_that_can_change(value: Any) -> None:
    before = deepcopy(value)
    made = copied(value)
    assert made == value
    if isinstance(made, dict):
        made["more"] = "here"
    if isinstance(made, list):
        made[1]["M"]["L"].append("here")
    assert value == before
