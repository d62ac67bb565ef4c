"""Retries of executions with several messages: each takes the next message that no retry has sent."""

import pytest

from chalicelib.core.flows import retry_flow
from chalicelib.model.message import SendResult
from tests.integration.harness import Story, story
from tests.integration.retry_helpers import (
    ACCEPTED,
    LOST,
    MODES,
    REFUSED,
    answer,
    enrol_retries,
    finish,
    post,
    retry,
    sent,
)

__all__ = ["story"]


@pytest.fixture(params=MODES)
def flow(request: pytest.FixtureRequest, story: Story, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return a flow with two unknown messages of c0, and of c1 an unknown one at `a` and a sent one at `b`."""
    enrol_retries(request.param, monkeypatch, page=2)
    story.set_up(contacts=2)
    answers: dict[tuple[str, str], SendResult] = {("c1@example.com", "b"): ACCEPTED}
    story.provider.answer = lambda message: answers.get((message.to, str(message.uid.node)), LOST)
    uid = story.start(story.campaign(story.send("a"), story.send("b")))
    finish(story, uid)
    answer(story, ACCEPTED)
    story.provider.calls.clear()
    return uid


def test_each_retry_takes_the_next_message_and_none_that_was_sent(story: Story, flow: str) -> None:
    retry(story, flow, "unknown")
    assert sent(story) == [("c0", "a"), ("c1", "a")]
    second = retry(story, flow, "unknown")
    assert sent(story) == [("c0", "b")]
    assert (story.flow(second)["contactCount"], story.flow(second)["status"]) == (1, "completed")


def test_a_retry_of_one_node_leaves_the_others_alone(story: Story, flow: str) -> None:
    made = retry(story, flow, "unknown", nodeId="b")
    assert story.flow(made)["retryOf"]["nodeId"] == "b"
    assert sent(story) == [("c0", "b")]
    retry(story, flow, "unknown")
    assert sent(story) == [("c0", "a"), ("c1", "a")]
    nothing = post(story, flow, "unknown", nodeId="elsewhere")
    assert (nothing.status, nothing.json["details"][0]["field"]) == (422, "of")


def test_retries_of_different_nodes_run_at_once_and_of_the_same_node_do_not(story: Story, flow: str) -> None:
    story.expect(201, post(story, flow, "unknown", nodeId="a"))
    assert [post(story, flow, "unknown").status, post(story, flow, "unknown", nodeId="a").status] == [409, 409]
    retry(story, flow, "unknown", nodeId="b")
    assert sent(story) == [("c0", "a"), ("c0", "b"), ("c1", "a")]


def test_a_message_that_failed_in_a_retry_can_be_retried_again(story: Story, flow: str) -> None:
    answer(story, REFUSED)
    first = retry(story, flow, "unknown", nodeId="a")
    answer(story, ACCEPTED)
    story.provider.calls.clear()
    retry(story, first, "failed")
    assert sent(story) == [("c0", "a"), ("c1", "a")]
    retry(story, flow, "unknown")
    assert sent(story) == [("c0", "b")]


def test_the_next_retry_sends_the_messages_that_a_cancelled_retry_did_not(story: Story, flow: str) -> None:
    first = story.expect(201, post(story, flow, "unknown"))["uid"]
    story.set_status(first, "cancelled")
    finish(story, first)
    assert sent(story) == []
    retry(story, flow, "unknown")
    assert sent(story) == [("c0", "a"), ("c1", "a")]


def test_a_retry_is_refused_after_all_messages_were_retried(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    story.set_up(contacts=1)
    answer(story, LOST)
    flow = story.start(story.campaign(story.send("a"), story.send("b")))
    finish(story, flow)
    answer(story, ACCEPTED)
    for _ in range(2):
        retry(story, flow, "unknown")
    nobody = post(story, flow, "unknown")
    assert (nobody.status, "a retry has sent them all" in nobody.text) == (422, True)
    monkeypatch.setattr(retry_flow, "SMALL_SHARDS", 0)
    by_jobs = retry(story, flow, "unknown")
    assert (story.flow(by_jobs)["contactCount"], len(story.provider.calls)) == (0, 4)


def test_each_retry_of_skipped_messages_takes_the_next_message(story: Story) -> None:
    story.set_up(contacts=1)
    story.expect(200, story.api.patch(f"/v1/contacts/{story.contacts[0]}", {"status": "BLOCKED"}))
    flow = story.start(story.campaign(story.send("a"), story.send("b")))
    finish(story, flow)
    retry(story, flow, "skipped")
    assert sent(story) == []
    story.expect(200, story.api.patch(f"/v1/contacts/{story.contacts[0]}", {"status": "ACTIVE"}))
    for node in ("a", "b"):
        retry(story, flow, "skipped")
        assert sent(story) == [("c0", node)]
