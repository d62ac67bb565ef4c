"""AWS usage of a worker: counted by botocore's events, stored with the flow, and not lost by recounts."""

import os
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
import time_machine
from botocore.exceptions import ClientError

from chalicelib.aws import usage_meter as usage
from chalicelib.aws.statistics import DynamoStatistics
from chalicelib.model.aws_usage import AwsUsage
from chalicelib.model.ids import FlowUid, WorkspaceUid
from tests.contract.emulators import ProvisionedAws
from tests.memory.clock import START, VirtualClock

W, F, OTHER = WorkspaceUid("w1"), FlowUid("f1"), FlowUid("f2")
LEASE = timedelta(seconds=60)
KEY = {"pk": {"S": "w1#X"}, "sk": {"S": "META"}}


@pytest.fixture(params=["ministack", "moto"])
def aws(request: pytest.FixtureRequest) -> Iterator[ProvisionedAws]:
    usage._remainders.clear()
    aws = ProvisionedAws(request.param)
    for service in ("dynamodb", "sqs"):
        usage.watch(aws.client(service))
    yield aws
    usage._remainders.clear()


@pytest.fixture
def statistics(aws: ProvisionedAws) -> DynamoStatistics:
    return DynamoStatistics(aws.client("dynamodb"), aws.names["CATALOG_TABLE"], VirtualClock())


def _work(aws: ProvisionedAws, writes: int = 1) -> None:
    for _ in range(writes):
        aws.client("dynamodb").put_item(TableName=aws.names["CATALOG_TABLE"], Item=KEY)


def _used(statistics: DynamoStatistics, flow: FlowUid = F, epoch: int = 0) -> AwsUsage:
    return statistics.overview(W, flow, epoch, START).used


def _writes(found: AwsUsage) -> int:
    return found.write_units


def test_what_a_batch_asked_for_goes_with_the_write_that_it_makes_anyway(
    aws: ProvisionedAws, statistics: DynamoStatistics
) -> None:
    calls: list[str] = []
    client = aws.client("dynamodb")

    def note(model: Any, **_: Any) -> None:
        calls.append(model.name)

    client.meta.events.register("before-call.dynamodb", note)
    with usage.metered():
        _work(aws, 3)
        statistics.record_batch(W, F, 0, "b1", {"sent": 3})
    client.meta.events.unregister("before-call.dynamodb", note)
    assert calls == ["PutItem"] * 3 + ["UpdateItem"]
    found = _used(statistics)
    assert (found.write_units, found.queue_requests, found.invocations) == (3, 2, 1)
    assert found.megabyte_milliseconds > 0
    assert statistics.read(W, F, 0) == {"sent": 3, "movements": 1}


def test_a_batch_that_moved_nothing_still_says_what_it_asked_for(
    aws: ProvisionedAws, statistics: DynamoStatistics
) -> None:
    statistics.register_batch(W, F, 0, "b1", 10, START + LEASE)
    with usage.metered():
        _work(aws, 2)
        statistics.record_batch(W, F, 0, "b1", {})
    assert (_writes(_used(statistics)), statistics.read(W, F, 0)) == (2, {})
    assert statistics.in_flight(W, F, START) == 0


def test_what_comes_after_the_write_goes_with_the_next_one_of_the_same_flow(
    aws: ProvisionedAws, statistics: DynamoStatistics
) -> None:
    with usage.metered():
        statistics.record_batch(W, F, 0, "b1", {"sent": 1})
        _work(aws, 4)
    with usage.metered():
        statistics.record_batch(W, OTHER, 0, "b2", {"sent": 1})
    with usage.metered():
        statistics.record_batch(W, F, 0, "b3", {"sent": 1})
    # Each write is one request too.
    assert _writes(_used(statistics)) == 5
    assert _writes(_used(statistics, OTHER)) == 0


def test_two_flows_of_one_batch_share_what_it_asked_for(aws: ProvisionedAws, statistics: DynamoStatistics) -> None:
    with usage.metered():
        _work(aws, 2)
        statistics.record_batch(W, F, 0, "b1", {"sent": 1})
        _work(aws, 1)
        statistics.record_batch(W, OTHER, 0, "b1", {"sent": 1})
    first, second = _used(statistics), _used(statistics, OTHER)
    assert (_writes(first), _writes(second)) == (2, 2)
    assert (first.invocations, second.invocations) == (1, 0)


def test_recounts_lose_nothing_whatever_comes_late_or_twice(aws: ProvisionedAws, statistics: DynamoStatistics) -> None:
    asked = 0
    for epoch in range(6):
        for late in (epoch - 1, epoch) if epoch else (epoch,):
            with usage.metered():
                _work(aws, 7)
                statistics.record_batch(W, F, late, f"b{epoch}{late}", {"sent": 1})
            usage._remainders.clear()
            asked += 7
        assert _writes(_used(statistics, F, epoch)) == asked
        for rev in (2 * epoch, 2 * epoch + 1):
            assert statistics.replace(W, F, epoch + 1, {"sent": 5}, rev)
        assert _writes(_used(statistics, F, epoch)) == asked
        assert _writes(_used(statistics, F, epoch + 1)) == asked


def test_a_recount_counts_itself(aws: ProvisionedAws, statistics: DynamoStatistics) -> None:
    with usage.metered(W, F):
        _work(aws, 2)
        statistics.replace(W, F, 1, {"sent": 1}, 0)
    assert _writes(_used(statistics, F, 1)) == 2


def test_a_job_that_writes_no_statistics_leaves_it_to_the_next_of_its_flow(
    aws: ProvisionedAws, statistics: DynamoStatistics
) -> None:
    with usage.metered(W, F):
        _work(aws, 3)
    with usage.metered(W, F):
        statistics.record_batch(W, F, 0, "b1", {"sent": 1})
    found = _used(statistics)
    assert (found.write_units, found.invocations) == (3, 2)


def test_outside_of_a_worker_nothing_is_counted(aws: ProvisionedAws, statistics: DynamoStatistics) -> None:
    _work(aws, 3)
    statistics.record_batch(W, F, 0, "b1", {"sent": 1})
    assert _used(statistics) == AwsUsage()


def test_a_write_whose_condition_fails_is_paid_for(aws: ProvisionedAws, statistics: DynamoStatistics) -> None:
    _work(aws)
    with usage.metered():
        with pytest.raises(ClientError, match="ConditionalCheckFailed"):
            aws.client("dynamodb").put_item(
                TableName=aws.names["CATALOG_TABLE"], Item=KEY, ConditionExpression="attribute_not_exists(pk)"
            )
        statistics.record_batch(W, F, 0, "b1", {"sent": 1})
    assert _writes(_used(statistics)) == 1


def test_each_started_64_kb_of_a_request_to_sqs_counts(aws: ProvisionedAws, statistics: DynamoStatistics) -> None:
    sqs = aws.client("sqs")
    url = sqs.create_queue(QueueName="usage")["QueueUrl"]
    with usage.metered():
        for body in ("x", "x" * 100_000):
            sqs.send_message(QueueUrl=url, MessageBody=body)
        statistics.record_batch(W, F, 0, "b1", {"sent": 1})
    assert _used(statistics).queue_requests == 2 + 1 + 2


def test_time_is_billed_by_the_memory_that_the_function_has(aws: ProvisionedAws, statistics: DynamoStatistics) -> None:
    memory = mock.patch.dict(os.environ, {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512"})
    with time_machine.travel(START, tick=False) as time_travel, memory, usage.metered():
        time_travel.shift(timedelta(milliseconds=250))
        statistics.record_batch(W, F, 0, "b1", {"sent": 1})
    assert _used(statistics).gigabyte_seconds == 0.125
