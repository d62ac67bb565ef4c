"""Publish what contacts did with messages as events."""

from datetime import timedelta

from tests.integration.harness import Story
from tests.integration.receipts.receipt_helpers import sent
from tests.integration.reporting_channel import reporting, send_report, story

__all__ = ["reporting", "story"]


SECOND = timedelta(seconds=1)


MINUTE = timedelta(minutes=1)


def test_an_event_campaign_starts_when_a_message_is_opened(reporting: Story) -> None:
    trigger = {"type": "event", "event": "message.opened"}
    again = reporting.campaign(reporting.send("again", channelUid=reporting.channel), trigger=trigger)
    reporting.expect(202, reporting.api.post(f"/campaigns/{again}/launch"))
    sent(reporting)
    for _ in range(2):
        send_report(reporting, 1, "opened")
    reporting.advance(SECOND)
    assert [call.message.uid.contact for call in reporting.provider.calls[2:]] == [reporting.contacts[1]]


def test_a_condition_sees_reported_engagement(reporting: Story) -> None:
    lanes = [
        {"label": "yes", "when": {"message": "hello", "is": "opened"}, "steps": [reporting.send("thanks")]},
        {"label": "no", "steps": []},
    ]
    wait = {"id": "w", "type": "WAIT", "for": "PT1M"}
    sent(reporting, reporting.send("hello"), wait, {"id": "if", "type": "CONDITION", "lanes": lanes})
    send_report(reporting, 0, "opened")
    reporting.advance(MINUTE * 2, timedelta(seconds=10))
    assert [call.message.uid.node for call in reporting.provider.calls[2:]] == ["thanks"]
