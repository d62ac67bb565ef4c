"""RCS by AWS: the documented request, one fallback at most, a report for every event."""

import json

import pytest
from botocore.stub import Stubber
from pydantic import JsonValue, ValidationError

from chalicelib.model.contact import Contact
from chalicelib.model.delivery_report import ProviderCallback
from chalicelib.model.execution import Engagement
from chalicelib.model.message import Accepted, ChannelFailure
from chalicelib.providers.rcs import Rcs, RcsSettings, build_request
from tests.unit.providers.messages import NOW, PHONE, UID, build_client, find_problems, make_message

SERVICE = "pinpoint-sms-voice-v2"
CLIENT = build_client(SERVICE)
PLAIN: dict[str, JsonValue] = {"provider": "aws", "originationIdentity": "rcs-agent-1"}
FALLING: dict[str, JsonValue] = {**PLAIN, "fallback": "provider", "fallbackIdentity": "+12065550100"}
FULL: dict[str, JsonValue] = {**FALLING, "configurationSet": "events", "maxPrice": "0.20", "timeToLiveSeconds": 60}
TEXT = {"text": "Grüße"}


@pytest.mark.parametrize("settings", [PLAIN, FALLING, FULL])
def test_the_request_is_valid_by_amazons_own_model(settings: dict[str, JsonValue]) -> None:
    assert find_problems(SERVICE, "SendRcsMessage", build_request(make_message("rcs", settings, TEXT))) == ""


def test_it_says_what_was_written() -> None:
    assert build_request(make_message("rcs", FULL, {**TEXT, "fallbackText": "Short"})) == {
        "DestinationPhoneNumber": PHONE,
        "OriginationIdentity": "rcs-agent-1",
        "RcsMessageContent": {"Content": {"TextMessage": {"Body": "Grüße"}}},
        "Context": {"message": "w.f.c.n.1"},
        "ConfigurationSetName": "events",
        "MaxPrice": "0.20",
        "TimeToLive": 60,
        "FallbackConfiguration": {"Channel": "SMS", "MessageBody": "Short", "OriginationIdentity": "+12065550100"},
    }


def test_the_providers_fallback_is_on_only_where_ours_is_off() -> None:
    rcs = Rcs(CLIENT)
    for settings, falls_back in ((PLAIN, False), (FALLING, True)):
        sent = make_message("rcs", settings, TEXT)
        assert rcs.falls_back(sent.channel) is falls_back
        assert ("FallbackConfiguration" in build_request(sent)) is falls_back


def test_an_accepted_message_has_amazons_id() -> None:
    sent = make_message("rcs", PLAIN, TEXT)
    with Stubber(CLIENT) as stub:
        stub.add_response("send_rcs_message", {"MessageId": "m-1"}, build_request(sent))
        assert Rcs(CLIENT).send(sent) == Accepted("m-1")


def test_an_sdk_that_is_too_old_is_the_channels_fault() -> None:
    class Old:
        """A client from before RCS."""

    old: object = Old()
    assert Rcs(old).send(make_message("rcs", PLAIN, TEXT)) == ChannelFailure("sdk_without_rcs")  # type: ignore[arg-type]  the point


@pytest.mark.parametrize(
    ("kind", "engagement", "delivered_by"),
    [
        ("RCS_QUEUED", Engagement.SENT, None),
        ("RCS_SENT", Engagement.SENT, None),
        ("RCS_DELIVERED", Engagement.DELIVERED, None),
        ("RCS_READ", Engagement.OPENED, None),
        ("RCS_FAILED", Engagement.FAILED, None),
        ("RCS_TTL_EXPIRED", Engagement.FAILED, None),
        ("RCS_PROTECT_BLOCKED", Engagement.FAILED, None),
        ("RCS_FALLEN_BACK_TO_SMS", Engagement.SENT, "sms"),
    ],
)
def test_every_event_has_its_engagement(kind: str, engagement: Engagement, delivered_by: str | None) -> None:
    event = {
        "eventType": kind,
        "eventTimestamp": 1686975103470,
        "isFinal": True,
        "messageId": "m-1",
        "context": {"message": "w.f.c.n.1"},
        "rcsBusinessId": "agent",
    }
    (report,) = Rcs(CLIENT).read_events(ProviderCallback(json.dumps(event).encode()))
    assert (report.engagement, report.delivered_by, report.message) == (engagement, delivered_by, UID)


def test_the_events_of_an_sms_instead_are_left_to_sms() -> None:
    event = {"eventType": "TEXT_DELIVERED", "messageId": "m-1", "context": {"message": "w.f.c.n.1"}}
    assert Rcs(CLIENT).read_events(ProviderCallback(json.dumps(event).encode())) == ()


@pytest.mark.parametrize(
    "settings",
    [{}, {"provider": "google", "originationIdentity": "x"}, {**PLAIN, "fallback": "both"}, {**PLAIN, "maxPrice": ""}],
)
def test_bad_settings_are_refused(settings: dict[str, JsonValue]) -> None:
    with pytest.raises(ValidationError):
        RcsSettings.model_validate(settings)


def test_a_contact_is_reached_by_phone_or_not_at_all() -> None:
    contact = Contact(uid="c", created_at=NOW, updated_at=NOW)
    assert Rcs(CLIENT).address_of(contact) is None
    assert Rcs(CLIENT).address_of(contact.with_fields({"phone": PHONE})) == PHONE
