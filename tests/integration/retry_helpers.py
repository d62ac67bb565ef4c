"""Retries of flows as an operator posts them, and who was sent what by them."""

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.core.flows import enrol_retry as expand_retry
from chalicelib.core.flows import retry_flow
from chalicelib.model.message import Accepted, OutcomeUnknown, PermanentFailure, SendResult
from tests.integration.harness import Story

LOST, TAKEN, REFUSED = OutcomeUnknown("read_timeout"), Accepted("id"), PermanentFailure("mailbox_full")
#: Retries find their contacts while the caller waits, or by jobs.
WAYS = ("at once", "by jobs")


def go(way: str, monkeypatch: pytest.MonkeyPatch, page: int) -> None:
    """Lets retries find their contacts that way; jobs read pages of so many rows."""
    if way == "by jobs":
        monkeypatch.setattr(retry_flow, "READ_AT_ONCE", 0)
        monkeypatch.setattr(expand_retry, "PAGE", page)


def answer(story: Story, verdict: SendResult, **others: SendResult) -> None:
    """What the provider says from now on; `others` by contact, as `c1`."""
    story.postbox.answer = lambda letter: others.get(letter.to.partition("@")[0], verdict)


def finish(story: Story, flow: str) -> Any:
    """Runs the flow to its end, at most a minute and a half away."""
    story.run()
    story.advance(timedelta(seconds=90))
    return story.flow(flow)


def post(story: Story, flow: str, of: str, **more: str) -> Any:
    return story.api.post(f"/v1/flows/{flow}/retry", {"of": of, **more})


def retry(story: Story, flow: str, of: str, **more: str) -> str:
    """Runs it to its end and returns its uid."""
    uid = str(story.expect(201, post(story, flow, of, **more))["uid"])
    finish(story, uid)
    return uid


def sent(story: Story) -> list[tuple[str, str]]:
    """Who was sent which message since the last look."""
    calls = sorted((each.letter.to.partition("@")[0], str(each.letter.uid.node)) for each in story.postbox.calls)
    story.postbox.calls.clear()
    return calls
