"""Contract of `ports.Statistics`, `RecountParts` and `FlowErrors`."""

from datetime import timedelta
from typing import Protocol

import pytest

from chalicelib.aws.statistics import DynamoStatistics
from chalicelib.model.ids import FlowUid, WorkspaceUid
from chalicelib.ports import FlowErrors, Overview, RecountParts, Statistics
from tests.contract.emulators import PLACES, ProvisionedAws
from tests.memory.clock import START, VirtualClock
from tests.memory.statistics import MemoryStatistics


class StatisticsStore(Statistics, RecountParts, FlowErrors, Protocol):
    """The ports that one adapter implements."""


W, F = WorkspaceUid("w1"), FlowUid("f1")
LEASE = timedelta(seconds=60)


@pytest.fixture(params=PLACES)
def statistics(request: pytest.FixtureRequest) -> StatisticsStore:
    if request.param == "memory":
        return MemoryStatistics()
    aws = ProvisionedAws(request.param)
    return DynamoStatistics(aws.client("dynamodb"), aws.names["CATALOG_TABLE"], VirtualClock())


def test_counters_of_all_batches_add_up_with_the_number_of_movements(statistics: StatisticsStore) -> None:
    for number in range(40):
        statistics.record_batch(W, F, 0, f"batch-{number}", {"sent": 9, "failed": 1, "pending": -10})
    assert statistics.read(W, F, 0) == {"sent": 360, "failed": 40, "pending": -400, "movements": 40}


def test_names_of_counters_may_hold_any_text(statistics: StatisticsStore) -> None:
    statistics.record_batch(W, F, 0, "b1", {"skipped:no consent (email)": 2, "node.send-1#sent": 1})
    assert statistics.read(W, F, 0) == {"skipped:no consent (email)": 2, "node.send-1#sent": 1, "movements": 1}


def test_a_batch_that_moved_nothing_leaves_no_trace(statistics: StatisticsStore) -> None:
    statistics.record_batch(W, F, 0, "b1", {})
    statistics.record_batch(W, F, 0, "b2", {"sent": 0})
    assert statistics.read(W, F, 0) == {}


def test_a_flow_without_statistics_has_none(statistics: StatisticsStore) -> None:
    assert statistics.read(W, F, 7) == {}
    assert statistics.in_flight(W, F, START) == 0
    assert statistics.list_parts(W, F, "p1") == ()
    assert statistics.list_errors(W, F) == ()


def test_sends_are_in_flight_until_their_batch_leaves(statistics: StatisticsStore) -> None:
    statistics.register_batch(W, F, 0, "b1", 10, START + LEASE)
    statistics.register_batch(W, F, 1, "b2", 4, START + LEASE)
    assert statistics.in_flight(W, F, START) == 14
    statistics.record_batch(W, F, 0, "b1", {"sent": 10})
    assert statistics.in_flight(W, F, START) == 4
    statistics.record_batch(W, F, 1, "b2", {})
    assert statistics.in_flight(W, F, START) == 0
    assert statistics.read(W, F, 1) == {}


def test_an_overview_says_what_is_read_one_by_one(statistics: StatisticsStore) -> None:
    assert statistics.overview(W, F, 1, START) == Overview()
    statistics.record_batch(W, F, 0, "b1", {"sent": 7})
    statistics.replace(W, F, 1, {"sent": 100}, rev=3)
    statistics.record_batch(W, F, 1, "b2", {"sent": 2, "failed": 1})
    statistics.register_batch(W, F, 0, "slow", 3, START + LEASE)
    statistics.register_batch(W, F, 1, "late", 4, START + LEASE)
    assert statistics.overview(W, F, 1, START) == Overview({"sent": 102, "failed": 1, "movements": 1}, in_flight=7)
    for epoch, moment in ((0, START), (1, START), (1, START + LEASE)):
        found = statistics.overview(W, F, epoch, moment)
        assert found.counters == statistics.read(W, F, epoch)
        assert found.in_flight == statistics.in_flight(W, F, moment)


def test_a_batch_that_entered_again_counts_once(statistics: StatisticsStore) -> None:
    statistics.register_batch(W, F, 0, "b1", 10, START + LEASE)
    statistics.register_batch(W, F, 0, "b1", 3, START + LEASE)
    assert statistics.in_flight(W, F, START) == 3


def test_what_a_crash_left_in_the_register_expires(statistics: StatisticsStore) -> None:
    statistics.register_batch(W, F, 0, "b1", 10, START + LEASE)
    assert statistics.in_flight(W, F, START + LEASE - timedelta(milliseconds=1)) == 10
    assert statistics.in_flight(W, F, START + LEASE) == 0


def test_flows_and_epochs_are_counted_apart(statistics: StatisticsStore) -> None:
    statistics.record_batch(W, F, 1, "b1", {"sent": 1})
    statistics.record_batch(W, F, 10, "b1", {"sent": 2})
    statistics.record_batch(W, FlowUid("f2"), 1, "b1", {"sent": 4})
    statistics.record_batch(WorkspaceUid("w2"), F, 1, "b1", {"sent": 8})
    assert [statistics.read(W, F, epoch).get("sent") for epoch in (0, 1, 10)] == [None, 1, 2]


def test_a_counted_start_is_added_to_what_moves_in_its_epoch(statistics: StatisticsStore) -> None:
    statistics.record_batch(W, F, 2, "early", {"sent": 1})
    statistics.register_batch(W, F, 2, "late", 5, START + LEASE)
    for _ in range(2):
        assert statistics.replace(W, F, 2, {"sent": 100, "failed": 0}, rev=7)
    statistics.record_batch(W, F, 2, "last", {"sent": 1, "failed": 1})
    assert statistics.read(W, F, 2) == {"sent": 102, "failed": 1, "movements": 2}
    assert statistics.in_flight(W, F, START) == 5


def test_epochs_older_than_the_last_are_dropped(statistics: StatisticsStore) -> None:
    for epoch in range(4):
        for number in range(12):
            statistics.record_batch(W, F, epoch, f"b{number}", {"sent": 1})
    assert statistics.replace(W, F, 3, {"sent": 0}, rev=8)
    assert [statistics.read(W, F, epoch).get("sent") for epoch in range(4)] == [None, None, 12, 12]


def test_a_start_is_not_overwritten_by_who_knew_an_older_flow(statistics: StatisticsStore) -> None:
    assert statistics.replace(W, F, 1, {"completed": 3}, rev=9)
    assert not statistics.replace(W, F, 1, {"completed": 0}, rev=8)
    assert statistics.read(W, F, 1)["completed"] == 3


def test_an_old_epoch_is_kept_as_long_as_a_send_is_in_flight_in_it(statistics: StatisticsStore) -> None:
    statistics.register_batch(W, F, 0, "slow", 3, START + LEASE)
    assert statistics.replace(W, F, 5, {"sent": 1}, rev=2)
    assert statistics.in_flight(W, F, START) == 3


def test_a_recount_keeps_its_parts_apart_from_another_and_a_shard_counted_again_counts_once(
    statistics: StatisticsStore,
) -> None:
    for shard in (0, 1, 0):
        statistics.put_part(W, F, "p1", shard, {"sent": shard + 5, "failed": 0})
    statistics.put_part(W, F, "p2", 0, {"sent": 9})
    assert statistics.list_parts(W, F, "p1") == ({"sent": 5}, {"sent": 6})
    assert statistics.list_parts(W, F, "p2") == ({"sent": 9},)
    assert statistics.read(W, F, 0) == {}


def test_the_first_fifty_errors_are_kept(statistics: StatisticsStore) -> None:
    errors = [{"contact": f"c{number}", "code": "bounced", "count": number, "node": None} for number in range(80)]
    statistics.add_errors(W, F, [])
    for start in range(0, 80, 8):
        statistics.add_errors(W, F, errors[start : start + 8])
    assert list(statistics.list_errors(W, F)) == errors[:50]


def test_more_errors_than_fit_at_once_are_cut(statistics: StatisticsStore) -> None:
    statistics.add_errors(W, F, [{"number": number} for number in range(120)])
    assert len(statistics.list_errors(W, F)) == 50


def test_the_parts_of_a_recount_that_was_given_up_expire_after_a_day() -> None:
    aws, clock = ProvisionedAws("ministack"), VirtualClock()
    client, table = aws.client("dynamodb"), aws.names["CATALOG_TABLE"]
    DynamoStatistics(client, table, clock).put_part(W, F, "p1", 0, {"sent": 1})
    (item,) = client.scan(TableName=table)["Items"]
    assert int(item["expiresAt"]["N"]) == int((clock.real() + timedelta(days=1)).timestamp())
