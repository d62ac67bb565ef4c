"""A provider that goes down in the middle of a flow, and comes back."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from chalicelib.model.message import (
    Accepted,
    ChannelFailure,
    OutcomeUnknown,
    OutgoingMessage,
    SendResult,
    TransientFailure,
)
from tests.integration.harness import Story, story

__all__ = ["story"]

DOWN = ChannelFailure("account_suspended")


def _after(count: int, result: SendResult) -> Callable[[OutgoingMessage], SendResult]:
    """Accept a number of messages, then return `result`."""
    taken: list[str] = []

    def answer(message: OutgoingMessage) -> SendResult:
        if len(taken) >= count:
            return result
        taken.append(str(message.uid))
        return Accepted(str(message.uid))

    return answer


def _break(story: Story, contacts: int = 30, working: int = 12, result: SendResult = DOWN) -> str:
    """Run a flow with a channel that fails after `working` messages. Return its uid."""
    story.set_up(contacts=contacts)
    story.provider.answer = _after(working, result)
    flow = story.start(story.short_campaign(), configuration={"maxRetries": 0, "retryDelayMs": 1000})
    story.advance(timedelta(seconds=20))
    return flow


def _circuit(story: Story) -> dict[str, object]:
    circuit: dict[str, object] = story.expect(200, story.api.get(f"/v1/channels/{story.channel}"))["circuit"]
    return circuit


@pytest.mark.parametrize("result", [DOWN, TransientFailure("ConnectTimeoutError", unreached=True)])
def test_an_outage_pauses_the_flow_within_five_faults_and_after_it_everybody_is_reached_once(
    story: Story, result: SendResult
) -> None:
    flow = _break(story, result=result)
    assert len(story.provider.calls) == 12 + 5
    shown = story.flow(flow)
    assert shown["status"] == "paused"
    assert shown["stats"]["failed"] == 0
    told = shown["metadata"]["pausedBy"]
    assert told["channelUid"] == story.channel
    assert told["cause"] == getattr(result, "code")  # noqa: B009  one of two results, both of which have it
    assert told["since"] < told["retryAfter"]
    state = story.expect(200, story.api.get(f"/v1/campaigns/{shown['campaignUid']}/status"))
    assert (state["state"], state["pausedBy"]) == ("PAUSED_ERROR", told)
    story.provider.answer = lambda message: Accepted(str(message.uid))
    story.advance(timedelta(seconds=60))
    assert len(story.provider.calls) == 12 + 5
    story.set_status(flow, "running")
    story.advance(timedelta(seconds=30))
    shown = story.flow(flow)
    assert (shown["status"], shown["stats"]["sent"]) == ("completed", 30)
    assert len(story.provider.calls) == 30 + 5
    assert _circuit(story)["state"] == "closed"


def test_lost_answers_open_the_circuit_too_and_stay_unknown(story: Story) -> None:
    flow = _break(story, result=OutcomeUnknown("read_timeout"))
    stats = story.flow(flow)["stats"]
    assert (stats["sent"], stats["unknown"], stats["pending"]) == (12, 5, 13)


def test_a_resume_before_the_minute_is_over_says_when(story: Story) -> None:
    flow = _break(story)
    campaign = story.flow(flow)["campaignUid"]
    for reply in (
        story.api.patch(f"/flows/{flow}", {"status": "running"}),
        story.api.post(f"/v1/campaigns/{campaign}/resume"),
    ):
        assert (reply.status, reply.json["error"], reply.json["current"]) == (409, "circuit_open", "open")
        assert 30 < reply.json["retryAfter"] <= 60
        assert reply.headers["retry-after"] == str(reply.json["retryAfter"])
    assert story.flow(flow)["status"] == "paused"


def test_a_probe_that_fails_costs_one_send_and_pauses_again(story: Story) -> None:
    flow = _break(story)
    before = _circuit(story)
    story.advance(timedelta(seconds=60))
    calls = len(story.provider.calls)
    story.set_status(flow, "running")
    story.advance(timedelta(seconds=10))
    assert len(story.provider.calls) == calls + 1
    assert (story.flow(flow)["status"], story.flow(flow)["stats"]["failed"]) == ("paused", 0)
    after = _circuit(story)
    assert (after["state"], after["since"]) == ("open", before["since"])
    assert str(after["retryAfter"]) > str(before["retryAfter"])


def test_another_flow_of_the_channel_is_paused_at_its_first_step(story: Story) -> None:
    _break(story)
    calls = len(story.provider.calls)
    other = story.start(story.short_campaign())
    story.advance(timedelta(seconds=5))
    assert (story.flow(other)["status"], len(story.provider.calls)) == ("paused", calls)
    assert story.flow(other)["metadata"]["pausedBy"]["channelUid"] == story.channel


def test_an_operator_may_close_the_circuit(story: Story) -> None:
    flow = _break(story)
    shown = _circuit(story)
    assert (shown["state"], shown["cause"], len(shown["lastFaults"])) == ("open", "account_suspended", 5)  # type: ignore[arg-type]  # a list of faults
    story.provider.answer = lambda message: Accepted(str(message.uid))
    closed = story.expect(200, story.api.post(f"/v1/channels/{story.channel}/circuit/close"))
    assert closed["circuit"]["state"] == "closed"
    story.set_status(flow, "running")
    story.advance(timedelta(seconds=10))
    assert story.flow(flow)["status"] == "completed"


def test_a_healthy_channel_shows_a_closed_circuit_and_an_unknown_one_is_not_there(story: Story) -> None:
    story.set_up(contacts=1)
    assert _circuit(story) == {"state": "closed", "since": None, "retryAfter": None, "cause": None, "lastFaults": []}
    assert story.api.get("/v1/channels/nothing").status == 404
    assert story.api.post("/v1/channels/nothing/circuit/close").status == 404
