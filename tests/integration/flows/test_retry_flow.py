"""Retries of a flow through the API: the contacts they select, and the requests that are refused."""

from datetime import timedelta
from typing import Any

from chalicelib.model.message import OutcomeUnknown, PermanentFailure
from tests.integration.harness import Story, fields_of, story
from tests.integration.retry_helpers import script_results

__all__ = ["story"]


def _start(story: Story) -> str:
    story.set_up(contacts=6)
    script_results(
        story, c1=PermanentFailure("rejected"), c2=PermanentFailure("too_long"), c3=OutcomeUnknown("timeout")
    )
    story.expect(200, story.api.patch(f"/v1/contacts/{story.contacts[4]}", {"status": "BLOCKED"}))
    flow = story.start(story.campaign(story.send("hello"), story.send("again")))
    story.run()
    story.advance(timedelta(seconds=5))
    shown = story.flow(flow)
    assert (shown["status"], shown["stats"]["failed"], shown["stats"]["unknown"]) == ("partial_completed", 2, 2)
    assert shown["metadata"]["failureReasons"] == {"rejected": 1, "too_long": 1}
    assert shown["metadata"]["skipReasons"] == {"contact_blocked": 1}
    assert {error["contactUid"] for error in shown["metadata"]["errors"]} == set(story.contacts[1:3])
    error = shown["metadata"]["errors"][0]
    assert set(error) == {"contactUid", "nodeId", "code", "message", "at", "attempt"}
    script_results(story)
    story.provider.calls.clear()
    return flow


def _finish(story: Story, flow: str) -> Any:
    story.run()
    story.advance(timedelta(seconds=5))
    return story.flow(flow)


def test_a_retry_of_failed_executions_continues_where_they_failed(story: Story) -> None:
    flow = _start(story)
    made = story.expect(201, story.api.post(f"/v1/flows/{flow}/retry", {"of": "failed"}))
    assert (made["contactCount"], made["retryOf"]["flowUid"]) == (2, flow)
    done = _finish(story, made["uid"])
    assert (done["status"], done["stats"]["sent"]) == ("completed", 4)


def test_a_reason_limits_the_retry_to_its_executions(story: Story) -> None:
    flow = _start(story)
    made = story.expect(201, story.api.post(f"/flows/{flow}/retry", {"of": "failed", "reason": "rejected"}))
    _finish(story, made["uid"])
    assert set(story.provider.recipients()) == {"c1@example.com"}
    assert story.api.post(f"/flows/{flow}/retry", {"of": "failed", "reason": "other"}).status == 422


def test_a_retry_of_unknown_or_skipped_messages_runs_one_node(story: Story) -> None:
    flow = _start(story)
    _finish(story, story.expect(201, story.api.post(f"/flows/{flow}/retry", {"of": "unknown"}))["uid"])
    assert story.provider.recipients() == ["c3@example.com"]
    story.expect(200, story.api.patch(f"/v1/contacts/{story.contacts[4]}", {"status": "ACTIVE"}))
    request = {"of": "skipped", "reason": "contact_blocked"}
    _finish(story, story.expect(201, story.api.post(f"/flows/{flow}/retry", request))["uid"])
    assert story.provider.recipients() == ["c3@example.com", "c4@example.com"]


def test_two_retries_of_the_same_failures_do_not_overlap(story: Story) -> None:
    flow = _start(story)
    first = story.expect(201, story.api.post(f"/flows/{flow}/retry", {"of": "failed"}))
    again = story.api.post(f"/flows/{flow}/retry", {"of": "failed", "reason": "rejected"})
    assert again.status == 409
    assert first["uid"] in again.text
    _finish(story, first["uid"])
    story.provider.calls.clear()
    over = story.api.post(f"/flows/{flow}/retry", {"of": "failed"})
    assert (over.status, "a retry has sent them all" in over.text, story.provider.calls) == (422, True, [])


def test_a_refused_retry_gives_the_reason(story: Story) -> None:
    flow = _start(story)
    wrong = story.api.post(f"/flows/{flow}/retry", {"of": "completed"})
    assert (wrong.status, fields_of(wrong)) == (422, ["of"])
    assert fields_of(story.api.post(f"/flows/{flow}/retry")) == ["of"]
    running = story.start(story.campaign({"id": "w", "type": "WAIT", "for": "P1D"}, story.send("hello")))
    reply = story.api.post(f"/flows/{running}/retry", {"of": "failed"})
    assert (reply.status, reply.json["current"]) == (409, "queued")
    assert "partial_completed" in reply.json["allowed"]
    story.api.patch(f"/campaigns/{story.flow(flow)['campaignUid']}", {"availability": "INACTIVE"})
    assert story.api.post(f"/flows/{flow}/retry", {"of": "failed"}).status == 409
    story.expect(200, story.api.delete(f"/campaigns/{story.flow(flow)['campaignUid']}"))
    assert story.api.post(f"/flows/{flow}/retry", {"of": "failed"}).json["current"] == "DELETED"
