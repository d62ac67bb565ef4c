"""Match replies to messages."""

from datetime import timedelta
from typing import Any

from tests.integration.harness import Story
from tests.integration.receipts.receipt_helpers import sent, stats, suppressed
from tests.integration.reporting_channel import history, publish_reports, reporting, story

__all__ = ["reporting", "story"]


SECOND = timedelta(seconds=1)


MINUTE = timedelta(minutes=1)


def reply(story: Story, text: str, **fields: Any) -> None:
    publish_reports(story, {"engagement": "replied", "address": "C0@Example.com", "reply": text, **fields})


def test_a_reply_belongs_to_the_newest_message_to_the_contact(reporting: Story) -> None:
    first = sent(reporting)
    reporting.advance(MINUTE, timedelta(seconds=10))
    second = sent(reporting)
    reply(reporting, "Yes please")
    assert [stats(reporting, flow, "replied") for flow in (first, second)] == [[0], [1]]
    reply(reporting, "And soon")
    assert history(reporting, reporting.contacts[0]) == ["message.replied"] * 2
    reply(reporting, "That one", provider_id=str(reporting.provider.calls[0].message.uid))
    assert [stats(reporting, flow, "replied") for flow in (first, second)] == [[1], [1]]


def test_a_reply_without_a_message_is_an_event_of_the_contact(reporting: Story) -> None:
    reply(reporting, "Hello?")
    reply(reporting, "From nobody", address="nobody@example.com")
    assert history(reporting, reporting.contacts[0]) == ["message.replied"]
    assert suppressed(reporting) == []
