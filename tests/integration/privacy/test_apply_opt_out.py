"""Apply STOP and START replies and opt-outs that a provider reports."""

from datetime import timedelta
from typing import Any

from tests.integration.consent_helpers import consent, reasons
from tests.integration.harness import Story
from tests.integration.receipts.receipt_helpers import sent, suppressed
from tests.integration.reporting_channel import publish_reports, reporting, story

__all__ = ["reporting", "story"]


SECOND = timedelta(seconds=1)


def reply(story: Story, text: str, **fields: Any) -> None:
    publish_reports(story, {"engagement": "replied", "address": "C0@Example.com", "reply": text, **fields})


def test_stop_suppresses_and_revokes_and_start_reverts_only_that(reporting: Story) -> None:
    contact = reporting.contacts[0]
    for kind in ("NEWSLETTER", "MESSAGE"):
        consent(reporting, contact, "GRANTED", messageType=kind)
    consent(reporting, contact, "REVOKED", messageType="CONVERSATION")
    for _ in range(2):
        reply(reporting, "STOP", suppress="opted_out")
    said = reporting.api.get(f"/v1/contacts/{contact}").data["consent"]["console"]
    assert set(said.values()) == {"REVOKED"}
    assert suppressed(reporting) == [("stop", "console", None)]
    assert reasons(reporting, sent(reporting)) == {"suppressed": 1}
    reporting.advance(SECOND)
    reply(reporting, "START", resumes=True)
    said = reporting.api.get(f"/v1/contacts/{contact}").data["consent"]["console"]
    assert said == {"NEWSLETTER": "GRANTED", "MESSAGE": "GRANTED", "CONVERSATION": "REVOKED"}
    assert suppressed(reporting) == []
    sent(reporting)
    assert len(reporting.provider.calls) == 3


def test_start_does_not_lift_blocks_of_bounces_and_operators(reporting: Story) -> None:
    reporting.expect(201, reporting.api.post("/v1/suppressions", {"email": "c0@example.com"}))
    reply(reporting, "STOP", suppress="opted_out")
    reporting.advance(SECOND)
    reply(reporting, "START", resumes=True)
    assert [reason for reason, *_ in suppressed(reporting)] == ["manual"]


def test_a_start_before_the_stop_lifts_nothing(reporting: Story) -> None:
    before = reporting.now.isoformat()
    reporting.advance(SECOND)
    reply(reporting, "STOP", suppress="opted_out")
    reply(reporting, "START", resumes=True, at=before)
    assert [reason for reason, *_ in suppressed(reporting)] == ["stop"]


def test_an_opt_out_of_marketing_does_not_stop_messages(reporting: Story) -> None:
    consent(reporting, reporting.contacts[0], "GRANTED")
    publish_reports(reporting, {"engagement": None, "address": "c0@example.com", "suppress": "opted_out_of_marketing"})
    assert suppressed(reporting) == [("stop", "console", "NEWSLETTER")]
    sent(reporting)
    assert len(reporting.provider.calls) == 2
