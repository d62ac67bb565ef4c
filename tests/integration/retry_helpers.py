"""Helpers for retries of flows through the API."""

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.core.flows import enrol_retry as expand_retry
from chalicelib.core.flows import retry_flow
from chalicelib.model.message import Accepted, OutcomeUnknown, PermanentFailure, SendResult
from tests.integration.harness import Story

LOST, ACCEPTED, REFUSED = OutcomeUnknown("read_timeout"), Accepted("id"), PermanentFailure("mailbox_full")
#: A retry finds its contacts within the request, or in jobs.
MODES = ("in request", "in jobs")


def enrol_retries(mode: str, monkeypatch: pytest.MonkeyPatch, page: int) -> None:
    """Make retries find their contacts within the request, or in jobs that read `page` executions each."""
    if mode == "in jobs":
        monkeypatch.setattr(retry_flow, "SMALL_SHARDS", 0)
        monkeypatch.setattr(expand_retry, "PAGE", page)


def answer(story: Story, result: SendResult, **by_contact: SendResult) -> None:
    """Set the provider's result for every message; `by_contact` sets other results, by names such as `c1`."""
    story.provider.answer = lambda message: by_contact.get(message.to.partition("@")[0], result)


def script_results(story: Story, **by_contact: SendResult) -> None:
    """Set the provider's results by names such as `c3`. Messages to all other contacts are accepted."""
    story.provider.answer = lambda message: by_contact.get(message.to.partition("@")[0], Accepted(str(message.uid)))


def finish(story: Story, flow: str) -> Any:
    """Let 90 seconds pass, in which the flow ends, and return the flow."""
    story.run()
    story.advance(timedelta(seconds=90))
    return story.flow(flow)


def post(story: Story, flow: str, of: str, **more: str) -> Any:
    return story.api.post(f"/v1/flows/{flow}/retry", {"of": of, **more})


def retry(story: Story, flow: str, of: str, **more: str) -> str:
    """Start a retry, run it to its end and return its uid."""
    uid = str(story.expect(201, post(story, flow, of, **more))["uid"])
    finish(story, uid)
    return uid


def sent(story: Story) -> list[tuple[str, str]]:
    """Return the (contact, node) pairs of the messages since the last call, and forget them."""
    calls = sorted((each.message.to.partition("@")[0], str(each.message.uid.node)) for each in story.provider.calls)
    story.provider.calls.clear()
    return calls
