"""Test that describing a flow costs the same for any number of executions."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest

from chalicelib.aws import usage_meter as usage
from chalicelib.aws.statistics import SHARDS
from tests.bench.calls import MeteredStory, _watching, open_story
from tests.bench.meter import Tally
from tests.bench.sizes import read_units

FEW, MANY = 10, 1_000
#: Size that an item of statistics rarely exceeds.
STATISTICS_BYTES = 1_024
LISTS = ("/v1/flows?limit=1", "/v1/flows?limit=1&status=running", "/v1/campaigns?limit=1")


@pytest.fixture
def story() -> Iterator[MeteredStory]:
    usage._remainders.clear()
    with open_story() as story:
        story.set_up(MANY)
        yield story


def _run(story: MeteredStory, count: int) -> str:
    """Run a flow until each of its `count` executions has sent a message and waits."""
    wait = {"id": "wait", "type": "WAIT", "for": "P2D"}
    flow = story.start(story.campaign(story.send("one"), wait, story.send("two")), story.contacts[:count])
    story.run()
    story.advance(timedelta(seconds=3))
    stats = story.flow(flow)["stats"]
    assert (stats["total"], stats["sent"]) == (count, count)
    return flow


def _measure_call(story: MeteredStory, url: str) -> tuple[Counter[str], float]:
    """Return the reads by operation and their units. Updates are left out: the API key sometimes stores its use."""
    tally = Tally()
    story.expect(200, story.api.get(url))
    with _watching(story), story.meter.book_to(tally):
        story.expect(200, story.api.get(url))
    reads = Counter({name: count for (_, name), count in tally.calls.items() if name != "UpdateItem"})
    return reads, sum(tally.read_units.values())


def _measure(story: MeteredStory, flow: str) -> dict[str, tuple[Counter[str], float]]:
    paths = (f"/v1/flows/{flow}", f"/v1/flows/{flow}/executions?limit=10")
    one = f"/v1/flows/{flow}/executions/{story.contacts[0]}"
    return {path.replace(flow, "flow"): _measure_call(story, path) for path in (*paths, one, *LISTS)}


def test_describing_a_flow_costs_the_same_for_ten_and_a_thousand_executions(story: MeteredStory) -> None:
    few = _measure(story, _run(story, FEW))
    many = _measure(story, _run(story, MANY))
    assert {path: reads for path, (reads, _) in many.items()} == {path: reads for path, (reads, _) in few.items()}
    # The larger flow uses more shards of statistics, up to all of them.
    grown = read_units(SHARDS * STATISTICS_BYTES, consistent=True) - 1
    for path, (_, units) in many.items():
        assert units - few[path][1] <= (grown if path == "/v1/flows/flow" else 0), path
    # Flow, statistics and workspace: the dashboard reads them every few seconds.
    assert few["/v1/flows/flow"] == (Counter({"GetItem": 2, "Query": 1}), 3.0)
