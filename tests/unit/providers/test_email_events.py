"""Every event that SES publishes becomes a report, or is left alone."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from chalicelib.model.delivery_report import DeliveryReport, ProviderCallback, SuppressionSignal
from chalicelib.model.execution import Engagement
from chalicelib.providers.email import Email
from tests.unit.providers.messages import UID, build_client

EMAIL = Email(build_client("sesv2"))
#: As SES's page of examples has it, shortened, with our tag.
MAIL: Mapping[str, object] = {
    "timestamp": "2016-10-14T05:02:16.645Z",
    "source": "sender@example.com",
    "messageId": "EXAMPLE7c191be45",
    "destination": ["recipient@example.com"],
    "headersTruncated": False,
    "tags": {"ses:configuration-set": ["ConfigSet"], "message": ["w.f.c.n.1"]},
}
BOUNCE = {
    "bounceType": "Permanent",
    "bounceSubType": "General",
    "bouncedRecipients": [{"emailAddress": "gone@example.com", "action": "failed", "status": "5.1.1"}],
    "timestamp": "2017-08-05T00:41:02.669Z",
    "feedbackId": "01000157c44f053b",
}
COMPLAINT = {
    "complainedRecipients": [{"emailAddress": "cross@example.com"}],
    "timestamp": "2017-08-05T00:41:02.669Z",
    "complaintFeedbackType": "abuse",
}


def read(kind: str, **parts: object) -> DeliveryReport:
    (report,) = EMAIL.read_events(ProviderCallback(json.dumps({"eventType": kind, "mail": MAIL, **parts}).encode()))
    assert (report.message, report.provider_id) == (UID, "EXAMPLE7c191be45")
    return report


def test_a_delivery_by_sns_says_whose_and_when() -> None:
    delivery = {"timestamp": "2016-10-19T23:21:04.133Z", "recipients": ["recipient@example.com"]}
    event = {"eventType": "Delivery", "mail": MAIL, "delivery": delivery}
    by_sns = {"Type": "Notification", "Message": json.dumps(event)}
    assert EMAIL.read_events(ProviderCallback(json.dumps(by_sns).encode())) == (
        DeliveryReport(
            engagement=Engagement.DELIVERED,
            at=datetime(2016, 10, 19, 23, 21, 4, 133000, tzinfo=UTC),
            message=UID,
            provider_id="EXAMPLE7c191be45",
            address="recipient@example.com",
        ),
    )


@pytest.mark.parametrize(
    ("kind", "parts", "engagement"),
    [
        ("Send", {"send": {}}, Engagement.SENT),
        ("DeliveryDelay", {"deliveryDelay": {"delayType": "TransientCommunicationFailure"}}, Engagement.SENT),
        ("Open", {"open": {"timestamp": "2017-08-09T22:00:19.652Z"}}, Engagement.OPENED),
        ("Click", {"click": {"link": "https://example.com"}}, Engagement.CLICKED),
        ("Reject", {"reject": {"reason": "Bad content"}}, Engagement.FAILED),
        ("Rendering Failure", {"failure": {"templateName": "T", "errorMessage": "x"}}, Engagement.FAILED),
    ],
)
def test_every_event_has_its_engagement(kind: str, parts: Mapping[str, object], engagement: Engagement) -> None:
    report = read(kind, **parts)
    assert (report.engagement, report.suppress, report.is_soft) == (engagement, None, False)
    # Without a time of the event, the time of the mail is used.
    assert report.at is not None


def test_a_reject_says_why() -> None:
    assert read("Reject", reject={"reason": "Bad content"}).code == "Bad content"


def test_a_permanent_bounce_suppresses_the_address_that_bounced() -> None:
    report = read("Bounce", bounce=BOUNCE)
    assert (report.engagement, report.suppress, report.is_soft) == (
        Engagement.BOUNCED,
        SuppressionSignal.HARD_BOUNCE,
        False,
    )
    assert (report.address, report.code) == ("gone@example.com", "Permanent.General")


@pytest.mark.parametrize("kind", ["Transient", "Undetermined"])
def test_any_other_bounce_is_soft_and_suppresses_nobody(kind: str) -> None:
    report = read("Bounce", bounce={**BOUNCE, "bounceType": kind})
    assert (report.engagement, report.suppress, report.is_soft) == (Engagement.BOUNCED, None, True)


def test_a_complaint_suppresses_and_proves_the_delivery() -> None:
    report = read("Complaint", complaint=COMPLAINT)
    assert (report.engagement, report.suppress) == (Engagement.DELIVERED, SuppressionSignal.COMPLAINT)
    assert (report.address, report.code) == ("cross@example.com", "abuse")
    assert read("Complaint", complaint={**COMPLAINT, "complaintFeedbackType": "not-spam"}).suppress is None


@pytest.mark.parametrize(("everything", "suppress"), [(True, SuppressionSignal.OPTED_OUT), (False, None)])
def test_unsubscribing_from_everything_suppresses(everything: bool, suppress: SuppressionSignal | None) -> None:
    preferences = {"unsubscribeAll": everything, "topicSubscriptionStatus": []}
    report = read("Subscription", subscription={"newTopicPreferences": preferences})
    assert (report.engagement, report.suppress) == (None, suppress)


@pytest.mark.parametrize(
    "event",
    [{"eventType": "Delivery"}, {"eventType": "Telepathy", "mail": MAIL}, {"mail": MAIL}, {"eventType": ["Send"]}],
)
def test_what_is_no_event_of_ses_is_left_alone(event: Mapping[str, object]) -> None:
    assert EMAIL.read_events(ProviderCallback(json.dumps(event).encode())) == ()


def test_a_mail_that_is_not_ours_has_no_message() -> None:
    event = {"eventType": "Send", "mail": {**MAIL, "tags": {"message": ["../../x"]}}, "send": {}}
    assert EMAIL.read_events(ProviderCallback(json.dumps(event).encode()))[0].message is None
