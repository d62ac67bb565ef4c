"""Helpers for tests of event campaigns."""

from datetime import timedelta
from typing import Any

from tests.integration.harness import Story

HOUR, DAY, MINUTE = timedelta(hours=1), timedelta(days=1), timedelta(minutes=1)
ORDER = {"type": "event", "event": "order.placed"}


def open_campaign(
    story: Story, *steps: dict[str, Any], trigger: dict[str, Any] | None = None, **fields: Any
) -> tuple[str, str]:
    """Launch an event campaign and return it with its flow."""
    written = steps or (story.send("hello", channelUid=story.channel),)
    campaign = story.campaign(*written, trigger=trigger or ORDER, **fields)
    launched = story.expect(202, story.api.post(f"/campaigns/{campaign}/launch"))
    assert (launched["status"], launched["state"]) == ("running", "RUNNING")
    return campaign, launched["flowUid"]


def report(story: Story, *events: dict[str, Any], status: int = 202) -> Any:
    """Report events. The default is an order of the first contact."""
    first = {"name": "order.placed", "contactUid": story.contacts[0]}
    named = ("contactUid", "email", "phone", "externalId")
    written = [
        {**(first if not any(n in each for n in named) else {"name": "order.placed"}), **each} for each in events
    ]
    return story.expect(status, story.api.post("/v1/events", {"events": written}))


def sent_to(story: Story) -> list[str]:
    return [call.message.uid.contact for call in story.provider.calls]
