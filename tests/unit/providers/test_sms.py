"""SMS by AWS: exactly the documented request, a verdict for every reason, a report for every event."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from botocore.stub import Stubber
from pydantic import JsonValue, ValidationError

from chalicelib.model.contact import Contact
from chalicelib.model.delivery_report import DeliveryReport, Price, ProviderCallback, SuppressionSignal
from chalicelib.model.execution import Engagement
from chalicelib.model.message import (
    Accepted,
    AccountUnpaid,
    ChannelFailure,
    MessageType,
    OutcomeUnknown,
    PermanentFailure,
    RecipientSuppressed,
    SendResult,
    Throttled,
)
from chalicelib.providers.end_user_messaging import read_error
from chalicelib.providers.sms import Sms, SmsContent, SmsSettings
from chalicelib.providers.sms_aws import AwsSms, build_request
from tests.unit.providers.messages import NOW, PHONE, UID, build_client, find_problems, make_message, refusal

SERVICE, OPERATION = "pinpoint-sms-voice-v2", "SendTextMessage"
CLIENT = build_client(SERVICE)
FULL: dict[str, JsonValue] = {
    "provider": "aws",
    "originationIdentity": "+12065550100",
    "configurationSet": "events",
    "protectConfigurationId": "protect-1",
    "maxPrice": "0.20",
    "timeToLiveSeconds": 3600,
}
TEXT = {"text": "Grüße"}


class TestRequest:
    @pytest.mark.parametrize("settings", [FULL, {"provider": "aws"}])
    def test_it_is_valid_by_amazons_own_model(self, settings: dict[str, JsonValue]) -> None:
        assert find_problems(SERVICE, OPERATION, build_request(make_message("sms", settings, TEXT))) == ""

    def test_it_says_what_was_written(self) -> None:
        assert build_request(make_message("sms", FULL, TEXT, message_type=MessageType.NEWSLETTER)) == {
            "DestinationPhoneNumber": PHONE,
            "OriginationIdentity": "+12065550100",
            "MessageBody": "Grüße",
            "MessageType": "PROMOTIONAL",
            "ConfigurationSetName": "events",
            "ProtectConfigurationId": "protect-1",
            "MaxPrice": "0.20",
            "TimeToLive": 3600,
            "Context": {"message": "w.f.c.n.1"},
        }

    @pytest.mark.parametrize("message_type", [MessageType.MESSAGE, MessageType.CONVERSATION])
    def test_what_is_no_advertising_is_transactional(self, message_type: MessageType) -> None:
        made = build_request(make_message("sms", {"provider": "aws"}, TEXT, message_type=message_type))
        assert made["MessageType"] == "TRANSACTIONAL"


def test_an_accepted_message_has_amazons_id() -> None:
    sent = make_message("sms", FULL, TEXT)
    with Stubber(CLIENT) as stub:
        stub.add_response("send_text_message", {"MessageId": "m-1"}, build_request(sent))
        assert Sms({"aws": AwsSms(CLIENT)}).send(sent) == Accepted("m-1")


def test_a_refusal_is_a_verdict_with_its_reason() -> None:
    sent = make_message("sms", FULL, TEXT)
    with Stubber(CLIENT) as stub:
        stub.add_client_error(
            "send_text_message",
            "ConflictException",
            "opted out",
            400,
            modeled_fields={"Message": "opted out", "Reason": "DESTINATION_PHONE_NUMBER_OPTED_OUT"},
        )
        assert AwsSms(CLIENT).send(sent) == RecipientSuppressed("DESTINATION_PHONE_NUMBER_OPTED_OUT")


@pytest.mark.parametrize(
    ("code", "status", "reason", "verdict"),
    [
        ("ThrottlingException", 400, "", Throttled(timedelta(seconds=1))),
        (
            "ServiceQuotaExceededException",
            400,
            "MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT",
            AccountUnpaid("MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT"),
        ),
        (
            "ServiceQuotaExceededException",
            400,
            "MONTHLY_SPEND_LIMIT_REACHED_FOR_RCS",
            AccountUnpaid("MONTHLY_SPEND_LIMIT_REACHED_FOR_RCS"),
        ),
        (
            "ServiceQuotaExceededException",
            400,
            "DAILY_DESTINATION_CALL_LIMIT",
            ChannelFailure("DAILY_DESTINATION_CALL_LIMIT"),
        ),
        (
            "ConflictException",
            400,
            "DESTINATION_PHONE_NUMBER_OPTED_OUT",
            RecipientSuppressed("DESTINATION_PHONE_NUMBER_OPTED_OUT"),
        ),
        *(
            ("ConflictException", 400, reason, PermanentFailure(reason))
            for reason in (
                "DESTINATION_PHONE_NUMBER_NOT_VERIFIED",
                "DESTINATION_COUNTRY_BLOCKED_BY_PROTECT_CONFIGURATION",
                "DESTINATION_PHONE_NUMBER_BLOCKED_BY_PROTECT_NUMBER_OVERRIDE",
            )
        ),
        *(
            ("ConflictException", 400, reason, ChannelFailure(reason))
            for reason in ("NO_ORIGINATION_IDENTITIES_FOUND", "RESOURCE_NOT_ACTIVE", "REGISTRATION_NOT_COMPLETE")
        ),
        *(
            ("ValidationException", 400, reason, PermanentFailure(reason))
            for reason in (
                "PRICE_OVER_THRESHOLD",
                "DESTINATION_COUNTRY_BLOCKED",
                "SENDER_ID_REQUIRES_REGISTRATION",
                "INVALID_IDENTITY_FOR_DESTINATION_COUNTRY",
            )
        ),
        ("ValidationException", 400, "", PermanentFailure("ValidationException")),
        ("AccessDeniedException", 400, "ACCOUNT_DISABLED", ChannelFailure("ACCOUNT_DISABLED")),
        (
            "AccessDeniedException",
            400,
            "INSUFFICIENT_ACCOUNT_REPUTATION",
            ChannelFailure("INSUFFICIENT_ACCOUNT_REPUTATION"),
        ),
        ("AccessDeniedException", 400, "", ChannelFailure("AccessDeniedException")),
        ("ResourceNotFoundException", 400, "", ChannelFailure("ResourceNotFoundException")),
        ("UnrecognizedClientException", 400, "", ChannelFailure("UnrecognizedClientException")),
        ("InternalServerException", 500, "", OutcomeUnknown("InternalServerException")),
        (
            "ConflictException",
            500,
            "DESTINATION_PHONE_NUMBER_OPTED_OUT",
            OutcomeUnknown("DESTINATION_PHONE_NUMBER_OPTED_OUT"),
        ),
    ],
)
def test_every_refusal_has_its_verdict(code: str, status: int, reason: str, verdict: SendResult) -> None:
    assert read_error(refusal(OPERATION, code, status, reason=reason)) == verdict


#: The sample of AWS's page on event data, with our context.
EVENT: Mapping[str, object] = {
    "eventType": "TEXT_DELIVERED",
    "eventVersion": "1.0",
    "eventTimestamp": 1686975103470,
    "isFinal": True,
    "originationPhoneNumber": "+12065550152",
    "destinationPhoneNumber": "+14255550156",
    "isoCountryCode": "US",
    "mcc": "310",
    "mnc": "800",
    "messageId": "862a8790-60c0-4430-9b2b-658bdexample",
    "messageRequestTimestamp": 1686975103170,
    "messageEncoding": "GSM",
    "messageType": "PROMOTIONAL",
    "messageStatus": "DELIVERED",
    "messageStatusDescription": "Message has been accepted by phone",
    "context": {"message": "w.f.c.n.1"},
    "totalMessageParts": 1,
    "totalMessagePrice": 0.09582,
    "totalCarrierFee": 0.00302,
}


def read(event: Mapping[str, object]) -> tuple[DeliveryReport, ...]:
    return Sms({"aws": AwsSms(CLIENT)}).read_events(ProviderCallback(json.dumps(event).encode()))


class TestEvents:
    def test_a_delivery_says_whose_when_and_what_it_cost(self) -> None:
        assert read(EVENT) == (
            DeliveryReport(
                engagement=Engagement.DELIVERED,
                at=datetime(2023, 6, 17, 4, 11, 43, 470000, tzinfo=UTC),
                message=UID,
                provider_id="862a8790-60c0-4430-9b2b-658bdexample",
                address="+14255550156",
                price=Price(98_840, "USD"),
            ),
        )

    def test_the_envelopes_of_sns_and_eventbridge_are_taken_off(self) -> None:
        by_sns = {"Type": "Notification", "MessageId": "x", "TopicArn": "arn", "Message": json.dumps(EVENT)}
        by_bridge = {"detail-type": "Text Message Delivery Status Updated", "source": "aws.sms-voice", "detail": EVENT}
        assert read(by_sns) == read(by_bridge) == read(EVENT)

    @pytest.mark.parametrize(
        ("kind", "engagement", "is_soft", "suppress"),
        [
            ("SENT", Engagement.SENT, False, None),
            ("QUEUED", Engagement.SENT, False, None),
            ("PENDING", Engagement.SENT, False, None),
            ("SUCCESSFUL", Engagement.SENT, False, None),
            ("DELIVERED", Engagement.DELIVERED, False, None),
            ("INVALID", Engagement.BOUNCED, False, SuppressionSignal.HARD_BOUNCE),
            ("INVALID_MESSAGE", Engagement.FAILED, False, None),
            ("UNREACHABLE", Engagement.BOUNCED, True, None),
            ("CARRIER_UNREACHABLE", Engagement.BOUNCED, True, None),
            ("BLOCKED", Engagement.BOUNCED, False, None),
            ("CARRIER_BLOCKED", Engagement.FAILED, False, None),
            ("SPAM", Engagement.FAILED, False, None),
            ("UNKNOWN", Engagement.FAILED, True, None),
            ("TTL_EXPIRED", Engagement.FAILED, True, None),
            ("PROTECT_BLOCKED", Engagement.FAILED, False, None),
        ],
    )
    def test_every_status_has_its_engagement(
        self, kind: str, engagement: Engagement, is_soft: bool, suppress: SuppressionSignal | None
    ) -> None:
        (report,) = read({**EVENT, "eventType": f"TEXT_{kind}"})
        assert (report.engagement, report.is_soft, report.suppress) == (engagement, is_soft, suppress)
        assert report.code == (f"TEXT_{kind}" if engagement in {Engagement.BOUNCED, Engagement.FAILED} else "")

    def test_a_failure_that_is_not_final_means_that_it_is_on_its_way(self) -> None:
        (report,) = read({**EVENT, "eventType": "TEXT_INVALID", "isFinal": False})
        assert (report.engagement, report.suppress, report.code) == (Engagement.SENT, None, "")

    def test_a_status_that_is_new_to_us_says_nothing_of_the_message(self) -> None:
        (report,) = read({**EVENT, "eventType": "TEXT_TELEPATHY"})
        assert report.engagement is None

    @pytest.mark.parametrize(
        ("text", "suppress"), [("STOP", SuppressionSignal.OPTED_OUT), (" stop. ", SuppressionSignal.OPTED_OUT)]
    )
    def test_stop_suppresses(self, text: str, suppress: SuppressionSignal) -> None:
        assert read(self.inbound(text))[0].suppress is suppress

    def test_an_answer_names_the_message_that_it_answers(self) -> None:
        assert read(self.inbound("Don't stop, please")) == (
            DeliveryReport(
                engagement=Engagement.REPLIED,
                provider_id="wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                address="+14255550182",
                reply="Don't stop, please",
            ),
        )

    @staticmethod
    def inbound(text: str) -> Mapping[str, object]:
        return {
            "originationNumber": "+14255550182",
            "destinationNumber": "+12125550101",
            "messageKeyword": "JOIN",
            "messageBody": text,
            "inboundMessageId": "cae173d2-66b9-564c-8309-21f858e9fb84",
            "previousPublishedMessageId": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        }

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"\xff",
            b"[]",
            b'"text"',
            b"{",
            b"[" * 100_000,
            b'{"eventType": 7}',
            b'{"eventType": "TEXT_DELIVERED"}',
            b'{"eventType": "RCS_READ", "messageId": "x"}',
            b'{"Type": "Notification", "Message": {"a": 1}}',
            b'{"eventType": "TEXT_DELIVERED", "messageId": "x"}' + b" " * 1_048_576,
        ],
    )
    def test_what_is_no_event_of_sms_is_left_alone(self, body: bytes) -> None:
        assert Sms({"aws": AwsSms(CLIENT)}).read_events(ProviderCallback(body)) == ()

    def test_odd_values_in_an_event_do_no_harm(self) -> None:
        odd = {**EVENT, "eventTimestamp": 10**30, "context": ["x"], "totalMessagePrice": "NaN", "isFinal": "yes"}
        (report,) = read(odd)
        assert (report.at, report.message, report.price) == (None, None, None)


class TestModels:
    def test_settings_are_those_of_the_provider(self) -> None:
        read_back = SmsSettings.model_validate(FULL).model_dump(mode="json", by_alias=True, exclude_none=True)
        assert read_back == FULL

    @pytest.mark.parametrize(
        "settings",
        [
            {},
            {"provider": "pigeon"},
            {"provider": "aws", "accountSid": "AC" + "0" * 32},
            {"provider": "aws", "maxPrice": "12"},
            {"provider": "aws", "timeToLiveSeconds": 4},
            {"provider": "aws", "originationIdentity": "a b"},
        ],
    )
    def test_bad_settings_are_refused(self, settings: dict[str, JsonValue]) -> None:
        with pytest.raises(ValidationError):
            SmsSettings.model_validate(settings)

    @pytest.mark.parametrize("content", [{}, {"text": ""}, {"text": "x", "subject": "y"}])
    def test_content_is_a_text(self, content: dict[str, str]) -> None:
        with pytest.raises(ValidationError):
            SmsContent.model_validate(content)

    def test_a_contact_is_reached_by_phone_or_not_at_all(self) -> None:
        contact = Contact(uid="c", created_at=NOW, updated_at=NOW, email="a@example.com")
        assert Sms({}).address_of(contact) is None
        assert Sms({}).address_of(contact.with_fields({"phone": PHONE})) == PHONE


def test_an_sms_is_paid_for_by_its_parts() -> None:
    assert [Sms({}).parts_of({"text": text}) for text in ("x", "x" * 161, "\u0430" * 71)] == [1, 2, 2]
