"""Calling webhooks of strangers: signed, to the address that was checked, and nowhere inside."""

from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook as Verifier

from chalicelib.errors import InvalidRequest
from chalicelib.model.message import OutcomeUnknown, TransientFailure
from chalicelib.model.webhook import OutgoingCall
from chalicelib.providers.http import Reply, Request
from chalicelib.providers.webhook_client import SignedWebhookClient

SECRETS = ("whsec_" + "QUFB" * 8, "whsec_" + "QkJC" * 8)


class Wire:
    """In the place of the network."""

    def __init__(self, answer: Reply | TransientFailure | OutcomeUnknown) -> None:
        self.answer, self.sent = answer, list[tuple[Request, str | None]]()

    def post(self, request: Request, address: str | None = None) -> Reply | TransientFailure | OutcomeUnknown:
        self.sent.append((request, address))
        return self.answer


def call(url: str = "https://hooks.example.com/in?x=1") -> OutgoingCall:
    return OutgoingCall(
        workspace="w", delivery="d1", attempt=1, url=url, secrets=SECRETS, body='{"type":"flow.paused"}'
    )


def caller(wire: Wire, *addresses: str) -> SignedWebhookClient:
    return SignedWebhookClient(frozenset(), wire, lambda *_: addresses, lambda: datetime.now(UTC))  # type: ignore[arg-type]


def test_every_secret_signs_and_the_reference_library_agrees() -> None:
    wire = Wire(Reply(204, {}, b""))
    assert caller(wire, "93.184.215.14").call(call()) == (204, None)
    ((request, address),) = wire.sent
    assert address == "93.184.215.14"
    assert request.headers["webhook-id"] == "d1"
    for secret in SECRETS:
        assert Verifier(secret).verify(request.body, dict(request.headers)) == {"type": "flow.paused"}


@pytest.mark.parametrize(
    "addresses",
    [
        ("10.0.0.1",),
        ("93.184.215.14", "127.0.0.1"),
        ("::ffff:10.0.0.1",),
        ("64:ff9b::a00:1",),
        ("2002:a00:1::",),
        ("fe80::1",),
    ],
)
def test_a_name_that_leads_inside_is_not_called(addresses: tuple[str, ...]) -> None:
    wire = Wire(Reply(200, {}, b""))
    assert caller(wire, *addresses).call(call()) == (None, "url_not_allowed")
    assert wire.sent == []


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.com", "https://hooks.example.com:444", "https://0x7f000001/", "https://2130706433/",
        "https://0177.0.0.1/", "https://127.1/", "https://[::1]/", "https://a@hooks.example.com", "ftp://hooks.example.com",
        "https://hooks.example.com\\@10.0.0.1/", "https://hooks.example.com%00.evil/", "https://[fe80::1%25eth0]/",
        "https://\u2460\u2461\u2466.0.0.1/", "https:///x", "//hooks.example.com", "",
    ],
)  # fmt: skip
def test_no_trick_of_a_url_is_called_or_taken_down(url: str) -> None:
    wire = Wire(Reply(200, {}, b""))
    with pytest.raises(InvalidRequest):
        caller(wire, "93.184.215.14").check(url)
    assert caller(wire, "93.184.215.14").call(call(url)) == (None, "url_not_allowed")
    assert wire.sent == []


def test_what_went_wrong_is_told_apart() -> None:
    assert caller(Wire(TransientFailure("TimeoutError")), "93.184.215.14").call(call()) == (
        None,
        "not_connected: TimeoutError",
    )
    assert caller(Wire(OutcomeUnknown("read_timeout")), "93.184.215.14").call(call()) == (
        None,
        "no_answer: read_timeout",
    )
    assert caller(Wire(Reply(200, {}, b""))).call(call()) == (None, "no_address_of_host")


def test_a_redirect_is_an_answer_and_not_followed() -> None:
    wire = Wire(Reply(302, {"location": "http://10.0.0.1"}, b""))
    assert caller(wire, "93.184.215.14").call(call()) == (302, None)
    assert len(wire.sent) == 1
