"""Retries of walks that failed: the rest of a walk is its retry's own, and no other retry goes it again."""

import pytest

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
    """A walk of a, a wait and b, of which c0 and c1 failed at a."""
    enrol_retries(request.param, monkeypatch, page=1)
    story.set_up(contacts=2)
    answer(story, REFUSED)
    wait = {"id": "w", "type": "WAIT", "for": "PT1M"}
    uid = story.start(story.campaign(story.send("a"), wait, story.send("b")))
    finish(story, uid)
    answer(story, ACCEPTED)
    story.provider.calls.clear()
    return uid


def _nobody_left(story: Story, flow: str) -> None:
    """The call says so, or the flow that it made has found nobody."""
    made = post(story, flow, "failed")
    if made.status != 422:
        assert finish(story, story.expect(201, made)["uid"])["contactCount"] == 0
    assert sent(story) == []


def test_what_a_retry_sent_no_other_sends(story: Story, flow: str) -> None:
    retry(story, flow, "failed")
    assert sent(story) == [("c0", "a"), ("c0", "b"), ("c1", "a"), ("c1", "b")]
    _nobody_left(story, flow)


def test_the_next_takes_who_failed_once_more(story: Story, flow: str) -> None:
    answer(story, ACCEPTED, c1=REFUSED)
    first = retry(story, flow, "failed")
    answer(story, ACCEPTED)
    story.provider.calls.clear()
    retry(story, flow, "failed")
    assert sent(story) == [("c1", "a"), ("c1", "b")]
    # And the retry that failed knows of its sister.
    _nobody_left(story, first)


def test_a_retry_of_a_retry_is_known_above(story: Story, flow: str) -> None:
    answer(story, REFUSED)
    first = retry(story, flow, "failed")
    answer(story, ACCEPTED)
    story.provider.calls.clear()
    retry(story, first, "failed")
    assert sent(story) == [("c0", "a"), ("c0", "b"), ("c1", "a"), ("c1", "b")]
    _nobody_left(story, flow)


def test_a_walk_that_went_on_past_a_message_is_not_gone_again(story: Story, flow: str) -> None:
    url = f"/v1/contacts/{story.contacts[0]}"
    story.expect(200, story.api.patch(url, {"status": "BLOCKED"}))
    made = story.expect(201, post(story, flow, "failed"))["uid"]
    story.run()
    story.expect(200, story.api.patch(url, {"status": "ACTIVE"}))
    finish(story, made)
    assert sent(story) == [("c0", "b"), ("c1", "a"), ("c1", "b")]
    _nobody_left(story, flow)


def test_what_failed_further_on_is_for_a_retry_of_that_retry(story: Story, flow: str) -> None:
    first = story.expect(201, post(story, flow, "failed"))["uid"]
    story.run()
    answer(story, REFUSED)
    finish(story, first)
    answer(story, ACCEPTED)
    story.provider.calls.clear()
    _nobody_left(story, flow)
    retry(story, first, "failed")
    assert sent(story) == [("c0", "b"), ("c1", "b")]


def test_sisters_and_their_retries_take_turns(story: Story, flow: str) -> None:
    answer(story, REFUSED)
    first = retry(story, flow, "failed")
    answer(story, ACCEPTED)
    story.provider.calls.clear()
    below = story.expect(201, post(story, first, "failed"))["uid"]
    refused = post(story, flow, "failed")
    assert (refused.status, below in refused.text) == (409, True)
    finish(story, below)
    assert sent(story) == [("c0", "a"), ("c0", "b"), ("c1", "a"), ("c1", "b")]


def test_a_retry_about_other_messages_is_not_in_the_way(story: Story, flow: str) -> None:
    story.provider.answer = lambda message: LOST if message.uid.node == "a" else REFUSED
    first = retry(story, flow, "failed")
    answer(story, ACCEPTED)
    story.provider.calls.clear()
    failed = story.expect(201, post(story, first, "failed"))["uid"]
    unknown = story.expect(201, post(story, first, "unknown"))["uid"]
    finish(story, failed)
    finish(story, unknown)
    assert sent(story) == [("c0", "a"), ("c0", "b"), ("c1", "a"), ("c1", "b")]


def test_a_cancelled_draft_has_nobody_to_retry(story: Story) -> None:
    story.set_up(contacts=1)
    draft = story.start(story.campaign(story.send("a")), status="draft")
    story.set_status(draft, "cancelled")
    assert post(story, draft, "failed").status == 422
