"""Contract of the channel types: the send result for each outcome of a request, over real sockets."""

import base64
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

import pytest

from chalicelib.model.channel import Channel
from chalicelib.model.contact import Contact
from chalicelib.model.message import (
    Accepted,
    ChannelFailure,
    OutcomeUnknown,
    OutgoingMessage,
    Throttled,
    TransientFailure,
)
from chalicelib.ports import ChannelType
from chalicelib.providers.http import Http
from chalicelib.providers.registry import ChannelTypes, ProviderClients
from tests.scripted_server import Wire, answer, closed_port, open_wire
from tests.unit.providers.messages import NOW, PHONE, KnownSecrets, build_client, make_message

ENDPOINT = "arn:aws:sns:eu-west-1:123456789012:endpoint/GCM/shop/a1111111-2222"
CONTACT = Contact(
    uid="c", created_at=NOW, updated_at=NOW, email="ana@example.com", phone=PHONE, push_tokens=(ENDPOINT,)
)
SECRETS = KnownSecrets(
    twilio='{"authToken": "t"}', meta='{"accessToken": "t"}', hook="whsec_" + base64.b64encode(b"x" * 24).decode()
)
JSON_1_0 = {"Content_Type": "application/x-amz-json-1.0"}
SNS = "<{0}Response xmlns='http://sns.amazonaws.com/doc/2010-03-31/'>{1}</{0}Response>"


def sns(name: str, inner: str) -> bytes:
    return SNS.format(name, inner).encode()


def twilio(code: int, status: int) -> bytes:
    return json.dumps({"code": code, "message": "x", "status": status}).encode()


def meta(code: int) -> bytes:
    return json.dumps({"error": {"code": code, "message": "x"}}).encode()


@dataclass(frozen=True)
class Case:
    """A channel type, with the responses of its provider: accepted, throttled, and sender refused."""

    kind: str
    settings: Callable[[str], Mapping[str, object]]
    content: Mapping[str, str]
    accepted: bytes
    throttled: bytes
    forbidden: bytes
    provider_id: str = "m-1"


AMAZON = answer(429, b'{"message": "x"}', x_amzn_errortype="TooManyRequestsException")
TEXT = {"text": "Hello"}
CASES = {
    "email": Case(
        "email",
        lambda _: {"fromEmail": "news@example.com"},
        {"subject": "s", "text": "t"},
        answer(200, b'{"MessageId": "m-1"}'),
        AMAZON,
        answer(403, b'{"message": "x"}', x_amzn_errortype="AccessDeniedException"),
    ),
    "sms by aws": Case(
        "sms",
        lambda _: {"provider": "aws"},
        TEXT,
        answer(200, b'{"MessageId": "m-1"}', **JSON_1_0),
        answer(400, b'{"__type": "ThrottlingException", "Message": "x"}', **JSON_1_0),
        answer(400, b'{"__type": "AccessDeniedException", "Message": "x", "Reason": "ACCOUNT_DISABLED"}', **JSON_1_0),
    ),
    "sms by twilio": Case(
        "sms",
        lambda _: {"provider": "twilio", "accountSid": "AC" + "0" * 32, "secretName": "twilio", "sender": "12345"},
        TEXT,
        answer(201, b'{"sid": "m-1"}'),
        answer(429, twilio(20429, 429), Retry_After="1"),
        answer(401, twilio(20003, 401)),
    ),
    "whatsapp by aws": Case(
        "whatsapp",
        lambda _: {"provider": "aws", "phoneNumberId": "phone-number-id-1"},
        TEXT,
        answer(200, b'{"messageId": "m-1"}'),
        answer(429, b'{"message": "x"}', x_amzn_errortype="ThrottledRequestException"),
        answer(403, b'{"message": "x"}', x_amzn_errortype="AccessDeniedException"),
    ),
    "whatsapp by meta": Case(
        "whatsapp",
        lambda _: {"provider": "meta", "phoneNumberId": "106540352242922", "secretName": "meta"},
        TEXT,
        answer(200, b'{"messages": [{"id": "m-1"}]}'),
        answer(400, meta(130429), Retry_After="1"),
        answer(401, meta(190)),
    ),
    "rcs": Case(
        "rcs",
        lambda _: {"originationIdentity": "agent-1"},
        TEXT,
        answer(200, b'{"MessageId": "m-1"}', **JSON_1_0),
        answer(400, b'{"__type": "ThrottlingException", "Message": "x"}', **JSON_1_0),
        answer(400, b'{"__type": "ConflictException", "Message": "x", "Reason": "RESOURCE_NOT_ACTIVE"}', **JSON_1_0),
    ),
    "push": Case(
        "push",
        lambda _: {"applications": ["arn:aws:sns:eu-west-1:123456789012:app/GCM/shop"]},
        TEXT,
        answer(200, sns("Publish", "<PublishResult><MessageId>m-1</MessageId></PublishResult>")),
        answer(429, sns("Error", "<Error><Type>Sender</Type><Code>Throttled</Code></Error>")),
        answer(400, sns("Error", "<Error><Type>Sender</Type><Code>PlatformApplicationDisabled</Code></Error>")),
    ),
    "webhook": Case(
        "webhook",
        lambda url: {"url": f"{url}/in", "secretName": "hook"},
        TEXT,
        answer(204),
        answer(429, Retry_After="1"),
        answer(403),
        provider_id="w.f.c.n.1",
    ),
}


@pytest.fixture(params=CASES.values(), ids=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    found: Case = request.param
    return found


def build(case: Case, port: int) -> tuple[ChannelType, OutgoingMessage]:
    """Return the channel type, with its provider at this TCP port, and a message with valid settings and content."""
    url = f"http://127.0.0.1:{port}"
    edges = ProviderClients(
        ses=build_client("sesv2", url),
        messaging=build_client("pinpoint-sms-voice-v2", url),
        social=build_client("socialmessaging", url),
        sns=build_client("sns", url),
        secrets=SECRETS,
        http=Http(read_seconds=10),
        twilio_url=url,
        meta_url=url,
        webhook_allowed=frozenset({f"127.0.0.1:{port}"}),
    )
    kind = ChannelTypes(edges)[case.kind]
    read = kind.settings.model_validate_json(json.dumps(case.settings(url)))
    settings = read.model_dump(mode="json", by_alias=True, exclude_none=True)
    content = kind.content.model_validate(dict(case.content)).model_dump(by_alias=True, exclude_none=True)
    channel: Channel = make_message(case.kind, settings, content).channel
    to = kind.address_of(CONTACT)
    assert to is not None
    return kind, make_message(case.kind, channel.settings, content, to=to)


def send(case: Case, wire: Wire) -> object:
    kind, sent = build(case, wire.port)
    return kind.send(sent)


def test_what_is_taken_is_accepted_with_the_providers_id(case: Case) -> None:
    with open_wire(case.accepted) as wire:
        assert send(case, wire) == Accepted(case.provider_id)
        assert len(wire.received) == 1


def test_too_fast_is_waiting_and_no_failure(case: Case) -> None:
    with open_wire(case.throttled) as wire:
        assert send(case, wire) == Throttled(timedelta(seconds=1))
        assert len(wire.received) == 1


def test_a_refusal_of_the_channel_is_no_contacts_fault(case: Case) -> None:
    with open_wire(case.forbidden) as wire:
        assert isinstance(send(case, wire), ChannelFailure)


def test_a_lost_answer_is_unknown_and_asked_for_once(case: Case) -> None:
    with open_wire(None) as wire:
        assert isinstance(send(case, wire), OutcomeUnknown)
        assert len(wire.received) == 1


def test_a_5xx_without_a_word_is_unknown(case: Case) -> None:
    for status in (500, 502, 503, 504):
        with open_wire(answer(status)) as wire:
            assert isinstance(send(case, wire), OutcomeUnknown)
            assert len(wire.received) == 1


def test_an_answer_that_cannot_be_read_is_never_a_refusal(case: Case) -> None:
    """An empty success, or an unreadable 5xx, may mean that the message was accepted."""
    for status in (200, 500):
        with open_wire(answer(status, b"<nonsense")) as wire:
            assert isinstance(send(case, wire), OutcomeUnknown | Accepted)


def test_a_redirect_is_not_followed(case: Case) -> None:
    with open_wire(case.accepted) as elsewhere, open_wire(answer(307, Location=f"{elsewhere.url}/x")) as wire:
        assert not isinstance(send(case, wire), Accepted)
        assert elsewhere.received == []


def test_nobody_listening_means_not_sent(case: Case) -> None:
    kind, sent = build(case, closed_port())
    assert isinstance(kind.send(sent), TransientFailure)


def test_an_answer_that_never_comes_is_unknown_within_the_time_that_the_type_promises(case: Case) -> None:
    with open_wire(case.accepted) as wire:
        kind, sent = build(case, wire.port)
        wire.answers = [b""]
        began = time.monotonic()
        assert isinstance(kind.send(sent), OutcomeUnknown)
        assert time.monotonic() - began < kind.timeout.total_seconds()
