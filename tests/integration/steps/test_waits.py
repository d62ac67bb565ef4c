"""Executions wake at their due second, and no message moves during the wait."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.integration.harness import Story, story

__all__ = ["story"]


@pytest.mark.parametrize(("duration", "span"), [("PT20M", timedelta(minutes=20)), ("P3D", timedelta(days=3))])
def test_a_long_wait_wakes_within_a_second_and_no_message_hops_meanwhile(
    story: Story, duration: str, span: timedelta
) -> None:
    story.set_up(contacts=3)
    sent_messages = _count_sends(story)
    wait = {"id": "wait", "type": "WAIT", "for": duration}
    flow = story.start(story.campaign(story.send("one"), wait, story.send("two"), {"id": "end", "type": "END"}))
    story.run()
    first = [sent.at for sent in story.provider.calls]
    wakes_at = datetime.fromisoformat(story.execution(flow, story.contacts[0])["wakeAt"])
    assert wakes_at - max(first) == span
    hops = len(sent_messages)
    story.advance(span - timedelta(minutes=16), step=timedelta(minutes=20))
    assert len(sent_messages) == hops, "messages moved during the wait"
    story.advance(timedelta(minutes=15), step=timedelta(minutes=1))
    story.advance(timedelta(minutes=1, seconds=5), step=timedelta(seconds=1))
    late = [sent.at - wakes_at for sent in story.provider.calls[3:]]
    assert len(late) == 3
    assert all(timedelta(0) <= lateness <= timedelta(seconds=1) for lateness in late)
    assert story.flow(flow)["status"] == "completed"


def _count_sends(story: Story) -> list[Any]:
    """Every entry that goes to the step queue from here on."""
    sqs = story.world.aws.client("sqs")
    seen: list[Any] = []

    def note(params: Any, **_: Any) -> None:
        if "step" in params.get("QueueUrl", "").lower():
            seen.extend(params["Entries"])

    sqs.meta.events.register("provide-client-params.sqs.SendMessageBatch", note)
    return seen


def test_a_short_wait_is_a_delay_of_the_queue(story: Story) -> None:
    story.set_up(contacts=2)
    flow = story.start(
        story.campaign(story.send("one"), {"id": "w", "type": "WAIT", "for": "PT90S"}, story.send("two"))
    )
    story.run()
    story.advance(timedelta(seconds=89))
    assert len(story.provider.calls) == 2
    story.advance(timedelta(seconds=2))
    assert len(story.provider.calls) == 4
    assert story.flow(flow)["status"] == "completed"


def test_a_clock_that_was_dead_for_hours_catches_up(story: Story) -> None:
    story.set_up(contacts=2)
    flow = story.start(story.campaign(story.send("one"), {"id": "w", "type": "WAIT", "for": "PT2H"}, story.send("two")))
    story.run()
    story.tick()
    story.time_travel.shift(timedelta(hours=7))
    assert len(story.provider.calls) == 2
    story.run()
    story.advance(timedelta(seconds=2))
    assert len(story.provider.calls) == 4
    assert story.flow(flow)["status"] == "completed"


def test_a_clock_that_fires_twice_doubles_nothing(story: Story) -> None:
    story.set_up(contacts=2)
    flow = story.start(story.campaign(story.send("one"), {"id": "w", "type": "WAIT", "for": "PT1H"}, story.send("two")))
    story.run()
    for _ in range(62):
        story.time_travel.shift(timedelta(minutes=1))
        story.tick()
        story.tick()
        story.run()
    story.advance(timedelta(seconds=2))
    assert set(story.provider.times_called().values()) == {1}
    assert story.flow(flow)["status"] == "completed"
