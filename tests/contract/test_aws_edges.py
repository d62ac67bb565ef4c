"""Shared parts of the AWS adapters: translation of errors, unprocessed batch entries, signing secret and clock."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from botocore.exceptions import ClientError, EndpointConnectionError, ParamValidationError, ReadTimeoutError

from chalicelib.aws._dynamodb import (
    ConditionFailed,
    Item,
    TransactionRefused,
    batch_get,
    batch_write,
    decode_cursor,
    encode_cursor,
    translate_errors,
)
from chalicelib.aws.clock import SystemClock
from chalicelib.aws.signing_secret import Secret
from chalicelib.errors import Conflict, RetryLater


def build_error(code: str, status: int = 400, **more: object) -> ClientError:
    answer: Any = {"Error": {"Code": code, "Message": ""}, "ResponseMetadata": {"HTTPStatusCode": status}, **more}
    return ClientError(answer, "Any")


def read_as(error: Exception) -> Exception:
    with pytest.raises(Exception) as caught, translate_errors():
        raise error
    return caught.value


@pytest.mark.parametrize(
    "error",
    [
        build_error("ProvisionedThroughputExceededException"),
        build_error("ThrottlingException"),
        build_error("SlowDown", 503),
        build_error("WhateverIsNew", 500),
        build_error(
            "TransactionCanceledException", CancellationReasons=[{"Code": "None"}, {"Code": "TransactionConflict"}]
        ),
        EndpointConnectionError(endpoint_url="https://example.org"),
        ReadTimeoutError(endpoint_url="https://example.org"),
    ],
)
def test_a_passing_fault_is_to_be_tried_later(error: Exception) -> None:
    assert isinstance(read_as(error), RetryLater)


@pytest.mark.parametrize(
    "error",
    [
        build_error("ValidationException"),
        build_error("AccessDeniedException"),
        build_error("TransactionCanceledException", CancellationReasons=[{"Code": "ValidationError"}]),
        ParamValidationError(report="x"),
        KeyError("x"),
    ],
)
def test_a_fault_of_ours_stays_as_it_is(error: Exception) -> None:
    assert read_as(error) is error


def test_a_failed_condition_tells_what_is_stored() -> None:
    error = read_as(build_error("ConditionalCheckFailedException", Item={"rev": {"N": "3"}}))
    assert isinstance(error, ConditionFailed)
    assert isinstance(error, Conflict)
    assert error.item == {"rev": {"N": "3"}}


def test_a_cancelled_transaction_tells_which_write_failed() -> None:
    reasons = [{"Code": "None"}, {"Code": "ConditionalCheckFailed", "Item": {"uid": {"S": "a"}}}]
    error = read_as(build_error("TransactionCanceledException", CancellationReasons=reasons))
    assert isinstance(error, TransactionRefused)
    assert [(reason.failed, reason.item) for reason in error.reasons] == [(False, None), (True, {"uid": {"S": "a"}})]


class PartialDynamoDB:
    """A DynamoDB client that processes at most 40 entries of a batch. It records the sizes of the requests."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def batch_get_item(self, RequestItems: Any) -> Any:  # noqa: N803 - the name that botocore gives it
        keys = RequestItems["t"]["Keys"]
        self.asked.append(len(keys))
        left = {"t": {"Keys": keys[40:]}} if keys[40:] else {}
        return {"Responses": {"t": keys[:40]}, "UnprocessedKeys": left}

    def batch_write_item(self, RequestItems: Any) -> Any:  # noqa: N803 - the name that botocore gives it
        self.asked.append(len(RequestItems["t"]))
        return {"UnprocessedItems": {"t": RequestItems["t"][20:]} if RequestItems["t"][20:] else {}}


def test_keys_that_were_not_read_are_asked_again() -> None:
    client: Any = PartialDynamoDB()
    keys: Any = [{"pk": {"S": f"k{number}"}} for number in range(130)]
    assert batch_get(client, "t", keys + keys[:5], consistent=True) == keys
    assert client.asked == [100, 60, 20, 30]


def test_writes_that_were_not_done_are_asked_again() -> None:
    client: Any = PartialDynamoDB()
    batch_write(client, "t", [{"DeleteRequest": {"Key": {"pk": {"S": f"k{number}"}}}} for number in range(30)])
    assert client.asked == [25, 5, 5]


def test_a_cursor_holds_its_key_in_what_an_url_may_carry() -> None:
    key: Item = {"pk": {"S": "w1#FLOW#f1"}, "sk": {"S": "???>>>~~~"}}
    cursor = encode_cursor(key)
    assert cursor
    assert cursor.replace("-", "").replace("_", "").isalnum()
    assert decode_cursor(cursor) == key
    assert encode_cursor(None) is None


def test_the_secret_is_read_once() -> None:
    class Secrets:
        def __init__(self) -> None:
            self.asked: list[str] = []

        def get_secret_value(self, *, SecretId: str) -> Any:  # noqa: N803 - the name that botocore gives it
            self.asked.append(SecretId)
            return {"SecretString": "pepper-ü"}

    client = Secrets()
    secret: Callable[[], bytes] = Secret(client, "carillon/signing")
    assert secret() == secret() == "pepper-ü".encode()
    assert client.asked == ["carillon/signing"]


def test_the_engines_clock_runs_faster_from_its_anchor_on() -> None:
    start = datetime(2026, 3, 2, 12, tzinfo=UTC)
    with time_machine.travel(start, tick=False) as time_travel:
        fast = SystemClock(60, start.timestamp(), (start + timedelta(days=1)).timestamp())
        plain = SystemClock()
        time_travel.shift(timedelta(seconds=10))
        assert fast.now() == start + timedelta(days=1, minutes=10)
        assert fast.real() == plain.now() == plain.real() == start + timedelta(seconds=10)


def test_a_span_that_is_over_is_no_wait() -> None:
    SystemClock().sleep(timedelta(seconds=-5))
    SystemClock(speed=100_000).sleep(timedelta(seconds=2))
