"""At 10,000 sends/s no item exceeds the limit of a DynamoDB partition, except the ones listed here."""

import pytest

from chalicelib.aws import usage_meter as usage
from tests.bench.hot_keys import KINDS, RATE, Load, measure_changes, measure_gate, measure_register, measure_sends

#: Kinds that are one item, with the sends per second that they bear; infra/scale.md explains the consequences.
BOUNDS = {
    # Every batch takes from it what its messages cost, and every tenth fills it.
    "budget of a flow": 7_500,
}
#: Sends a second of one flow from a cold start.
FIRST = 1_600
#: Sends a second of a paced flow, and changes of contacts a second that one campaign, or one workspace, hears of.
GATE, HEARD, LISTENED = 4_600, 2_990, 2_500


@pytest.fixture(autouse=True)
def fresh() -> None:
    usage._remainders.clear()


def _is_borne(load: Load) -> bool:
    """Return whether items and partitions bear RATE, with a tolerance of 0.1 % for the division of units."""
    by_keys = load.kind.splits or load.of_partitions() >= 0.999 * RATE
    return by_keys and load.of_items() >= 0.999 * RATE


def test_every_kind_of_key_bears_ten_thousand_sends_a_second_or_its_bound_is_said() -> None:
    loads = {load.kind.name: load for load in measure_sends()}
    assert {name for name, load in loads.items() if not _is_borne(load)} == set(BOUNDS)
    for name, bound in BOUNDS.items():
        assert loads[name].of_items() >= bound, name
    # A cold flow keeps its statistics in one partition, with fewer batches and smaller items.
    statistics = loads["statistics of a flow"].of_partitions()
    assert statistics * measure_register() / measure_register(FIRST // 10) >= FIRST


def test_the_statistics_bear_a_thousand_batches_at_once() -> None:
    """Two writes a batch, each as large as the register makes them; as many again are left for tags and waits."""
    statistics = next(kind for kind in KINDS if kind.name == "statistics of a flow")
    batches = RATE / 10
    assert 2 * batches * measure_register() / statistics.items <= 500


def test_the_gate_of_a_paced_flow_bears_what_is_said() -> None:
    (gate,) = measure_gate()
    assert GATE <= gate.of_items() < RATE


def test_changes_that_somebody_hears_of_spread_over_the_index_of_news() -> None:
    loads = {load.kind.name: load for load in measure_changes()}
    # A campaign with a TAG for each two SENDs makes 5,000 changes a second.
    assert loads["published changes"].of_partitions() >= 0.79 * RATE
    assert loads["history of a contact"].of_partitions() >= RATE
    assert loads["campaign"].of_items() >= HEARD
    assert loads["event subscriptions"].of_items() >= LISTENED
