"""Email: the request matches the documentation of SES, and every response becomes the right send result."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import boto3
import botocore.session
import pytest
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    ReadTimeoutError,
    SSLError,
)
from botocore.stub import Stubber
from botocore.validate import ParamValidator
from pydantic import JsonValue, ValidationError

from chalicelib.model.channel import Channel, RateLimits
from chalicelib.model.contact import Contact
from chalicelib.model.ids import ContactUid, FlowUid, MessageUid, NodeId, WorkspaceUid
from chalicelib.model.message import (
    Accepted,
    ChannelFailure,
    MessageType,
    OutcomeUnknown,
    OutgoingMessage,
    PermanentFailure,
    SendResult,
    Throttled,
    TransientFailure,
)
from chalicelib.providers.email import Email, EmailContent, EmailSettings, build_request, read_error

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
SENDER = "news@example.com"
FULL = {"fromEmail": SENDER, "replyTo": "help@example.com", "configurationSet": "events", "tenantName": "acme"}
CLIENT = boto3.client(
    "sesv2",
    region_name="eu-west-1",
    aws_access_key_id="test",
    aws_secret_access_key="test",
    config=Config(retries={"total_max_attempts": 1}),
)


def message(
    settings: Mapping[str, JsonValue] = FULL, to: str = "ana@example.com", content: Mapping[str, str] | None = None
) -> OutgoingMessage:
    return OutgoingMessage(
        uid=MessageUid(WorkspaceUid("w"), FlowUid("f"), ContactUid("c"), NodeId("n")),
        channel=Channel(uid="ch", created_at=NOW, updated_at=NOW, name="Mail", type="email", settings=settings),
        message_type=MessageType.MESSAGE,
        to=to,
        content=content or {"subject": "Grüße", "text": "Hi", "html": "<p>Hi</p>", "fromName": 'Café "Ana", Inc.'},
    )


def refusal(code: str, status: int = 400, message: str = "") -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}},  # type: ignore[typeddict-item]  the rest of the metadata does not matter
        "SendEmail",
    )


class TestRequest:
    @pytest.mark.parametrize("settings", [FULL, {"fromEmail": SENDER}])
    @pytest.mark.parametrize(
        "content", [None, {"subject": "s", "text": "t"}, {"subject": "s", "html": "h", "text": ""}]
    )
    def test_it_is_valid_by_amazons_own_model(
        self, settings: Mapping[str, JsonValue], content: Mapping[str, str] | None
    ) -> None:
        shape = botocore.session.get_session().get_service_model("sesv2").operation_model("SendEmail").input_shape
        made = build_request(message(settings, content=content), "ana@example.com")
        assert not ParamValidator().validate(made, shape).has_errors()

    def test_it_says_what_was_written(self) -> None:
        assert build_request(message(), "ana@example.com") == {
            "FromEmailAddress": "=?utf-8?b?Q2Fmw6kgIkFuYSIsIEluYy4=?= <news@example.com>",
            "Destination": {"ToAddresses": ["ana@example.com"]},
            "ReplyToAddresses": ["help@example.com"],
            "ConfigurationSetName": "events",
            "TenantName": "acme",
            "EmailTags": [{"Name": "message", "Value": "w.f.c.n.1"}],
            "Content": {
                "Simple": {
                    "Subject": {"Data": "Grüße", "Charset": "UTF-8"},
                    "Body": {
                        "Text": {"Data": "Hi", "Charset": "UTF-8"},
                        "Html": {"Data": "<p>Hi</p>", "Charset": "UTF-8"},
                    },
                }
            },
        }

    def test_a_name_cannot_smuggle_in_another_sender(self) -> None:
        content = {"subject": "s", "text": "t", "fromName": 'Boss <boss@example.com>, "x'}
        made = build_request(message({"fromEmail": SENDER}, content=content), "a@example.com")
        assert made["FromEmailAddress"] == '"Boss <boss@example.com>, \\"x" <news@example.com>'


class TestUnsubscribing:
    LINK = "https://carillon.example/u/token"

    def headers(self, link: str | None) -> object:
        made = build_request(replace(message(), unsubscribe_url=link), "ana@example.com")
        shape = botocore.session.get_session().get_service_model("sesv2").operation_model("SendEmail").input_shape
        assert not ParamValidator().validate(made, shape).has_errors()
        return made["Content"]["Simple"].get("Headers")

    def test_a_letter_with_a_link_carries_both_headers_of_rfc_8058(self) -> None:
        assert self.headers(self.LINK) == [
            {"Name": "List-Unsubscribe", "Value": "<https://carillon.example/u/token>"},
            {"Name": "List-Unsubscribe-Post", "Value": "List-Unsubscribe=One-Click"},
        ]

    @pytest.mark.parametrize(
        "link", [None, "", "http://carillon.example/u/t", f"https://x.example/{'t' * 995}", "https://a\r\nBcc: b"]
    )
    def test_what_is_no_secure_link_becomes_no_header(self, link: str | None) -> None:
        assert self.headers(link) is None


class TestSending:
    def test_an_accepted_message_has_sess_id(self) -> None:
        with Stubber(CLIENT) as stub:
            stub.add_response("send_email", {"MessageId": "0100"}, dict(build_request(message(), "ana@example.com")))
            assert Email(CLIENT).send(message()) == Accepted("0100")

    def test_a_refusal_is_a_verdict_and_no_exception(self) -> None:
        with Stubber(CLIENT) as stub:
            stub.add_client_error("send_email", "MessageRejected", "spam", 400)
            assert Email(CLIENT).send(message()) == PermanentFailure("MessageRejected")

    def test_a_domain_beyond_ascii_is_written_as_dns_has_it(self) -> None:
        with Stubber(CLIENT) as stub:
            wanted = dict(build_request(message(), "ana@xn--mnchen-3ya.example"))
            stub.add_response("send_email", {"MessageId": "0100"}, wanted)
            assert Email(CLIENT).send(message(to="ana@münchen.example")) == Accepted("0100")

    def test_a_name_beyond_ascii_is_refused_without_a_call(self) -> None:
        with Stubber(CLIENT):
            assert Email(CLIENT).send(message(to="añá@example.com")) == PermanentFailure("address_not_ascii")

    def test_nobody_listening_means_not_sent(self) -> None:
        client = boto3.client(
            "sesv2",
            region_name="eu-west-1",
            endpoint_url="http://127.0.0.1:1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(retries={"total_max_attempts": 1}),
        )
        assert Email(client).send(message()) == TransientFailure("EndpointConnectionError", unreached=True)


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (refusal("TooManyRequestsException", 429, "Maximum sending rate exceeded."), Throttled(timedelta(seconds=1))),
        (refusal("ThrottlingException", 400, "Rate exceeded"), Throttled(timedelta(seconds=1))),
        (refusal("Anything", 429), Throttled(timedelta(seconds=1))),
        (
            refusal("TooManyRequestsException", 429, "Daily message quota exceeded."),
            ChannelFailure("daily_quota_exceeded"),
        ),
        (refusal("SendingPausedException"), ChannelFailure("SendingPausedException")),
        (refusal("AccountSuspendedException"), ChannelFailure("AccountSuspendedException")),
        (refusal("MailFromDomainNotVerifiedException"), ChannelFailure("MailFromDomainNotVerifiedException")),
        (refusal("LimitExceededException"), ChannelFailure("LimitExceededException")),
        (refusal("NotFoundException", 404), ChannelFailure("NotFoundException")),
        (refusal("AccessDeniedException", 403), ChannelFailure("AccessDeniedException")),
        (refusal("ExpiredTokenException", 400), ChannelFailure("ExpiredTokenException")),
        (refusal("MessageRejected"), PermanentFailure("MessageRejected")),
        (
            refusal("MessageRejected", 400, f"Email address is not verified. The identities that failed: {SENDER}"),
            ChannelFailure("sender_not_verified"),
        ),
        (
            refusal(
                "MessageRejected", 400, "Email address is not verified. The identities that failed: ana@example.com"
            ),
            PermanentFailure("MessageRejected"),
        ),
        (refusal("BadRequestException"), PermanentFailure("BadRequestException")),
        (refusal("InternalFailure", 500), OutcomeUnknown("InternalFailure")),
        (refusal("", 502), OutcomeUnknown("status_502")),
        (refusal("ServiceUnavailable", 503), OutcomeUnknown("ServiceUnavailable")),
        (ReadTimeoutError(endpoint_url="x"), OutcomeUnknown("read_timeout")),
        (ConnectionClosedError(endpoint_url="x"), OutcomeUnknown("ConnectionClosedError")),
        (SSLError(endpoint_url="x", error="unexpected eof while reading"), OutcomeUnknown("SSLError")),
        (
            SSLError(endpoint_url="x", error="[SSL: CERTIFICATE_VERIFY_FAILED]"),
            TransientFailure("SSLError", unreached=True),
        ),
        (ConnectTimeoutError(endpoint_url="x"), TransientFailure("ConnectTimeoutError", unreached=True)),
        (EndpointConnectionError(endpoint_url="x"), TransientFailure("EndpointConnectionError", unreached=True)),
        (NoCredentialsError(), ChannelFailure("no_credentials")),
        (ParamValidationError(report="x"), PermanentFailure("invalid_request")),
        (BotoCoreError(), OutcomeUnknown("BotoCoreError")),
    ],
    ids=str,
)
def test_every_fault_has_its_verdict(error: ClientError | BotoCoreError, verdict: SendResult) -> None:
    assert read_error(error, SENDER) == verdict


class TestModels:
    def test_settings_are_checked_and_written_as_ses_takes_them(self) -> None:
        read = EmailSettings.model_validate({"fromEmail": "news@münchen.example"})
        assert read.from_email == "news@xn--mnchen-3ya.example"

    @pytest.mark.parametrize(
        "settings",
        [
            {},
            {"fromEmail": "nobody"},
            {"fromEmail": "a@b.example\r\nBcc: x@y.example"},
            {"fromEmail": "ä@example.com"},
            {**FULL, "replyTo": "?"},
            {**FULL, "configurationSet": "a b"},
            {**FULL, "password": "x"},
        ],
    )
    def test_bad_settings_are_refused(self, settings: Mapping[str, JsonValue]) -> None:
        with pytest.raises(ValidationError):
            EmailSettings.model_validate(settings)

    @pytest.mark.parametrize("content", [{"subject": "x"}, {"text": "x"}, {"subject": "x", "text": "y", "body": "z"}])
    def test_content_needs_a_subject_and_a_body_and_nothing_unknown(self, content: Mapping[str, str]) -> None:
        with pytest.raises(ValidationError):
            EmailContent.model_validate(content)

    def test_a_contact_is_reached_at_its_address_or_not_at_all(self) -> None:
        contact = Contact(uid="c", created_at=NOW, updated_at=NOW, phone="+491701234567")
        assert Email(CLIENT).address_of(contact) is None
        assert Email(CLIENT).address_of(contact.with_fields({"email": "a@example.com"})) == "a@example.com"


def test_the_quota_of_the_account_is_asked_once_in_a_while() -> None:
    with Stubber(CLIENT) as stub:
        quota = {"Max24HourSend": 50_000.0, "MaxSendRate": 14.0, "SentLast24Hours": 7.0}
        stub.add_response("get_account", {"SendQuota": quota})
        kind = Email(CLIENT)
        assert [kind.account_limits() for _ in range(3)] == [RateLimits(14.0, 50_000)] * 3


def test_an_account_that_tells_nothing_sets_no_limit() -> None:
    with Stubber(CLIENT) as stub:
        stub.add_client_error("get_account", "TooManyRequestsException")
        assert Email(CLIENT).account_limits() == RateLimits()
    with Stubber(CLIENT) as stub:
        stub.add_response("get_account", {"SendQuota": {"Max24HourSend": -1.0, "MaxSendRate": 0.0}})
        assert Email(CLIENT).account_limits() == RateLimits()
