"""Retries of walks with several messages to retry: each retry takes the next, and none that a retry has sent."""

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.model.message import Accepted, Permanent, Unknown, Verdict
from chalicelib.usecases import expand_retry, retry_flow
from tests.integration.story import Story, story

__all__ = ["story"]

LOST, TAKEN = Unknown("read_timeout"), Accepted("id")


@pytest.fixture(params=["at once", "by jobs"])
def flow(request: pytest.FixtureRequest, story: Story, monkeypatch: pytest.MonkeyPatch) -> str:
    """Of neither message of c0 anything is known, nor of that of c1 at `a`; that at `b` was sent."""
    if request.param == "by jobs":
        monkeypatch.setattr(retry_flow, "READ_AT_ONCE", 0)
        monkeypatch.setattr(expand_retry, "PAGE", 2)
    story.settle_in(contacts=2)
    answers: dict[tuple[str, str], Verdict] = {("c1@example.com", "b"): TAKEN}
    story.postbox.answer = lambda letter: answers.get((letter.to, str(letter.uid.node)), LOST)
    uid = story.start(story.campaign(story.send("a"), story.send("b")))
    _finish(story, uid)
    _answer(story, TAKEN)
    story.postbox.calls.clear()
    return uid


def _answer(story: Story, verdict: Verdict) -> None:
    story.postbox.answer = lambda _: verdict


def _finish(story: Story, flow: str) -> Any:
    story.run()
    story.advance(timedelta(seconds=30))
    return story.flow(flow)


def _post(story: Story, flow: str, **wish: str) -> Any:
    return story.api.post(f"/v1/flows/{flow}/retry", {"of": "unknown", **wish})


def _retry(story: Story, flow: str, **wish: str) -> str:
    """Runs it to its end and returns its uid."""
    uid = str(story.expect(201, _post(story, flow, **wish))["uid"])
    _finish(story, uid)
    return uid


def _sent(story: Story) -> list[tuple[str, str]]:
    """Who was sent which message since the last look."""
    calls = sorted((sent.letter.to.partition("@")[0], str(sent.letter.uid.node)) for sent in story.postbox.calls)
    story.postbox.calls.clear()
    return calls


def test_each_retry_takes_the_next_message_and_none_that_was_sent(story: Story, flow: str) -> None:
    _retry(story, flow)
    assert _sent(story) == [("c0", "a"), ("c1", "a")]
    second = _retry(story, flow)
    assert _sent(story) == [("c0", "b")]
    assert (story.flow(second)["contactCount"], story.flow(second)["status"]) == (1, "completed")


def test_a_retry_of_one_node_leaves_the_others_alone(story: Story, flow: str) -> None:
    made = _retry(story, flow, nodeId="b")
    assert story.flow(made)["retryOf"]["nodeId"] == "b"
    assert _sent(story) == [("c0", "b")]
    _retry(story, flow)
    assert _sent(story) == [("c0", "a"), ("c1", "a")]
    nothing = _post(story, flow, nodeId="elsewhere")
    assert (nothing.status, nothing.json["details"][0]["field"]) == (422, "of")


def test_retries_of_different_nodes_may_run_at_once_and_of_the_same_may_not(story: Story, flow: str) -> None:
    story.expect(201, _post(story, flow, nodeId="a"))
    assert [_post(story, flow).status, _post(story, flow, nodeId="a").status] == [409, 409]
    _retry(story, flow, nodeId="b")
    assert _sent(story) == [("c0", "a"), ("c0", "b"), ("c1", "a")]


def test_what_a_retry_was_refused_can_be_retried_again(story: Story, flow: str) -> None:
    _answer(story, Permanent("mailbox_full"))
    first = _retry(story, flow, nodeId="a")
    _answer(story, TAKEN)
    story.postbox.calls.clear()
    _retry(story, first, of="failed")
    assert _sent(story) == [("c0", "a"), ("c1", "a")]
    _retry(story, flow)
    assert _sent(story) == [("c0", "b")]


def test_what_a_cancelled_retry_did_not_send_is_taken_by_the_next(story: Story, flow: str) -> None:
    first = story.expect(201, _post(story, flow))["uid"]
    story.set_status(first, "cancelled")
    _finish(story, first)
    assert _sent(story) == []
    _retry(story, flow)
    assert _sent(story) == [("c0", "a"), ("c1", "a")]


def test_when_all_were_sent_there_is_nobody_left(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    story.settle_in(contacts=1)
    _answer(story, LOST)
    flow = story.start(story.campaign(story.send("a"), story.send("b")))
    _finish(story, flow)
    _answer(story, TAKEN)
    for _ in range(2):
        _retry(story, flow)
    nobody = _post(story, flow)
    assert (nobody.status, "a retry of it has sent them all" in nobody.text) == (422, True)
    monkeypatch.setattr(retry_flow, "READ_AT_ONCE", 0)
    by_jobs = _retry(story, flow)
    assert (story.flow(by_jobs)["contactCount"], len(story.postbox.calls)) == (0, 4)


def test_of_messages_that_were_skipped_it_is_the_same(story: Story) -> None:
    story.settle_in(contacts=1)
    story.expect(200, story.api.patch(f"/v1/contacts/{story.contacts[0]}", {"status": "BLOCKED"}))
    flow = story.start(story.campaign(story.send("a"), story.send("b")))
    _finish(story, flow)
    _retry(story, flow, of="skipped")
    assert _sent(story) == []
    story.expect(200, story.api.patch(f"/v1/contacts/{story.contacts[0]}", {"status": "ACTIVE"}))
    for node in ("a", "b"):
        _retry(story, flow, of="skipped")
        assert _sent(story) == [("c0", node)]
