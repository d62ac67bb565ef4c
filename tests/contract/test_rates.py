"""Contract of `ports.Rates`."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.aws.catalog import DynamoCatalog
from chalicelib.aws.circuits import DynamoCircuits
from chalicelib.aws.rates import DynamoRates
from chalicelib.model.ids import WorkspaceUid
from chalicelib.ports import Catalog, Circuits, Rates, RateState
from tests.builders import NOW, build_channel
from tests.contract.emulators import PLACES, ProvisionedAws
from tests.memory.catalog import MemoryCatalog
from tests.memory.circuits import MemoryCircuits
from tests.memory.rates import MemoryRates

W, DAY = WorkspaceUid("w1"), "2026-03-02"
STEP = timedelta(microseconds=71_429)


@dataclass
class Stores:
    catalog: Catalog
    circuits: Circuits
    rates: Rates
    client: Any = None

    def rate_state(self) -> RateState:
        status = self.circuits.find_channel(W, "mail")
        assert status
        return status.rate_state


@pytest.fixture(params=PLACES)
def stores(request: pytest.FixtureRequest) -> Stores:
    if request.param == "memory":
        catalog, rates = MemoryCatalog(), MemoryRates()
        return Stores(catalog, MemoryCircuits(catalog, rates), rates)
    aws = ProvisionedAws(request.param)
    client, table = aws.client("dynamodb"), aws.names["CATALOG_TABLE"]
    return Stores(DynamoCatalog(client, table), DynamoCircuits(client, table), DynamoRates(client, table), client)


def test_an_idle_channel_begins_now_and_a_busy_one_behind_what_was_taken(stores: Stores) -> None:
    assert stores.rates.reserve(W, "mail", 3 * STEP, NOW) == NOW
    assert stores.rates.reserve(W, "mail", STEP, NOW) == NOW + 3 * STEP
    assert stores.rates.reserve(W, "mail", STEP, NOW) == NOW + 4 * STEP
    assert stores.rates.reserve(W, "mail", STEP, NOW + timedelta(hours=1)) == NOW + timedelta(hours=1)


def test_channels_and_workspaces_have_lines_of_their_own(stores: Stores) -> None:
    stores.rates.reserve(W, "mail", STEP, NOW)
    assert stores.rates.reserve(W, "sms", STEP, NOW) == NOW
    assert stores.rates.reserve(WorkspaceUid("w2"), "mail", STEP, NOW) == NOW


def test_a_throttle_holds_everybody_back_and_never_less(stores: Stores) -> None:
    stores.catalog.add(W, build_channel())
    assert stores.rate_state() == RateState()
    stores.rates.hold(W, "mail", NOW + 7 * STEP)
    stores.rates.hold(W, "mail", NOW + 2 * STEP)
    assert stores.rate_state() == RateState(NOW + 7 * STEP, NOW + 7 * STEP)
    assert stores.rates.reserve(W, "mail", STEP, NOW) == NOW + 7 * STEP
    assert stores.rate_state() == RateState(NOW + 8 * STEP, NOW + 7 * STEP)


def test_a_hold_does_not_bring_the_line_back(stores: Stores) -> None:
    stores.catalog.add(W, build_channel())
    stores.rates.reserve(W, "mail", 9 * STEP, NOW)
    stores.rates.hold(W, "mail", NOW + STEP)
    assert stores.rate_state() == RateState(NOW + 9 * STEP, NOW + STEP)


def test_a_day_gives_no_more_than_its_cap(stores: Stores) -> None:
    given = [stores.rates.reserve_daily(W, "mail", DAY, wanted, 10) for wanted in (4, 4, 4, 1, 0)]
    assert given == [4, 4, 2, 0, 0]
    assert stores.rates.daily_count(W, "mail", DAY) == 10
    assert stores.rates.reserve_daily(W, "mail", "2026-03-03", 40, 10) == 10
    assert stores.rates.daily_count(W, "sms", DAY) == 0


def test_a_lost_answer_leaves_a_gap_and_gives_nothing_twice(
    stores: Stores, lose_answer: Callable[[Any, str], None]
) -> None:
    if stores.client is None:
        pytest.skip("no answers are lost in memory")
    patient = stores.client
    stores.rates.reserve(W, "mail", STEP, NOW)
    lose_answer(patient, "UpdateItem")
    with pytest.raises(Exception, match="reached"):
        stores.rates.reserve(W, "mail", STEP, NOW)
    assert stores.rates.reserve(W, "mail", STEP, NOW) == NOW + 2 * STEP
