"""Retries of failed executions: a retry continues the execution, and no other retry repeats its nodes."""

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
    """Return a flow of a, a wait and b. Contacts c0 and c1 failed at a."""
    enrol_retries(request.param, monkeypatch, page=1)
    story.set_up(contacts=2)
    answer(story, REFUSED)
    wait = {"id": "w", "type": "WAIT", "for": "PT1M"}
    uid = story.start(story.campaign(story.send("a"), wait, story.send("b")))
    finish(story, uid)
    answer(story, ACCEPTED)
    story.provider.calls.clear()
    return uid


def _expect_no_contacts_left(story: Story, flow: str) -> None:
    """Check that a retry is refused, or that its flow has no contacts."""
    made = post(story, flow, "failed")
    if made.status != 422:
        assert finish(story, story.expect(201, made)["uid"])["contactCount"] == 0
    assert sent(story) == []


def test_a_message_that_one_retry_sent_is_sent_by_no_other(story: Story, flow: str) -> None:
    retry(story, flow, "failed")
    assert sent(story) == [("c0", "a"), ("c0", "b"), ("c1", "a"), ("c1", "b")]
    _expect_no_contacts_left(story, flow)


def test_the_next_retry_takes_the_contacts_that_failed_again(story: Story, flow: str) -> None:
    answer(story, ACCEPTED, c1=REFUSED)
    first = retry(story, flow, "failed")
    answer(story, ACCEPTED)
    story.provider.calls.clear()
    retry(story, flow, "failed")
    assert sent(story) == [("c1", "a"), ("c1", "b")]
    # The first retry also takes its sibling into account.
    _expect_no_contacts_left(story, first)


def test_the_first_flow_knows_the_retries_of_its_retries(story: Story, flow: str) -> None:
    answer(story, REFUSED)
    first = retry(story, flow, "failed")
    answer(story, ACCEPTED)
    story.provider.calls.clear()
    retry(story, first, "failed")
    assert sent(story) == [("c0", "a"), ("c0", "b"), ("c1", "a"), ("c1", "b")]
    _expect_no_contacts_left(story, flow)


def test_an_execution_that_continued_in_a_retry_is_not_retried_again(story: Story, flow: str) -> None:
    url = f"/v1/contacts/{story.contacts[0]}"
    story.expect(200, story.api.patch(url, {"status": "BLOCKED"}))
    made = story.expect(201, post(story, flow, "failed"))["uid"]
    story.run()
    story.expect(200, story.api.patch(url, {"status": "ACTIVE"}))
    finish(story, made)
    assert sent(story) == [("c0", "b"), ("c1", "a"), ("c1", "b")]
    _expect_no_contacts_left(story, flow)


def test_a_later_failure_in_a_retry_is_retried_from_that_retry(story: Story, flow: str) -> None:
    first = story.expect(201, post(story, flow, "failed"))["uid"]
    story.run()
    answer(story, REFUSED)
    finish(story, first)
    answer(story, ACCEPTED)
    story.provider.calls.clear()
    _expect_no_contacts_left(story, flow)
    retry(story, first, "failed")
    assert sent(story) == [("c0", "b"), ("c1", "b")]


def test_a_retry_is_refused_while_a_retry_of_its_sibling_runs(story: Story, flow: str) -> None:
    answer(story, REFUSED)
    first = retry(story, flow, "failed")
    answer(story, ACCEPTED)
    story.provider.calls.clear()
    below = story.expect(201, post(story, first, "failed"))["uid"]
    refused = post(story, flow, "failed")
    assert (refused.status, below in refused.text) == (409, True)
    finish(story, below)
    assert sent(story) == [("c0", "a"), ("c0", "b"), ("c1", "a"), ("c1", "b")]


def test_retries_of_other_messages_run_at_the_same_time(story: Story, flow: str) -> None:
    story.provider.answer = lambda message: LOST if message.uid.node == "a" else REFUSED
    first = retry(story, flow, "failed")
    answer(story, ACCEPTED)
    story.provider.calls.clear()
    failed = story.expect(201, post(story, first, "failed"))["uid"]
    unknown = story.expect(201, post(story, first, "unknown"))["uid"]
    finish(story, failed)
    finish(story, unknown)
    assert sent(story) == [("c0", "a"), ("c0", "b"), ("c1", "a"), ("c1", "b")]


def test_a_cancelled_draft_has_no_contacts_to_retry(story: Story) -> None:
    story.set_up(contacts=1)
    draft = story.start(story.campaign(story.send("a")), status="draft")
    story.set_status(draft, "cancelled")
    assert post(story, draft, "failed").status == 422
