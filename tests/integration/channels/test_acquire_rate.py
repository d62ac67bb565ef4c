"""Channels with a rate, through the real queues, on a clock that is moved."""

from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from chalicelib.core.channels.acquire_rate import SendLater, SendNow, reserve_slots
from chalicelib.model.channel import RateLimits
from chalicelib.model.message import Accepted, OutgoingMessage, SendResult, Throttled
from chalicelib.ports import RateState
from tests.builders import build_channel
from tests.integration.harness import Story, story

__all__ = ["story"]

STEP = timedelta(milliseconds=100)
INTERVAL = timedelta(microseconds=71_429)


def _limit(story: Story, **fields: object) -> None:
    body = {"name": "Console", "type": "console", **fields}
    story.expect(200, story.api.put(f"/v1/channels/{story.channel}", body))


def _gaps(story: Story) -> list[timedelta]:
    return [later.at - earlier.at for earlier, later in pairwise(story.provider.calls)]


def test_a_rate_is_kept_to_the_message_by_all_flows_together(story: Story) -> None:
    story.set_up(contacts=60)
    _limit(story, ratePerSecond=14)
    flows = [story.start(story.short_campaign()) for _ in range(2)]
    story.advance(timedelta(seconds=12), STEP)
    assert [story.flow(flow)["stats"]["sent"] for flow in flows] == [60, 60]
    assert min(_gaps(story)) >= INTERVAL
    span = story.provider.calls[-1].at - story.provider.calls[0].at
    assert span <= INTERVAL * 119 * 1.2


def test_workers_that_take_turns_never_share_a_slot(story: Story) -> None:
    channel = build_channel(type="console", rate_per_second=14)
    taken: list[datetime] = []
    for number in range(30):
        if number % 2:
            story.world.ports.memory.rate_leases.clear()
        said = reserve_slots(story.world.ports, story.api.workspace, channel, RateState(), [None] * 10)
        taken += [answer.slot for answer in said if answer.slot]
    assert len(taken) == 300
    assert {later - earlier for earlier, later in pairwise(taken)} == {INTERVAL}


def test_a_slot_far_ahead_is_hinted_and_kept_for_who_waits(story: Story) -> None:
    channel = build_channel(type="console", rate_per_second=1)
    ports, workspace = story.world.ports, story.api.workspace
    said = reserve_slots(ports, workspace, channel, RateState(), [None] * 10)
    assert [type(each) for each in said] == [SendNow] * 3 + [SendLater] * 7
    last = said[-1]
    assert isinstance(last, SendLater)
    story.time_travel.move_to(last.moment)
    assert reserve_slots(ports, workspace, channel, RateState(), [last.slot]) == [SendNow(last.slot)]


def test_a_throttle_holds_all_workers_back_and_nobody_fails(story: Story) -> None:
    story.set_up(contacts=30)
    answers: list[SendResult] = [Accepted("1"), Accepted("2"), Throttled(timedelta(seconds=20))]
    story.provider.answer = lambda message: answers.pop(0) if answers else Accepted(str(message.uid))
    flow = story.start(story.short_campaign(), configuration={"maxRetries": 0})
    story.advance(timedelta(seconds=40))
    shown = story.flow(flow)
    assert (shown["status"], shown["stats"]["sent"], shown["stats"]["retried"]) == ("completed", 30, 0)
    assert len(story.provider.calls) == 31
    assert story.provider.calls[3].at - story.provider.calls[2].at >= timedelta(seconds=20)


def test_a_provider_that_throttles_sees_no_more_than_its_rate(story: Story) -> None:
    """The provider accepts 14 messages in any second and throttles the rest."""
    story.set_up(contacts=50)
    _limit(story, ratePerSecond=14)
    refused: list[OutgoingMessage] = []

    def answer(message: OutgoingMessage) -> SendResult:
        now = story.provider.clock.now()
        recent = [sent for sent in story.provider.calls if sent.at > now - timedelta(seconds=1)]
        if len(recent) > 14:
            refused.append(message)
            return Throttled()
        return Accepted(str(message.uid))

    story.provider.answer = answer
    flow = story.start(story.short_campaign())
    story.advance(timedelta(seconds=10), STEP)
    assert (story.flow(flow)["status"], refused) == ("completed", [])


def test_a_daily_cap_waits_for_the_next_day(story: Story) -> None:
    story.set_up(contacts=25)
    _limit(story, dailyCap=20)
    flow = story.start(story.short_campaign())
    story.advance(timedelta(minutes=2), timedelta(seconds=5))
    assert len(story.provider.calls) == 20
    shown = story.expect(200, story.api.get(f"/v1/channels/{story.channel}"))["rate"]
    assert (shown["perDay"], shown["sentToday"]) == (20, 20)
    story.advance(timedelta(hours=16), timedelta(minutes=20))
    assert {sent.at.date().isoformat() for sent in story.provider.calls[20:]} == {"2026-03-03"}
    assert story.flow(flow)["stats"]["sent"] == 25


def test_a_channel_without_limits_of_its_own_has_those_of_its_account(story: Story) -> None:
    story.set_up(contacts=1)
    story.provider.quota = RateLimits(200.0, 50_000)
    shown = story.expect(200, story.api.get(f"/v1/channels/{story.channel}"))["rate"]
    assert (shown["perSecond"], shown["perDay"], shown["sentToday"]) == (200.0, 50_000, 0)
    _limit(story, ratePerSecond=5)
    assert story.expect(200, story.api.get(f"/v1/channels/{story.channel}"))["rate"]["perSecond"] == 5.0


def test_a_channel_without_any_limit_writes_nothing_for_it(story: Story) -> None:
    story.set_up(contacts=10)
    story.start(story.short_campaign())
    story.advance(timedelta(seconds=10))
    status = story.world.ports.circuits.find_channel(story.api.workspace, story.channel)
    assert status
    assert status.rate_state == RateState()


@pytest.mark.parametrize(("name", "value"), [("ratePerSecond", 0), ("ratePerSecond", 10_001), ("dailyCap", 0)])
def test_a_limit_that_is_none_is_refused(story: Story, name: str, value: int) -> None:
    reply = story.api.post("/v1/channels", {"name": "Console", "type": "console", name: value})
    assert (reply.status, reply.json["details"][0]["field"]) == (422, name)
