"""Mails in the outbox: a mail parser reads them as they were sent, and no value escapes its header."""

from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.local.mail import build_eml

AT = datetime(2026, 5, 4, 12, 30, tzinfo=UTC)


def build(subject: str = "Hello", headers: tuple[tuple[str, str], ...] = (), **body: str) -> bytes:
    request: dict[str, Any] = {
        "FromEmailAddress": "Us <us@here.example>",
        "Destination": {"ToAddresses": ["you@there.example"]},
        "EmailTags": [{"Name": "message", "Value": "m-1"}],
        "Content": {
            "Simple": {
                "Subject": {"Data": subject},
                "Body": {kind: {"Data": text} for kind, text in (body or {"Text": "Hi"}).items()},
                "Headers": [{"Name": name, "Value": value} for name, value in headers],
            }
        },
    }
    return build_eml(request, "ses-1", AT)


def read(content: bytes) -> EmailMessage:
    mail = BytesParser(policy=policy.default).parsebytes(content)
    assert isinstance(mail, EmailMessage)
    return mail


def text_of(mail: EmailMessage, kind: str = "plain") -> str:
    part = mail.get_body((kind,))
    assert isinstance(part, EmailMessage)
    return str(part.get_content())


def test_a_mail_is_read_back_as_it_was_sent() -> None:
    mail = read(build("Grüße, Ádá ✓", Text="Hällo\nWelt\n", Html="<p>Hällo</p>"))

    assert (mail["Subject"], mail["From"], mail["To"]) == ("Grüße, Ádá ✓", "Us <us@here.example>", "you@there.example")
    assert (mail["X-Ses-Message-Id"], mail["X-Carillon-Message"]) == ("ses-1", "m-1")
    assert mail["Date"].datetime == AT
    assert text_of(mail).splitlines() == ["Hällo", "Welt"]
    assert text_of(mail, "html").strip() == "<p>Hällo</p>"


@pytest.mark.parametrize("breaker", ["\r\n", "\n", "\r", "\0", "\x0b", "\x85", "\u2028"])
def test_no_value_becomes_a_header_of_its_own(breaker: str) -> None:
    mail = read(build(f"Hi{breaker}Bcc: everybody@there.example", (("X-Own", f"a{breaker}X-Other: b"),)))

    assert mail["Bcc"] is None
    assert mail["X-Other"] is None
    assert mail["Subject"] == "Hi Bcc: everybody@there.example"


@pytest.mark.parametrize("name", ["Bad Name", "Bad:Name", "X\r\nBcc", "Content-Type", "x-carillon-message", "Ünicode"])
def test_a_header_that_is_no_name_or_ours_is_left_out(name: str) -> None:
    mail = read(build(headers=((name, "evil"),)))

    assert "evil" not in str(mail)
    assert mail["X-Carillon-Message"] == "m-1"


def test_a_name_beyond_ascii_and_many_addresses_stay_whole() -> None:
    request = {
        "FromEmailAddress": "Zoë <zoe@here.example>",
        "Destination": {"ToAddresses": [f"person{n}@there.example" for n in range(50)]},
        "Content": {"Simple": {"Subject": {"Data": "x"}, "Body": {"Text": {"Data": "x"}}}},
    }

    mail = read(build_eml(request, "ses-1", AT))

    assert mail["From"].addresses[0].display_name == "Zoë"
    assert len(mail["To"].addresses) == 50


@settings(max_examples=200, deadline=None)
@given(subject=st.text(max_size=2_000), text=st.text(max_size=3_000))
def test_whatever_is_written_no_line_is_too_long_and_nothing_is_added(subject: str, text: str) -> None:
    content = build(subject, Text=text)
    mail = read(content)

    assert max(map(len, content.split(b"\r\n"))) <= 998
    assert not mail.defects
    assert set(mail.keys()) <= {
        "X-Ses-Message-Id", "X-Carillon-Message", "Date", "Message-ID", "From", "To", "Subject", "MIME-Version",
        "Content-Type", "Content-Transfer-Encoding",
    }  # fmt: skip
    assert text_of(mail).splitlines() == text.encode("utf-8", "replace").decode().splitlines()
