"""One request over one connection, and the right result for each way it can end."""

import datetime
import ipaddress
import ssl
import threading
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from chalicelib.model.message import OutcomeUnknown, TransientFailure
from chalicelib.providers.http import MAX_ANSWER_BYTES, Http, Reply, Request
from tests.scripted_server import answer, closed_port, open_wire, split

NAME = "hooks.example.com"


def post(url: str, address: str | None = None, http: Http | None = None) -> Reply | TransientFailure | OutcomeUnknown:
    return (http or Http()).post(Request(url, {"X-Own": "1"}, b"body"), address)


def test_an_answer_is_told_whole() -> None:
    with open_wire(answer(201, b"made", Retry_After="3")) as wire:
        assert post(f"{wire.url}/a/b?c=d") == Reply(
            201, {"retry-after": "3", "content-length": "4", "connection": "close"}, b"made"
        )
        first, headers, body = split(wire.received[0])
    assert (first, body, headers["x-own"]) == ("POST /a/b?c=d HTTP/1.1", b"body", "1")
    assert headers["host"] == f"127.0.0.1:{wire.port}"


def test_a_redirect_is_an_answer_and_not_followed() -> None:
    with open_wire(answer(302, Location="http://169.254.169.254/")) as wire:
        reply = post(wire.url)
        assert isinstance(reply, Reply)
        assert (reply.status, len(wire.received)) == (302, 1)


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{closed_port()}")
    with open_wire(answer(200)) as wire:
        assert isinstance(post(wire.url), Reply)


def test_nobody_listening_means_not_sent() -> None:
    assert post(f"http://127.0.0.1:{closed_port()}") == TransientFailure("ConnectionRefusedError", unreached=True)
    assert isinstance(post("http://nowhere.invalid"), TransientFailure)


def test_a_connection_that_closes_without_an_answer_is_an_answer_lost() -> None:
    with open_wire(None) as wire:
        assert post(wire.url) == OutcomeUnknown("RemoteDisconnected")
        assert len(wire.received) == 1


@pytest.mark.parametrize("said", [b"garbage\r\n\r\n", b"HTTP/1.1 200 OK\r\n" + b"X: " + b"x" * 70_000 + b"\r\n\r\n"])
def test_an_answer_that_cannot_be_read_is_lost(said: bytes) -> None:
    with open_wire(said) as wire:
        assert isinstance(post(wire.url), OutcomeUnknown)


def test_an_answer_that_drips_is_cut_off_in_time() -> None:
    with open_wire(answer(200)) as wire:
        wire.stall = threading.Event()
        assert isinstance(post(wire.url, http=Http(read_seconds=0.05)), OutcomeUnknown)
        wire.stall.set()


def test_of_an_endless_answer_only_the_beginning_is_read() -> None:
    with open_wire(answer(200, b"x" * (3 * MAX_ANSWER_BYTES))) as wire:
        reply = post(wire.url)
        assert isinstance(reply, Reply)
        assert len(reply.body) == MAX_ANSWER_BYTES


class TestTls:
    def test_the_address_is_ours_and_the_name_is_the_urls(self, tmp_path: Path) -> None:
        context, authorities = certify(tmp_path, NAME)
        with open_wire(answer(200), context=context) as wire:
            reply = post(f"https://{NAME}:{wire.port}/", "127.0.0.1", Http(authorities))
            assert isinstance(reply, Reply)
            assert split(wire.received[0])[1]["host"] == f"{NAME}:{wire.port}"

    def test_a_certificate_for_another_name_means_not_sent(self, tmp_path: Path) -> None:
        context, authorities = certify(tmp_path, "other.example.com")
        with open_wire(answer(200), context=context) as wire:
            url = f"https://{NAME}:{wire.port}/"
            assert post(url, "127.0.0.1", Http(authorities)) == TransientFailure(
                "SSLCertVerificationError", unreached=True
            )
            assert wire.received == []

    def test_a_certificate_that_nobody_vouches_for_means_not_sent(self, tmp_path: Path) -> None:
        context, _ = certify(tmp_path, NAME)
        with open_wire(answer(200), context=context) as wire:
            assert post(f"https://{NAME}:{wire.port}/", "127.0.0.1") == TransientFailure(
                "SSLCertVerificationError", unreached=True
            )

    def test_a_server_without_tls_means_not_sent(self, tmp_path: Path) -> None:
        _, authorities = certify(tmp_path, NAME)
        with open_wire(b"HTTP/1.1 400 Bad Request\r\n\r\n") as wire:
            reply = post(f"https://{NAME}:{wire.port}/", "127.0.0.1", Http(authorities))
            assert isinstance(reply, TransientFailure)


def certify(folder: Path, name: str) -> tuple[ssl.SSLContext, str]:
    """Return a server context with a self-signed certificate for this name, and the file of that certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    names = x509.SubjectAlternativeName([x509.DNSName(name), x509.IPAddress(ipaddress.ip_address("192.0.2.1"))])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    plain = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    (folder / "server.pem").write_bytes(private + pem)
    (folder / "authorities.pem").write_bytes(pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    return context, str(folder / "authorities.pem")
