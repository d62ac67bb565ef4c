"""Contract of `ports.Timers`."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.aws.timers import DynamoTimers
from chalicelib.model.queue_messages import ScheduledStep, StepMessage
from chalicelib.ports import Timers
from tests.contract.emulators import PLACES, FaultyClient, ProvisionedAws
from tests.memory.clock import START
from tests.memory.timers import MemoryTimers

MINUTE = timedelta(minutes=1)


@pytest.fixture(params=PLACES)
def timers(request: pytest.FixtureRequest) -> Timers:
    if request.param == "memory":
        return MemoryTimers()
    aws = ProvisionedAws(request.param)
    return DynamoTimers(aws.client("dynamodb"), aws.names["TIMERS_TABLE"])


def timer(number: int, after: timedelta, flow: str = "f1") -> ScheduledStep:
    promised = 1_772_442_000_000 + number if number % 2 else None
    return ScheduledStep(
        StepMessage(workspace="w1", flow=flow, execution_id=f"c{number}", seq=number, pacing_slot_ms=promised),
        START + after,
    )


def sweep(timers: Timers, first: int, last: int) -> Counter[ScheduledStep]:
    """Return the messages of all buckets between two minutes."""
    names = timers.buckets(START + first * MINUTE, START + last * MINUTE)
    assert len(set(names)) == len(names)
    return Counter(entry for name in names for entry in timers.read(name))


def test_a_sweep_returns_each_hint_once_in_its_own_minute(timers: Timers) -> None:
    batches: list[Sequence[ScheduledStep]] = [
        [timer(10 * batch + number, MINUTE * (number % 3) + timedelta(milliseconds=59_999)) for number in range(10)]
        for batch in range(9)
    ]
    for batch in batches:
        timers.put(batch)
    for minute in range(3):
        wanted = Counter(entry for batch in batches for entry in batch if (entry.due - START) // MINUTE == minute)
        assert sweep(timers, minute, minute) == wanted
    assert sweep(timers, 0, 2) == Counter(entry for batch in batches for entry in batch)
    assert sweep(timers, 3, 30) == Counter()


def test_more_hints_than_one_item_takes_come_back(timers: Timers) -> None:
    hints = [timer(number, timedelta(0), flow=f"f{number % 3}") for number in range(40)]
    timers.put(hints)
    assert sweep(timers, 0, 0) == Counter(hints)


def test_a_bucket_can_be_swept_again(timers: Timers) -> None:
    timers.put([timer(1, MINUTE)])
    assert sweep(timers, 0, 5) == sweep(timers, 0, 5) == Counter([timer(1, MINUTE)])


def test_a_hint_put_into_a_bucket_in_use_is_found_too(timers: Timers) -> None:
    timers.put([timer(1, MINUTE)])
    timers.put([timer(1, MINUTE), timer(2, MINUTE)])
    assert set(sweep(timers, 0, 5)) == {timer(1, MINUTE), timer(2, MINUTE)}


def test_nothing_put_is_nothing_kept(timers: Timers) -> None:
    timers.put([])
    assert timers.buckets(START, START + MINUTE) == ()
    assert list(timers.read("202603020900#0")) == []


def test_bounds_are_whole_minutes_both_included(timers: Timers) -> None:
    timers.put([timer(1, timedelta(seconds=5))])
    assert timers.buckets(START + timedelta(seconds=50), START + timedelta(seconds=59))
    assert timers.buckets(START - MINUTE, START)
    assert timers.buckets(START + MINUTE, START) == ()


def test_the_sweep_is_remembered_and_never_goes_back(timers: Timers) -> None:
    assert timers.swept_to() is None
    for minute in (3, 5, 5, 4):
        timers.set_swept_to(START + minute * MINUTE)
    assert timers.swept_to() == START + 5 * MINUTE


def crash(call: Any, request: Any) -> Any:
    raise RuntimeError("killed")


def test_a_bucket_is_never_written_before_its_index() -> None:
    aws = ProvisionedAws("ministack")
    client = FaultyClient(aws.client("dynamodb"), None, crash)
    timers = DynamoTimers(client, aws.names["TIMERS_TABLE"])  # type: ignore[arg-type]  # a wrapped client
    with pytest.raises(RuntimeError):
        timers.put([timer(1, MINUTE)])
    (name,) = timers.buckets(START, START + MINUTE)
    assert list(timers.read(name)) == []


def test_a_packed_batch_of_one_flow_is_one_write_unit_and_expires_after_two_days() -> None:
    aws = ProvisionedAws("ministack")
    client = aws.client("dynamodb")
    ulid = "01JD8Z6Q9N4T5R7W2X3Y1A0B{:02}"
    due = START + MINUTE
    hints = [
        ScheduledStep(
            StepMessage(workspace=ulid.format(1), flow=ulid.format(2), execution_id=ulid.format(n), seq=3), due
        )
        for n in range(16)
    ]
    DynamoTimers(client, aws.names["TIMERS_TABLE"]).put(hints)
    items = client.scan(TableName=aws.names["TIMERS_TABLE"])["Items"]
    assert {int(item["expiresAt"]["N"]) for item in items} == {int((due + timedelta(days=2)).timestamp())}
    (bucket,) = [item for item in items if "hints" in item]
    assert sum(len(entry["S"]) + 1 for entry in bucket["hints"]["L"]) + 100 < 1024
