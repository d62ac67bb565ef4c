"""What a pause, a cancel, a lost answer and a worker's death do to those under way."""

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from chalicelib.errors import RetryLater
from chalicelib.model.message import (
    Accepted,
    ChannelFailure,
    OutcomeUnknown,
    OutgoingMessage,
    PermanentFailure,
    Throttled,
    TransientFailure,
)
from tests.integration.harness import Story, story

__all__ = ["story"]
#: Longer than the queue's visibility timeout: what a dead worker held comes again.
COME_AGAIN = timedelta(seconds=200)


class Died(BaseException):
    """The process is gone; nothing may catch it."""


def _sum(stats: Any) -> int:
    return sum(stats[name] for name in ("pending", "processing", "completed", "failed", "skipped"))


def _recounted(story: Story, flow: str) -> Any:
    return story.expect(200, story.api.post(f"/flows/{flow}/recount"))["stats"]


def _comparable(stats: Any) -> Any:
    return {name: value for name, value in stats.items() if name not in {"estimatedCompletionAt", "messagesPerMinute"}}


def test_nothing_is_sent_after_an_acknowledged_pause_but_what_it_calls_in_flight(story: Story) -> None:
    story.set_up(contacts=30)
    flow = story.start(story.short_campaign())
    paused: list[int] = []

    def pause_once(_: OutgoingMessage) -> None:
        if not paused:
            paused.append(story.set_status(flow, "paused")["metadata"]["inFlight"])

    story.provider.during = pause_once
    story.run()
    in_flight = paused[0]
    assert 1 <= in_flight <= 10
    # The batch in progress held its claims before the pause; no other send begins.
    assert len(story.provider.calls) == in_flight
    story.advance(timedelta(minutes=5), step=timedelta(seconds=30))
    assert len(story.provider.calls) == in_flight
    shown = story.flow(flow)
    assert shown["status"] == "paused"
    assert shown["stats"]["pending"] == 30 - in_flight
    story.set_status(flow, "running")
    story.advance(timedelta(seconds=5))
    assert story.flow(flow)["status"] == "completed"
    assert sorted(story.provider.times_called().values()) == [1] * 30


def test_a_pause_is_one_write_beside_the_audit_log(story: Story) -> None:
    story.set_up(contacts=3)
    flow = story.start(story.short_campaign(), status="draft")
    story.set_status(flow, "running")
    writes: list[str] = []
    dynamodb = story.world.aws.client("dynamodb")
    for operation in ("PutItem", "UpdateItem", "TransactWriteItems", "BatchWriteItem", "BatchExecuteStatement"):
        dynamodb.meta.events.register(
            f"before-call.dynamodb.{operation}", lambda operation=operation, **_: writes.append(operation)
        )
    story.set_status(flow, "paused")
    assert writes == ["PutItem", "TransactWriteItems"]
    assert story.api.get(f"/v1/audit?objectUid={flow}&limit=1").json["data"]


def test_a_pause_before_the_audience_is_enrolled_holds_everybody(story: Story) -> None:
    story.set_up(contacts=12)
    flow = story.start(story.short_campaign())
    story.set_status(flow, "paused")
    story.advance(timedelta(minutes=1), step=timedelta(seconds=20))
    assert story.provider.calls == []
    story.set_status(flow, "running")
    story.advance(timedelta(seconds=5))
    assert story.flow(flow)["status"] == "completed"
    assert len(story.provider.calls) == 12


def test_pausing_and_resuming_again_and_again_doubles_nobody(story: Story) -> None:
    story.set_up(contacts=50)
    flow = story.start(story.short_campaign(), configuration={"pauseBetweenContactsMs": 500})
    for _ in range(6):
        story.advance(timedelta(seconds=3), step=timedelta(milliseconds=250))
        story.set_status(flow, "paused")
        story.set_status(flow, "running")
    story.advance(timedelta(seconds=40), step=timedelta(milliseconds=250))
    assert story.flow(flow)["status"] == "completed"
    assert sorted(story.provider.times_called().values()) == [1] * 50
    starts = [sent.at for sent in story.provider.calls]
    assert min(later - earlier for earlier, later in pairwise(starts)) >= timedelta(milliseconds=499)


def test_a_waiting_contact_keeps_its_time_over_a_pause(story: Story) -> None:
    story.set_up(contacts=2)
    wait = {"id": "w", "type": "WAIT", "for": "PT40M"}
    flow = story.start(story.campaign(story.send("one"), wait, story.send("two")))
    story.run()
    before = story.execution(flow, story.contacts[0])["wakeAt"]
    story.set_status(flow, "paused")
    story.advance(timedelta(minutes=10), step=timedelta(minutes=1))
    story.set_status(flow, "running")
    story.run()
    assert story.execution(flow, story.contacts[0])["wakeAt"] == before
    story.advance(timedelta(minutes=29), step=timedelta(minutes=1))
    assert len(story.provider.calls) == 2
    story.advance(timedelta(minutes=2), step=timedelta(seconds=1))
    assert sorted(story.provider.times_called().values()) == [1] * 4


def test_a_cancel_skips_who_has_not_begun_and_adds_up(story: Story) -> None:
    story.set_up(contacts=20)
    flow = story.start(story.short_campaign(), configuration={"pauseBetweenContactsMs": 1000})
    story.advance(timedelta(seconds=5), step=timedelta(milliseconds=250))
    begun = len(story.provider.calls)
    at_once = story.set_status(flow, "cancelled")
    assert at_once["status"] == "cancelled"
    assert at_once["stats"]["pending"] == 0
    story.advance(timedelta(seconds=30))
    assert len(story.provider.calls) == begun
    stats = story.flow(flow)["stats"]
    assert (stats["completed"], stats["skipped"], _sum(stats)) == (begun, 20 - begun, 20)
    assert story.flow(flow)["metadata"]["skipReasons"] == {"cancelled": 20 - begun}
    assert _comparable(_recounted(story, flow)) == _comparable(stats)


def test_a_lost_answer_is_unknown_and_never_sent_again(story: Story) -> None:
    story.set_up(contacts=4)
    story.provider.answer = lambda message: (
        OutcomeUnknown("read_timeout") if message.to == "c1@example.com" else Accepted("id")
    )
    flow = story.start(story.short_campaign())
    story.advance(COME_AGAIN, step=timedelta(seconds=20))
    shown = story.flow(flow)
    assert shown["status"] == "partial_completed"
    assert (shown["stats"]["sent"], shown["stats"]["unknown"], shown["stats"]["completed"]) == (3, 1, 4)
    assert set(story.provider.times_called().values()) == {1}


def test_a_channel_that_resends_tries_a_lost_answer_again(story: Story) -> None:
    story.set_up(contacts=2)
    body = {"name": "Console", "type": "console", "lostAnswer": "resend"}
    story.expect(200, story.api.put(f"/v1/channels/{story.channel}", body))
    answers = [OutcomeUnknown("read_timeout"), Accepted("a"), Accepted("b")]
    story.provider.answer = lambda _: answers.pop(0)
    flow = story.start(story.short_campaign())
    story.advance(timedelta(seconds=30))
    assert story.flow(flow)["status"] == "completed"
    assert sorted(story.provider.times_called().values()) == [1, 2]


def test_a_worker_that_dies_while_sending_leaves_unknowns_and_loses_nobody(story: Story) -> None:
    story.set_up(contacts=25)
    flow = story.start(story.short_campaign())

    def die_once(_: OutgoingMessage) -> None:
        if len(story.provider.calls) == 3:
            raise Died

    story.provider.during = die_once
    with pytest.raises(Died):
        story.run()
    under_way = story.flow(flow)["metadata"]["inFlight"]
    story.advance(COME_AGAIN, step=timedelta(seconds=10))
    stats = story.flow(flow)["stats"]
    assert story.flow(flow)["status"] == "partial_completed"
    assert stats["total"] == _sum(stats) == 25
    assert 3 <= stats["unknown"] <= under_way
    assert stats["sent"] == 25 - stats["unknown"]
    assert set(story.provider.times_called().values()) == {1}
    assert _comparable(_recounted(story, flow)) == _comparable(stats)


@pytest.mark.parametrize("operation", ["SendMessageBatch", "BatchExecuteStatement", "UpdateItem", "PutItem"])
@pytest.mark.parametrize("after", [False, True])
def test_a_worker_that_dies_at_any_call_is_healed_by_redelivery(story: Story, operation: str, after: bool) -> None:
    story.set_up(contacts=6)
    wait = {"id": "w", "type": "WAIT", "for": "PT30S"}
    flow = story.start(story.campaign(story.send("one"), wait, story.send("two")))
    for number in range(1, 6):
        _die_at(story, operation, number, after)
        try:
            story.advance(timedelta(seconds=5))
        except Died:
            continue
    _die_at(story, operation, 0, after)
    story.advance(timedelta(minutes=20), step=timedelta(seconds=10))
    shown = story.flow(flow)
    assert shown["status"] in {"completed", "partial_completed"}, shown
    assert shown["stats"]["total"] == _sum(shown["stats"]) == 6
    assert max(story.provider.times_called().values()) == 1
    assert _comparable(_recounted(story, flow)) == _comparable(shown["stats"])


def _die_at(story: Story, operation: str, number: int, after: bool) -> None:
    """The worker dies at the number-th such call from now on, before or after it took effect; 0 = never."""
    calls = {"left": number}

    def die(**_: Any) -> None:
        calls["left"] -= 1
        if calls["left"] == 0:
            raise Died

    for service in ("sqs", "dynamodb"):
        events = story.world.aws.client(service).meta.events
        event = f"{'after' if after else 'before'}-call.{service}.{operation}"
        events.unregister(event, unique_id="die")
        events.register(event, die, unique_id="die")


def test_a_retryable_refusal_is_tried_up_to_max_retries_and_then_fails(story: Story) -> None:
    story.set_up(contacts=1)
    story.provider.answer = lambda _: TransientFailure("busy")
    flow = story.start(story.short_campaign(), configuration={"maxRetries": 2, "retryDelayMs": 4000})
    story.advance(timedelta(seconds=30))
    assert [round((b.at - a.at).total_seconds()) for a, b in pairwise(story.provider.calls)] == [4, 4]
    shown = story.flow(flow)
    assert shown["status"] == "failed"
    assert shown["metadata"]["failureReasons"] == {"busy": 1}
    assert shown["metadata"]["errors"][0]["attempt"] == 3
    assert shown["stats"]["retried"] == 2


def test_throttling_is_waiting_and_uses_no_attempt(story: Story) -> None:
    story.set_up(contacts=1)
    answers = [Throttled(timedelta(seconds=7))] * 6
    story.provider.answer = lambda _: answers.pop(0) if answers else Accepted("id")
    flow = story.start(story.short_campaign(), configuration={"maxRetries": 0})
    story.advance(timedelta(seconds=60))
    assert story.flow(flow)["status"] == "completed"
    assert len(story.provider.calls) == 7


def test_a_channel_that_refuses_everything_pauses_the_flow_and_fails_nobody(story: Story) -> None:
    story.set_up(contacts=12)
    story.provider.answer = lambda _: ChannelFailure("account_suspended")
    campaign = story.short_campaign()
    flow = story.start(campaign, configuration={"maxRetries": 0, "retryDelayMs": 1000})
    story.advance(timedelta(seconds=30))
    assert len(story.provider.calls) <= 10
    paused = story.flow(flow)
    assert paused["status"] == "paused"
    assert "account_suspended" in paused["metadata"]["pauseReason"]
    state = story.expect(200, story.api.get(f"/v1/campaigns/{campaign}/status"))["state"]
    assert state == "PAUSED_ERROR"
    story.provider.answer = lambda _: Accepted("id")
    story.advance(timedelta(seconds=40))
    story.set_status(flow, "running")
    story.advance(timedelta(seconds=10))
    shown = story.flow(flow)
    assert (shown["status"], shown["stats"]["failed"], shown["stats"]["completed"]) == ("completed", 0, 12)


def test_a_passing_fault_of_the_channel_is_waited_out(story: Story) -> None:
    story.set_up(contacts=3)
    story.provider.answer = lambda _: ChannelFailure("account_suspended")
    flow = story.start(story.short_campaign(), configuration={"maxRetries": 0, "retryDelayMs": 1000})
    story.run(story.now)
    story.provider.answer = lambda _: Accepted("id")
    story.advance(timedelta(seconds=10))
    shown = story.flow(flow)
    assert (shown["status"], shown["stats"]["failed"], shown["stats"]["completed"]) == ("completed", 0, 3)


def test_a_permanent_refusal_fails_one_and_stops_nobody_else(story: Story) -> None:
    story.set_up(contacts=3)
    story.provider.answer = lambda message: (
        PermanentFailure("rejected") if message.to == "c0@example.com" else Accepted("id")
    )
    flow = story.start(story.short_campaign())
    story.advance(timedelta(seconds=5))
    shown = story.flow(flow)
    assert (shown["status"], shown["stats"]["failed"], shown["stats"]["sent"]) == ("partial_completed", 1, 2)


def test_an_erased_contact_is_not_written_to_also_when_it_is_on_its_way(story: Story) -> None:
    story.set_up(contacts=2)
    wait = {"id": "w", "type": "WAIT", "for": "PT60S"}
    flow = story.start(story.campaign(story.send("one"), wait, story.send("two")))
    story.run()
    story.expect(200, story.api.delete(f"/v1/contacts/{story.contacts[0]}"))
    story.advance(timedelta(seconds=70))
    assert story.provider.recipients().count("c0@example.com") == 1
    assert story.flow(flow)["status"] == "partial_completed"


def test_a_provider_adapter_that_raises_makes_an_unknown_not_a_double(story: Story) -> None:
    story.set_up(contacts=2)

    def fail(_: OutgoingMessage) -> None:
        raise RetryLater("a bug in an adapter")

    story.provider.during = fail
    flow = story.start(story.short_campaign())
    story.advance(timedelta(minutes=5), step=timedelta(seconds=10))
    assert set(story.provider.times_called().values()) == {1}
    assert story.flow(flow)["stats"]["unknown"] == 2
