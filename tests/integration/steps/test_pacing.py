"""Pacing through the real queues, on a clock that is moved."""

from datetime import timedelta
from itertools import pairwise
from statistics import mean

import pytest

from tests.integration.harness import Story, story

__all__ = ["story"]

STEP = timedelta(milliseconds=100)


def _gaps(story: Story, lanes: int) -> list[float]:
    """Seconds between the starts of one lane, all lanes in one list; starts are dealt to the lane that is free."""
    free: list[list[float]] = [[] for _ in range(lanes)]
    for sent in story.provider.calls:
        at = sent.at.timestamp()
        lane = min(free, key=lambda starts: starts[-1] if starts else 0.0)
        lane.append(at)
    return [later - earlier for starts in free for earlier, later in pairwise(starts)]


def test_two_lanes_keep_their_pauses_and_their_mean(story: Story) -> None:
    story.set_up(contacts=60)
    configuration = {"pauseBetweenContactsMs": 2000, "pauseBetweenContactsSaltMs": 500, "maxConcurrentMessages": 2}
    flow = story.start(story.short_campaign(), configuration=configuration)
    story.advance(timedelta(seconds=75), STEP)
    assert story.flow(flow)["status"] == "completed"
    gaps = _gaps(story, lanes=2)
    assert min(gaps) >= 1.5
    assert max(gaps) <= 2.5
    assert mean(gaps) == pytest.approx(2.0, rel=0.02)
    assert set(story.provider.times_called().values()) == {1}


def test_a_single_lane_without_salt_sends_exactly_every_pause(story: Story) -> None:
    story.set_up(contacts=12)
    flow = story.start(story.short_campaign(), configuration={"pauseBetweenContactsMs": 3000})
    story.advance(timedelta(seconds=40), STEP)
    assert story.flow(flow)["status"] == "completed"
    assert _gaps(story, lanes=1) == pytest.approx([3.0] * 11, abs=0.001)


def test_short_pauses_are_kept_inside_one_batch(story: Story) -> None:
    story.set_up(contacts=40)
    flow = story.start(story.short_campaign(), configuration={"pauseBetweenContactsMs": 100})
    story.advance(timedelta(seconds=20), STEP)
    assert story.flow(flow)["status"] == "completed"
    gaps = _gaps(story, lanes=1)
    assert min(gaps) >= 0.0999
    assert mean(gaps) <= 0.12
