"""A provider with delivery reports for tests. Its reports are JSON, put into the receipt queue or posted."""

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
from tests.recording_channel import RecordingChannel

__all__ = ["reporting", "story"]


@dataclass
class ReportingChannel(RecordingChannel):
    """A recording channel type with delivery reports. A callback is genuine when its `X-Signed` header is its URL."""

    def read_events(self, callback: ProviderCallback) -> tuple[DeliveryReport, ...]:
        try:
            body = json.loads(callback.body)
        except ValueError:
            return ()
        return tuple(map(_read, body["reports"])) if isinstance(body, dict) and "reports" in body else ()

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
    """Return the story with a provider and a channel that report deliveries, and with two contacts."""
    story.provider = ReportingChannel(story.provider.clock)
    story.world.ports = replace(story.world.ports, channel_types={"console": story.provider})
    use_ports(story.world.ports)
    story.set_up(2)
    channel = {"name": "Console", "type": "console", "reportsReceipts": True}
    story.channel = story.expect(201, story.api.post("/v1/channels", channel))["uid"]
    return story


def publish_reports(story: Story, *reports: dict[str, Any]) -> None:
    """Put reports into the receipt queue, as raw message delivery of SNS does, and process them."""
    body = json.dumps({"reports": reports})
    story.world.ports.receipt_queue.send(body)
    story.run()


def send_report(story: Story, index: int, engagement: str | None, **fields: Any) -> None:
    """Report an engagement of the message sent by call `index` of the provider."""
    message = story.provider.calls[index].message
    publish_reports(story, {"message": str(message.uid), "engagement": engagement, "address": message.to, **fields})


def history(story: Story, contact: str) -> list[str]:
    """Return the names of the contact's events, the oldest first."""
    entries = story.api.all_pages(f"/v1/contacts/{contact}/timeline")
    return [each["name"] for each in entries if each["kind"] == "event"][::-1]
