"""What it costs to look at flows: the same, however many executions they have."""

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
#: What an item of statistics hardly ever has.
STATISTICS_BYTES = 1_024
LISTS = ("/v1/flows?limit=1", "/v1/flows?limit=1&status=running", "/v1/campaigns?limit=1")


@pytest.fixture
def story() -> Iterator[MeteredStory]:
    usage._remainders.clear()
    with open_story() as story:
        story.set_up(MANY)
        yield story


def _run(story: MeteredStory, count: int) -> str:
    """A flow with so many executions, of which each has had a message and waits."""
    wait = {"id": "wait", "type": "WAIT", "for": "P2D"}
    flow = story.start(story.campaign(story.send("one"), wait, story.send("two")), story.contacts[:count])
    story.run()
    story.advance(timedelta(seconds=3))
    stats = story.flow(flow)["stats"]
    assert (stats["total"], stats["sent"]) == (count, count)
    return flow


def _ask(story: MeteredStory, url: str) -> tuple[Counter[str], float]:
    """Reads by operation, and their units. What else is called is the key's, which counts its requests now and then."""
    tally = Tally()
    story.expect(200, story.api.get(url))
    with _watching(story), story.meter.book_to(tally):
        story.expect(200, story.api.get(url))
    reads = Counter({name: count for (_, name), count in tally.calls.items() if name != "UpdateItem"})
    return reads, sum(tally.read_units.values())


def _look(story: MeteredStory, flow: str) -> dict[str, tuple[Counter[str], float]]:
    paths = (f"/v1/flows/{flow}", f"/v1/flows/{flow}/executions?limit=10")
    one = f"/v1/flows/{flow}/executions/{story.contacts[0]}"
    return {path.replace(flow, "flow"): _ask(story, path) for path in (*paths, one, *LISTS)}


def test_looking_at_a_flow_costs_the_same_with_ten_and_with_a_thousand_executions(story: MeteredStory) -> None:
    few = _look(story, _run(story, FEW))
    many = _look(story, _run(story, MANY))
    assert {path: reads for path, (reads, _) in many.items()} == {path: reads for path, (reads, _) in few.items()}
    # The statistics of the larger flow lie on more of their shards, and on no more than all.
    grown = read_units(SHARDS * STATISTICS_BYTES, consistent=True) - 1
    for path, (_, units) in many.items():
        assert units - few[path][1] <= (grown if path == "/v1/flows/flow" else 0), path
    # Flow, statistics, workspace: what the dashboard asks for every few seconds.
    assert few["/v1/flows/flow"] == (Counter({"GetItem": 2, "Query": 1}), 3.0)
