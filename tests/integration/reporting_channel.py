"""A provider of tests that reports: what it tells is JSON of our own, put into the queue as SNS would, or posted."""

import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import pytest

from chalicelib.model.channel import Channel
from chalicelib.model.delivery_report import DeliveryReport, ProviderCallback, SuppressionSignal
from chalicelib.model.execution import Engagement
from chalicelib.model.ids import WorkspaceUid, read_message_uid
from chalicelib.wiring import use_ports
from tests.integration.harness import Story, story
from tests.recording_channel import Postbox

__all__ = ["reporting", "story"]


@dataclass
class ReportingPostbox(Postbox):
    """Its callbacks are genuine when they say so."""

    def read_events(self, callback: ProviderCallback) -> tuple[DeliveryReport, ...]:
        try:
            told = json.loads(callback.body)
        except ValueError:
            return ()
        return tuple(map(_read, told["reports"])) if isinstance(told, dict) and "reports" in told else ()

    def is_genuine(self, workspace: WorkspaceUid, channel: Channel, callback: ProviderCallback) -> bool:
        return callback.headers.get("x-signed") == callback.url


def _read(told: dict[str, Any]) -> DeliveryReport:
    return DeliveryReport(
        engagement=Engagement(told["engagement"]) if told.get("engagement") else None,
        at=datetime.fromisoformat(told["at"]) if "at" in told else None,
        message=read_message_uid(told.get("message", "")),
        provider_id=told.get("provider_id", ""),
        code=told.get("code", ""),
        is_soft=told.get("is_soft", False),
        suppress=SuppressionSignal(told["suppress"]) if "suppress" in told else None,
        address=told.get("address"),
        reply=told.get("reply"),
        resumes=told.get("resumes", False),
    )


@pytest.fixture
def reporting(story: Story) -> Story:
    """The story with a provider that reports, a channel that says so, and two contacts."""
    story.postbox = ReportingPostbox(story.postbox.clock)
    story.world.ports = replace(story.world.ports, channel_types={"console": story.postbox})
    use_ports(story.world.ports)
    story.settle_in(2)
    channel = {"name": "Console", "type": "console", "reportsReceipts": True}
    story.channel = story.expect(201, story.api.post("/v1/channels", channel))["uid"]
    return story


def publish(story: Story, *reports: dict[str, Any]) -> None:
    """As an event of the installation's own account, without its envelope."""
    body = json.dumps({"reports": reports})
    story.world.ports.receipt_queue.send(body)
    story.run()


def tell(story: Story, index: int, engagement: str | None, **fields: Any) -> None:
    """Of the message that was sent as the index-th."""
    letter = story.postbox.calls[index].letter
    publish(story, {"message": str(letter.uid), "engagement": engagement, "address": letter.to, **fields})


def history(story: Story, contact: str) -> list[str]:
    """Names of the contact's events, oldest first."""
    entries = story.api.all_pages(f"/v1/contacts/{contact}/timeline")
    return [each["name"] for each in entries if each["kind"] == "event"][::-1]
