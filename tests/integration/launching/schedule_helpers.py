"""Helpers for tests of scheduled campaigns."""

from datetime import datetime, timedelta
from typing import Any

from tests.integration.harness import Story

HOUR, DAY, MINUTE = timedelta(hours=1), timedelta(days=1), timedelta(minutes=1)


def create_scheduled_campaign(story: Story, at: str, **fields: Any) -> str:
    """Create a scheduled campaign with one SEND step for two contacts."""
    if not story.contacts:
        story.set_up(contacts=2)
    trigger = {
        "type": "scheduled",
        "at": at,
        **{key: fields.pop(key) for key in ("rrule", "timezone", "until", "count") if key in fields},
    }
    return story.campaign(
        story.send("hello", channelUid=story.channel),
        trigger=trigger,
        audience={"contactUids": story.contacts},
        **fields,
    )


def launch(story: Story, campaign: str) -> Any:
    return story.expect(202, story.api.post(f"/campaigns/{campaign}/launch"))


def status(story: Story, campaign: str) -> Any:
    return story.expect(200, story.api.get(f"/v1/campaigns/{campaign}/status"))


def flows(story: Story, campaign: str) -> list[Any]:
    return list(reversed(story.api.all_pages(f"/flows?campaignUid={campaign}")))


def skip_to(story: Story, moment: datetime) -> None:
    """Move the time without running the clock or the workers, as during an outage."""
    story.time_travel.move_to(moment, tick=False)
