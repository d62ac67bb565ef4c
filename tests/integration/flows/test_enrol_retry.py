"""Retries of flows that are too large to read within a request: jobs search their executions."""

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.core.flows import enrol_retry as expand_retry
from chalicelib.core.flows import retry_flow
from chalicelib.model.flow import Flow
from chalicelib.model.ids import FlowUid
from chalicelib.model.message import Accepted, OutcomeUnknown, OutgoingMessage, PermanentFailure, SendResult
from chalicelib.model.queue_messages import EnrolRetry
from tests.builders import tag
from tests.integration.harness import Story, story

__all__ = ["story"]

CONTACTS = 9
PLENTY = timedelta(seconds=60)


@pytest.fixture(autouse=True)
def every_flow_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry_flow, "SMALL_SHARDS", 0)
    monkeypatch.setattr(expand_retry, "PAGE", 2)


@pytest.fixture
def flow(story: Story) -> str:
    """Return a flow with a third each of failed, unknown and sent messages. Later messages are accepted."""
    story.set_up(contacts=CONTACTS)
    verdicts: tuple[SendResult, ...] = (PermanentFailure("rejected"), OutcomeUnknown("read_timeout"), Accepted("x"))
    answers = {f"c{number}@example.com": verdicts[number % 3] for number in range(CONTACTS)}
    story.provider.answer = lambda message: answers[message.to]
    uid = story.start(story.campaign(story.send("hello"), tag("mark", "greeted")))
    _finish(story, uid)
    story.provider.answer = _accept
    story.provider.calls.clear()
    return uid


def _accept(message: OutgoingMessage) -> SendResult:
    return Accepted(str(message.uid))


def _finish(story: Story, flow: str) -> Any:
    story.run()
    story.advance(timedelta(seconds=5))
    return story.flow(flow)


def _retry(story: Story, flow: str, **wish: str) -> str:
    return str(story.expect(201, story.api.post(f"/v1/flows/{flow}/retry", wish))["uid"])


def test_only_failed_executions_continue_where_they_failed(story: Story, flow: str) -> None:
    done = _finish(story, _retry(story, flow, of="failed"))
    assert (done["status"], done["contactCount"], done["stats"]["sent"]) == ("completed", 3, 3)
    assert sorted(story.provider.recipients()) == ["c0@example.com", "c3@example.com", "c6@example.com"]
    assert story.expect(200, story.api.get(f"/v1/contacts/{story.contacts[3]}"))["tags"] == ["greeted"]


def test_contacts_with_an_unknown_message_get_that_message_again(story: Story, flow: str) -> None:
    done = _finish(story, _retry(story, flow, of="unknown"))
    assert (done["status"], done["stats"]["sent"]) == ("completed", 3)
    assert sorted(story.provider.recipients()) == ["c1@example.com", "c4@example.com", "c7@example.com"]


@pytest.mark.parametrize("wish", [{"of": "skipped"}, {"of": "failed", "reason": "other"}])
def test_a_retry_without_contacts_is_refused(story: Story, flow: str, wish: dict[str, str]) -> None:
    assert story.api.post(f"/v1/flows/{flow}/retry", wish).status == 422


def test_a_paused_retry_resumes_and_sends_to_each_contact_once(story: Story, flow: str) -> None:
    again = _retry(story, flow, of="failed")
    story.set_status(again, "paused")
    story.run()
    assert story.flow(again)["stats"]["total"] == 0
    story.set_status(again, "running")
    done = _finish(story, again)
    assert (done["status"], done["stats"]["sent"]) == ("completed", 3)
    assert len(story.provider.calls) == 3


def test_a_job_without_time_hands_over_and_a_repeated_job_enrols_each_contact_once(story: Story, flow: str) -> None:
    again, ports, workspace = _retry(story, flow, of="failed"), story.world.ports, story.api.workspace
    spans = iter([PLENTY, timedelta(seconds=1)])
    job = EnrolRetry(workspace=workspace, flow=again, chunk=0)
    expand_retry.expand_retry(ports, job, lambda: next(spans))
    begun = ports.executions.page(workspace, FlowUid(again), 0, 100, None).items
    assert len(begun) < 3
    expand_retry.expand_retry(ports, job, lambda: PLENTY)
    done = _finish(story, again)
    assert (done["status"], done["contactCount"], done["stats"]["total"]) == ("completed", 3, 3)
    assert len(story.provider.calls) == 3


def test_a_retry_stops_with_a_reason_when_the_retried_flow_is_deleted(story: Story, flow: str) -> None:
    again, ports, workspace = _retry(story, flow, of="failed"), story.world.ports, story.api.workspace
    ports.catalog.remove(workspace, Flow, flow)
    shown = _finish(story, again)
    assert shown["status"] == "error"
    assert "was deleted" in str(shown)
