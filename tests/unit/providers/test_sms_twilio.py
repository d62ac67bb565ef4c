"""SMS by Twilio: the documented form, a verdict for every code, signed callbacks."""

import json
from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import parse_qsl, urlencode

import pytest
from pydantic import JsonValue, ValidationError

from chalicelib.errors import NotFound
from chalicelib.model.delivery_report import DeliveryReport, ProviderCallback, SuppressionSignal, read_hook_uid
from chalicelib.model.execution import Engagement
from chalicelib.model.ids import WorkspaceUid
from chalicelib.model.message import (
    Accepted,
    ChannelFailure,
    OutcomeUnknown,
    PermanentFailure,
    RecipientSuppressed,
    SendResult,
    Throttled,
)
from chalicelib.providers.http import Http, Reply
from chalicelib.providers.signatures import sign_twilio, verify_twilio
from chalicelib.providers.sms import Sms, SmsSettings
from chalicelib.providers.sms_twilio import TwilioSms, build_request, read_answer
from chalicelib.providers.sms_twilio_events import read_callback
from tests.unit.providers.messages import PHONE, UID, KnownSecrets, make_message

ACCOUNT = "AC" + "0" * 32
SETTINGS: dict[str, JsonValue] = {
    "provider": "twilio",
    "accountSid": ACCOUNT,
    "secretName": "twilio",
    "sender": "+15005550006",
}
TOKEN = {"authToken": "12345"}
MESSAGE = make_message("sms", SETTINGS, {"text": "Grüße & more"})
URL = "https://carillon.example/v1/hooks/w.ch?message=w.f.c.n.1"
SECRETS = KnownSecrets(twilio=json.dumps(TOKEN))
W = WorkspaceUid("w")


def form(**values: str) -> bytes:
    return urlencode(values).encode()


class TestRequest:
    def test_it_is_the_documented_form(self) -> None:
        made = build_request(MESSAGE, TOKEN, "https://api.twilio.com", "https://carillon.example")
        assert made.url == f"https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
        assert dict(parse_qsl(made.body.decode())) == {
            "To": PHONE,
            "From": "+15005550006",
            "Body": "Grüße & more",
            "StatusCallback": URL,
        }
        assert made.headers["Authorization"].startswith("Basic QUMwMDAw")

    def test_an_api_key_goes_before_the_accounts_own_token(self) -> None:
        made = build_request(MESSAGE, {**TOKEN, "apiKey": "SK1", "apiSecret": "s"}, "https://api.twilio.com", "")
        assert made.headers["Authorization"] == "Basic U0sxOnM="
        assert b"StatusCallback" not in made.body

    def test_a_messaging_service_takes_the_senders_place(self) -> None:
        service = "MG" + "1" * 32
        settings = {**SETTINGS, "sender": None, "messagingServiceSid": service, "validityPeriodSeconds": 60}
        made = dict(parse_qsl(build_request(make_message("sms", settings, {"text": "x"}), TOKEN, "", "").body.decode()))
        assert made == {"To": PHONE, "Body": "x", "MessagingServiceSid": service, "ValidityPeriod": "60"}

    def test_the_hook_in_the_callback_names_workspace_and_channel(self) -> None:
        assert read_hook_uid("w.ch") == ("w", "ch")
        assert [read_hook_uid(text) for text in ("ch", "w.", ".ch", "w.ch.x", "w.ch\n", "../x")] == [None] * 6


@pytest.mark.parametrize(
    ("status", "code", "verdict"),
    [
        (429, 20429, Throttled()),
        (400, 20429, Throttled()),
        (400, 21611, Throttled(timedelta(minutes=1))),
        (400, 30001, Throttled(timedelta(minutes=1))),
        (400, 21610, RecipientSuppressed("21610")),
        *((400, code, PermanentFailure(str(code))) for code in (21211, 21614, 21612, 21408, 21606, 21617, 21602)),
        (401, 20003, ChannelFailure("20003")),
        (403, 20005, ChannelFailure("20005")),
        (404, 20404, ChannelFailure("20404")),
        (400, 21703, ChannelFailure("21703")),
        (403, None, ChannelFailure("status_403")),
        (400, None, PermanentFailure("status_400")),
        (500, 20500, OutcomeUnknown("20500")),
        (503, 20503, OutcomeUnknown("20503")),
        (503, 21611, OutcomeUnknown("21611")),
        (302, None, OutcomeUnknown("status_302")),
    ],
)
def test_every_refusal_has_its_verdict(status: int, code: int | None, verdict: SendResult) -> None:
    body = json.dumps({"code": code, "message": "x", "more_info": "y", "status": status} if code else {}).encode()
    assert read_answer(Reply(status, {}, body)) == verdict


def test_an_accepted_message_has_its_sid() -> None:
    assert read_answer(Reply(201, {}, b'{"sid": "SM1", "status": "queued"}')) == Accepted("SM1")
    assert read_answer(Reply(201, {}, b"<html>")) == OutcomeUnknown("no_message_id")


def test_retry_after_is_respected() -> None:
    assert read_answer(Reply(429, {"retry-after": "7"}, b"")) == Throttled(timedelta(seconds=7))
    dated = {"retry-after": "Mon, 02 Nov 2026 09:01:00 GMT", "date": "Mon, 02 Nov 2026 09:00:00 GMT"}
    assert read_answer(Reply(429, dated, b"")) == Throttled(timedelta(minutes=1))
    assert read_answer(Reply(429, {"retry-after": "soon"}, b"")) == Throttled()


@pytest.mark.parametrize("secrets", [KnownSecrets(), KnownSecrets(twilio="plain"), KnownSecrets(twilio="[]")])
def test_without_its_secret_the_channel_is_at_fault_and_nothing_is_sent(secrets: KnownSecrets) -> None:
    provider = TwilioSms(Http(), secrets, "http://127.0.0.1:1", "")
    assert provider.send(MESSAGE) == ChannelFailure("secret_not_found")


class TestCallbacks:
    @pytest.mark.parametrize(
        ("status", "engagement"),
        [
            ("queued", Engagement.SENT),
            ("sent", Engagement.SENT),
            ("delivered", Engagement.DELIVERED),
            ("read", Engagement.OPENED),
            ("undelivered", Engagement.BOUNCED),
            ("failed", Engagement.FAILED),
        ],
    )
    def test_every_status_has_its_engagement(self, status: str, engagement: Engagement) -> None:
        (report,) = read_callback(ProviderCallback(form(MessageSid="SM1", MessageStatus=status, To=PHONE), URL))
        assert (report.engagement, report.message, report.provider_id) == (engagement, UID, "SM1")
        assert report.address == PHONE

    @pytest.mark.parametrize(
        ("code", "is_soft", "suppress"),
        [
            ("30003", True, None),
            ("30008", True, None),
            ("30036", True, None),
            ("30004", False, None),
            ("30005", False, None),
            ("30006", False, None),
            ("30007", False, None),
            ("30034", False, None),
            ("21610", False, SuppressionSignal.OPTED_OUT),
        ],
    )
    def test_a_failure_says_why(self, code: str, is_soft: bool, suppress: SuppressionSignal | None) -> None:
        body = form(MessageSid="SM1", MessageStatus="undelivered", ErrorCode=code)
        (report,) = read_callback(ProviderCallback(body, URL))
        assert (report.code, report.is_soft, report.suppress) == (code, is_soft, suppress)

    def test_an_answer_has_its_text_and_stop_suppresses(self) -> None:
        given = {"MessageSid": "SM2", "SmsStatus": "received", "From": PHONE, "To": "+15005550006"}
        (report,) = read_callback(ProviderCallback(form(**given, Body="Yes, 5 & more")))
        assert report == DeliveryReport(Engagement.REPLIED, address=PHONE, reply="Yes, 5 & more")
        (stopped,) = read_callback(ProviderCallback(form(**given, Body="stopp", OptOutType="STOP")))
        assert stopped.suppress is SuppressionSignal.OPTED_OUT

    @pytest.mark.parametrize("body", [b"", b"{}", b"a=b", b"\xff=1", b"&".join(b"a=1" for _ in range(300))])
    def test_what_is_no_callback_is_left_alone(self, body: bytes) -> None:
        assert Sms({"twilio": self.provider()}).read_events(ProviderCallback(body, URL)) == ()

    def test_only_twilio_can_sign_and_only_this_url_and_form(self) -> None:
        pairs = {"MessageSid": "SM1", "MessageStatus": "delivered", "Empty": ""}
        signature = sign_twilio("12345", URL, pairs.items())
        assert self.is_genuine(URL, form(**pairs), signature)
        assert not self.is_genuine(URL.replace("n.1", "n.2"), form(**pairs), signature)
        assert not self.is_genuine(URL, form(**{**pairs, "MessageStatus": "read"}), signature)
        assert not self.is_genuine(URL, form(**pairs), signature[:-2] + "A=")
        assert not self.is_genuine(URL, form(**pairs), "ü")
        assert not Sms({"twilio": self.provider()}).is_genuine(W, MESSAGE.channel, ProviderCallback(form(**pairs), URL))

    def test_a_secret_without_a_token_opens_to_nobody(self) -> None:
        provider = TwilioSms(Http(), KnownSecrets(twilio="{}"), "", "")
        headers = {"x-twilio-signature": sign_twilio("", URL, [])}
        assert not provider.is_genuine(W, MESSAGE.channel, ProviderCallback(b"", URL, headers))
        with pytest.raises(NotFound):
            provider.is_genuine(WorkspaceUid("other"), MESSAGE.channel, ProviderCallback(b"", URL, headers))

    @classmethod
    def is_genuine(cls, url: str, body: bytes, signature: str) -> bool:
        callback = ProviderCallback(body, url, {"x-twilio-signature": signature})
        return Sms({"twilio": cls.provider()}).is_genuine(W, MESSAGE.channel, callback)

    @staticmethod
    def provider() -> TwilioSms:
        return TwilioSms(Http(), SECRETS, "", "")


def test_the_signature_is_that_of_twilios_own_example() -> None:
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    given: Mapping[str, str] = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+12349013030",
        "Digits": "1234",
        "From": "+12349013030",
        "To": "+18005551212",
    }
    assert verify_twilio("12345", url, given.items(), "0/KCTR6DLpKmkAf8muzZqo1nDgQ=")


@pytest.mark.parametrize(
    "settings",
    [
        {**SETTINGS, "sender": None},
        {**SETTINGS, "messagingServiceSid": "MG" + "1" * 32},
        {**SETTINGS, "accountSid": "AC1/../x"},
        {**SETTINGS, "secretName": "other/secret"},
        {**SETTINGS, "secretName": "../signing"},
        {**SETTINGS, "secretName": ""},
        {**SETTINGS, "authToken": "12345"},
        {**SETTINGS, "validityPeriodSeconds": 36_001},
    ],
)
def test_bad_settings_are_refused(settings: dict[str, JsonValue]) -> None:
    with pytest.raises(ValidationError):
        SmsSettings.model_validate(settings)
