"""Helpers that the tests of receipts share."""

from datetime import timedelta
from typing import Any

from tests.integration.harness import Story

SECOND = timedelta(seconds=1)


def sent(story: Story, *steps: dict[str, Any]) -> str:
    """A flow that has sent its first messages."""
    flow = story.start(story.campaign(*steps) if steps else story.short_campaign())
    story.advance(SECOND)
    return flow


def stats(story: Story, flow: str, *words: str) -> list[int]:
    found = story.flow(flow)["stats"]
    return [found[word] for word in words]


def suppressed(story: Story) -> list[tuple[str, str, str | None]]:
    return [
        (block["reason"], block["channelType"], block["messageType"])
        for entry in story.api.all_pages("/v1/suppressions")
        for block in entry["blocks"]
    ]
