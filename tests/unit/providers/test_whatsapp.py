"""WhatsApp: one message object for both providers, a verdict for every code, and the events of both."""

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.stub import Stubber
from pydantic import JsonValue, ValidationError

from chalicelib.model.contact import Contact
from chalicelib.model.delivery_report import DeliveryReport, ProviderCallback, SuppressionSignal
from chalicelib.model.execution import Engagement
from chalicelib.model.ids import WorkspaceUid
from chalicelib.model.message import (
    Accepted,
    AccountUnpaid,
    ChannelFailure,
    OutcomeUnknown,
    PermanentFailure,
    RecipientSuppressed,
    SendResult,
    Throttled,
    TransientFailure,
)
from chalicelib.providers import whatsapp_aws as _whatsapp_aws
from chalicelib.providers import whatsapp_meta as _whatsapp_meta
from chalicelib.providers.http import Http, Reply
from chalicelib.providers.signatures import sign_meta, verify_meta
from chalicelib.providers.whatsapp import WhatsApp, WhatsAppContent, WhatsAppSettings
from chalicelib.providers.whatsapp_aws import AwsWhatsApp
from chalicelib.providers.whatsapp_message import build_message
from chalicelib.providers.whatsapp_meta import MetaWhatsApp
from tests.unit.providers.messages import (
    NOW,
    PHONE,
    UID,
    KnownSecrets,
    build_client,
    find_problems,
    make_message,
    refusal,
)

CLIENT = build_client("socialmessaging")
AWS: dict[str, JsonValue] = {"provider": "aws", "phoneNumberId": "phone-number-id-0123456789abcdef"}
META: dict[str, JsonValue] = {"provider": "meta", "phoneNumberId": "106540352242922", "secretName": "meta"}
SECRET = {"accessToken": "EAA", "appSecret": "s3cret", "verifyToken": "meow"}
TEXT = {"text": "Grüße"}
TEMPLATE = {
    "templateName": "order_sent",
    "language": "en_US",
    "header": "Order 7",
    "parameter1": "Ana",
    "parameter2": "tomorrow",
    "button": "orders/7",
}
PROVIDER = MetaWhatsApp(Http(), KnownSecrets(meta=json.dumps(SECRET)), "https://graph.facebook.com")
WHATSAPP = WhatsApp({"aws": AwsWhatsApp(CLIENT), "meta": PROVIDER})
W = WorkspaceUid("w")


class TestMessage:
    def test_a_text_is_the_documented_object(self) -> None:
        assert build_message(make_message("whatsapp", META, TEXT), PHONE) == {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "to": PHONE,
            "type": "text",
            "text": {"body": "Grüße"},
            "biz_opaque_callback_data": "w.f.c.n.1",
        }

    def test_a_template_has_its_variables_in_their_places(self) -> None:
        assert build_message(make_message("whatsapp", META, TEMPLATE), PHONE)["template"] == {
            "name": "order_sent",
            "language": {"code": "en_US"},
            "components": [
                {"type": "header", "parameters": [{"type": "text", "text": "Order 7"}]},
                {
                    "type": "body",
                    "parameters": [{"type": "text", "text": "Ana"}, {"type": "text", "text": "tomorrow"}],
                },
                {
                    "type": "button",
                    "sub_type": "url",
                    "index": "0",
                    "parameters": [{"type": "text", "text": "orders/7"}],
                },
            ],
        }

    def test_a_template_without_variables_has_no_components(self) -> None:
        content = {"templateName": "hello_world", "language": "en_US"}
        made = build_message(make_message("whatsapp", META, content), PHONE)
        assert made["template"] == {"name": "hello_world", "language": {"code": "en_US"}}

    @pytest.mark.parametrize(("value", "sent"), [("a\n\tb", "a b"), ("a     b", "a b"), (" a    b ", "a    b")])
    def test_blanks_that_whatsapp_refuses_become_one(self, value: str, sent: str) -> None:
        content = {"templateName": "t", "language": "en", "parameter1": value}
        made: Any = build_message(make_message("whatsapp", META, content), PHONE)
        assert made["template"]["components"][0]["parameters"][0]["text"] == sent


class TestAws:
    @pytest.mark.parametrize("content", [TEXT, TEMPLATE])
    def test_the_request_is_valid_by_amazons_own_model(self, content: Mapping[str, str]) -> None:
        made = _whatsapp_aws.build_request(make_message("whatsapp", AWS, content))
        assert find_problems("socialmessaging", "SendWhatsAppMessage", made) == ""
        assert made["metaApiVersion"] == "v20.0"
        assert isinstance(made["message"], bytes)
        assert json.loads(made["message"])["to"] == PHONE

    def test_an_accepted_message_has_amazons_id(self) -> None:
        sent = make_message("whatsapp", AWS, TEXT)
        with Stubber(CLIENT) as stub:
            wanted = _whatsapp_aws.build_request(sent)
            stub.add_response("send_whatsapp_message", {"messageId": "m-1"}, wanted)
            assert WHATSAPP.send(sent) == Accepted("m-1")

    @pytest.mark.parametrize(
        ("code", "status", "verdict"),
        [
            ("ThrottledRequestException", 429, Throttled(timedelta(seconds=1))),
            ("InternalServiceException", 500, OutcomeUnknown("InternalServiceException")),
            ("DependencyException", 502, OutcomeUnknown("DependencyException")),
            ("ValidationException", 400, PermanentFailure("ValidationException")),
            ("InvalidParametersException", 400, PermanentFailure("InvalidParametersException")),
            ("AccessDeniedException", 403, ChannelFailure("AccessDeniedException")),
            ("ResourceNotFoundException", 404, ChannelFailure("ResourceNotFoundException")),
        ],
    )
    def test_every_refusal_has_its_verdict(self, code: str, status: int, verdict: SendResult) -> None:
        assert _whatsapp_aws.read_error(refusal("SendWhatsAppMessage", code, status)) == verdict


def fault(code: int | None, status: int = 400, **headers: str) -> Reply:
    error = {"message": "x", "type": "OAuthException", "code": code, "error_data": {"details": "y"}, "fbtrace_id": "z"}
    return Reply(status, headers, json.dumps({"error": error} if code is not None else {}).encode())


class TestMeta:
    def test_the_request_is_the_documented_one(self) -> None:
        made = _whatsapp_meta.build_request(make_message("whatsapp", META, TEXT), SECRET, "https://graph.facebook.com")
        assert made.url == "https://graph.facebook.com/v23.0/106540352242922/messages"
        assert made.headers == {"Authorization": "Bearer EAA", "Content-Type": "application/json"}
        assert json.loads(made.body)["type"] == "text"

    def test_an_accepted_message_has_its_wamid(self) -> None:
        body = b'{"messaging_product":"whatsapp","contacts":[{"wa_id":"1"}],"messages":[{"id":"wamid.1"}]}'
        assert _whatsapp_meta.read_answer(Reply(200, {}, body)) == Accepted("wamid.1")
        assert _whatsapp_meta.read_answer(Reply(200, {}, b"")) == OutcomeUnknown("no_message_id")

    @pytest.mark.parametrize(
        ("reply", "verdict"),
        [
            *((fault(code), Throttled()) for code in (4, 80007, 130429, 131048)),
            (fault(131056), Throttled(timedelta(seconds=6))),
            (fault(None, 429, **{"retry-after": "3"}), Throttled(timedelta(seconds=3))),
            (fault(131049), PermanentFailure("131049")),
            (fault(131050), RecipientSuppressed("131050")),
            (fault(131026), PermanentFailure("131026")),
            (fault(131047), PermanentFailure("131047")),
            *((fault(code), ChannelFailure(str(code))) for code in (132000, 132001, 132007, 132012, 132015, 132016)),
            *((fault(code), PermanentFailure(str(code))) for code in (132005, 132018)),
            (fault(131042), AccountUnpaid("131042")),
            *((fault(code), ChannelFailure(str(code))) for code in (190, 10, 200, 299, 131031, 133010)),
            (fault(None, 401), ChannelFailure("status_401")),
            (fault(0, 401), ChannelFailure("0")),
            *((fault(code), TransientFailure(str(code))) for code in (131000, 131016, 133004)),
            (fault(131000, 500), OutcomeUnknown("131000")),
            (fault(131016, 503), OutcomeUnknown("131016")),
            (fault(130429, 500), Throttled()),
            (fault(100), PermanentFailure("100")),
            (fault(None, 400), PermanentFailure("status_400")),
            (fault(None, 502), OutcomeUnknown("status_502")),
        ],
        ids=str,
    )
    def test_every_refusal_has_its_verdict(self, reply: Reply, verdict: SendResult) -> None:
        assert _whatsapp_meta.read_answer(reply) == verdict

    def test_without_its_secret_nothing_is_sent(self) -> None:
        assert MetaWhatsApp(Http(), KnownSecrets(), "x").send(make_message("whatsapp", META, TEXT)) == ChannelFailure(
            "secret_not_found"
        )

    def test_only_meta_can_sign(self) -> None:
        channel, body = make_message("whatsapp", META, TEXT).channel, b'{"object": "whatsapp_business_account"}'
        signed = ProviderCallback(body, headers={"x-hub-signature-256": sign_meta("s3cret", body)})
        assert WHATSAPP.is_genuine(W, channel, signed)
        assert not WHATSAPP.is_genuine(W, channel, ProviderCallback(body + b" ", headers=signed.headers))
        assert not WHATSAPP.is_genuine(W, channel, ProviderCallback(body))
        closed = MetaWhatsApp(Http(), KnownSecrets(meta="{}"), "")
        assert not closed.is_genuine(
            W, channel, ProviderCallback(body, headers={"x-hub-signature-256": sign_meta("", body)})
        )

    def test_the_signature_is_that_of_a_published_example(self) -> None:
        wanted = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
        assert verify_meta("It's a Secret to Everybody", b"Hello, World!", wanted)

    def test_a_challenge_is_answered_to_whoever_knows_our_token(self) -> None:
        channel = make_message("whatsapp", META, TEXT).channel
        query = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": "meow"}
        assert WHATSAPP.answer_challenge(W, channel, query) == "1158201444"
        assert WHATSAPP.answer_challenge(W, channel, {**query, "hub.verify_token": "woof"}) is None
        assert WHATSAPP.answer_challenge(W, channel, {"hub.mode": "subscribe", "hub.challenge": "1"}) is None
        assert _whatsapp_meta.answer_challenge("", {**query, "hub.verify_token": ""}) is None


STATUS: Mapping[str, object] = {
    "id": "wamid.1",
    "status": "delivered",
    "timestamp": "1686975103",
    "recipient_id": "491701234567",
    "biz_opaque_callback_data": "w.f.c.n.1",
    "pricing": {"billable": True, "pricing_model": "PMP", "category": "marketing"},
}


def entry(**value: object) -> dict[str, object]:
    metadata = {"display_phone_number": "15550783881", "phone_number_id": "106540352242922"}
    change = {"value": {"messaging_product": "whatsapp", "metadata": metadata, **value}, "field": "messages"}
    return {"id": "102290129340398", "changes": [change]}


def by_meta(**value: object) -> tuple[DeliveryReport, ...]:
    webhook = {"object": "whatsapp_business_account", "entry": [entry(**value)]}
    return WHATSAPP.read_events(ProviderCallback(json.dumps(webhook).encode()))


class TestEvents:
    def test_a_delivery_says_whose_and_when(self) -> None:
        assert by_meta(statuses=[STATUS]) == (
            DeliveryReport(
                engagement=Engagement.DELIVERED,
                at=datetime(2023, 6, 17, 4, 11, 43, tzinfo=UTC),
                message=UID,
                provider_id="wamid.1",
                address=PHONE,
            ),
        )

    def test_amazons_event_is_metas_entry_as_a_text_by_sns(self) -> None:
        event = {
            "context": {"MetaWabaIds": [{"wabaId": "1", "arn": "arn"}], "MetaPhoneNumberIds": []},
            "whatsAppWebhookEntry": json.dumps(entry(statuses=[STATUS])),
            "aws_account_id": "123456789012",
            "message_timestamp": "2025-01-08T23:30:43.271279391Z",
            "messageId": "6d69f07a-c317-4278-9d5c-6a84078419ec",
        }
        by_sns = {"Type": "Notification", "Message": json.dumps(event)}
        assert WHATSAPP.read_events(ProviderCallback(json.dumps(by_sns).encode())) == by_meta(statuses=[STATUS])

    @pytest.mark.parametrize(
        ("status", "engagement"),
        [("sent", Engagement.SENT), ("read", Engagement.OPENED), ("failed", Engagement.FAILED), ("warning", None)],
    )
    def test_every_status_has_its_engagement(self, status: str, engagement: Engagement | None) -> None:
        assert by_meta(statuses=[{**STATUS, "status": status}])[0].engagement is engagement

    @pytest.mark.parametrize(
        ("code", "is_soft", "suppress"),
        [
            (131026, True, None),
            (131049, True, None),
            (131047, False, None),
            (131050, False, SuppressionSignal.OPTED_OUT_OF_MARKETING),
        ],
    )
    def test_a_failure_says_why(self, code: int, is_soft: bool, suppress: SuppressionSignal | None) -> None:
        (report,) = by_meta(statuses=[{**STATUS, "status": "failed", "errors": [{"code": code, "title": "x"}]}])
        assert (report.code, report.is_soft, report.suppress) == (str(code), is_soft, suppress)

    @pytest.mark.parametrize(
        ("answer", "reply", "suppress"),
        [
            ({"type": "text", "text": {"body": "Yes"}}, "Yes", None),
            ({"type": "text", "text": {"body": "Stop"}}, "Stop", SuppressionSignal.OPTED_OUT),
            ({"type": "button", "button": {"text": "More", "payload": "p"}}, "More", None),
            ({"type": "interactive", "interactive": {"button_reply": {"id": "1", "title": "Ok"}}}, "Ok", None),
            ({"type": "image", "image": {"id": "1"}}, "", None),
        ],
    )
    def test_an_answer_has_its_text_and_what_it_answers(
        self, answer: Mapping[str, object], reply: str, suppress: SuppressionSignal | None
    ) -> None:
        given = {"from": "491701234567", "id": "wamid.2", "timestamp": "1686975103", "context": {"id": "wamid.1"}}
        (report,) = by_meta(messages=[{**given, **answer}])
        assert (report.engagement, report.reply, report.suppress) == (Engagement.REPLIED, reply, suppress)
        assert (report.provider_id, report.address) == ("wamid.1", PHONE)

    @pytest.mark.parametrize(("value", "count"), [("stop", 1), ("resume", 0)])
    def test_who_stops_marketing_is_suppressed_for_it(self, value: str, count: int) -> None:
        preference = {"wa_id": "491701234567", "category": "marketing_messages", "value": value, "timestamp": "1"}
        found = by_meta(user_preferences=[preference])
        assert [(each.suppress, each.address) for each in found] == [
            (SuppressionSignal.OPTED_OUT_OF_MARKETING, PHONE)
        ] * count

    def test_a_batch_is_read_whole_whatever_one_of_it_is_like(self) -> None:
        reports = by_meta(statuses=[STATUS, {"status": ["odd"], "errors": [7]}, "text", STATUS])
        assert [report.engagement for report in reports] == [Engagement.DELIVERED, None, Engagement.DELIVERED]


class TestModels:
    @pytest.mark.parametrize("settings", [AWS, META])
    def test_settings_are_those_of_the_provider(self, settings: dict[str, JsonValue]) -> None:
        kept = WhatsAppSettings.model_validate(settings).model_dump(mode="json", by_alias=True, exclude_none=True)
        assert kept == {**settings, "apiVersion": "v20.0" if settings is AWS else "v23.0"}

    @pytest.mark.parametrize(
        "settings",
        [
            {},
            {**AWS, "phoneNumberId": "106540352242922"},
            {**META, "phoneNumberId": "../me"},
            {**META, "apiVersion": "latest"},
            {**META, "accessToken": base64.b64encode(b"x").decode()},
        ],
    )
    def test_bad_settings_are_refused(self, settings: dict[str, JsonValue]) -> None:
        with pytest.raises(ValidationError):
            WhatsAppSettings.model_validate(settings)

    @pytest.mark.parametrize(
        "content",
        [
            {},
            {**TEXT, **TEMPLATE},
            {"templateName": "t"},
            {"text": "x", "language": "en"},
            {"templateName": "t", "language": "en", "parameter2": "gap"},
            {**TEXT, "parameter10": "x"},
        ],
    )
    def test_content_is_a_text_or_a_whole_template(self, content: dict[str, str]) -> None:
        with pytest.raises(ValidationError):
            WhatsAppContent.model_validate(content)

    def test_a_contact_is_reached_by_phone_or_not_at_all(self) -> None:
        contact = Contact(uid="c", created_at=NOW, updated_at=NOW)
        assert WHATSAPP.address_of(contact) is None
        assert WHATSAPP.address_of(contact.with_fields({"phone": PHONE})) == PHONE
