"""Turns an accepted SES v2 SendEmail request into an .eml file that any mail program opens.

Written by hand: Python's email package takes a millisecond a mail, most of it for folding headers.
"""

import base64
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from email.header import Header
from email.utils import format_datetime, formataddr, getaddresses
from pathlib import Path
from typing import Any
from uuid import uuid4

#: The EmailTag that names Carillon's own message.
MESSAGE_TAG = "message"
#: RFC 5322: no line is longer, whatever is in it.
LONGEST_LINE = 998
#: Where a header is folded if it can be.
FOLD_AT = 76
#: What a header may be called.
FIELD_NAME = re.compile(r"[!-9;-~]{1,76}")
#: Headers that a request may not bring: they are ours.
OWN = re.compile(r"(?i)content-.*|mime-version|x-ses-message-id|x-ses-configuration-set|x-carillon-message")
#: No header holds these; line breaks and tabs among them are spaces to us.
CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\s]+")


def build_eml(request: Mapping[str, Any], ses_id: str, accepted: datetime) -> bytes:
    """The mail as it would leave SES, with SES's own id, our tag and the configuration set in front."""
    marks = [("X-Ses-Message-Id", ses_id), ("X-Carillon-Message", _find_tag(request))]
    marks.append(("X-Ses-Configuration-Set", request.get("ConfigurationSetName", "")))
    lines = "".join(f"{name}: {_plain(value)}\r\n" for name, value in marks if value).encode()
    content = request.get("Content", {})
    if "Raw" in content:
        return lines + base64.b64decode(content["Raw"]["Data"])
    return lines + _build_simple(request, content, ses_id, accepted)


def write_eml(outbox: Path, ses_id: str, accepted: datetime, content: bytes) -> None:
    """Write `<accept time>-<message id>.eml` so that it is there completely or not at all."""
    name = f"{accepted:%Y%m%dT%H%M%S.%fZ}-{_safe(ses_id)}.eml"
    draft = outbox / f".{name}"
    draft.write_bytes(content)
    draft.replace(outbox / name)


def _build_simple(request: Mapping[str, Any], content: Mapping[str, Any], ses_id: str, at: datetime) -> bytes:
    template = content.get("Template", {})
    simple = content.get("Simple", {"Subject": {"Data": f"[template] {template.get('TemplateName', '')}"}})
    destination = request.get("Destination", {})
    headers = [
        f"Date: {format_datetime(at)}\r\n",
        f"Message-ID: <{_plain(ses_id)}>\r\n",
        _addresses("From", [request.get("FromEmailAddress", "")]),
        _addresses("To", destination.get("ToAddresses", [])),
        _addresses("Cc", destination.get("CcAddresses", [])),
        _addresses("Reply-To", request.get("ReplyToAddresses", [])),
        _text("Subject", simple.get("Subject", {}).get("Data", "")),
        *_further(simple.get("Headers", [])),
        "MIME-Version: 1.0\r\n",
    ]
    return "".join(headers).encode() + _build_body(simple.get("Body", {}), template.get("TemplateData", ""))


def _further(headers: Iterable[Mapping[str, str]]) -> list[str]:
    """The request's own headers, without those that are ours or no names."""
    allowed = (each for each in headers if FIELD_NAME.fullmatch(each["Name"]) and not OWN.fullmatch(each["Name"]))
    return [_text(each["Name"], each["Value"]) for each in allowed]


def _build_body(body: Mapping[str, Any], otherwise: str) -> bytes:
    """The text, or text and HTML as alternatives."""
    text = _part("plain", body["Text"].get("Data", "") if "Text" in body else otherwise)
    if "Html" not in body:
        return text
    html = _part("html", body["Html"].get("Data", ""))
    if "Text" not in body:
        return html
    mark = f"=_{uuid4().hex}"
    opening = f'Content-Type: multipart/alternative; boundary="{mark}"\r\n\r\n--{mark}\r\n'.encode()
    return opening + text + f"--{mark}\r\n".encode() + html + f"--{mark}--\r\n".encode()


def _part(subtype: str, text: str) -> bytes:
    """Readable as it is where the lines are short enough, else in base64."""
    # Data comes from JSON, which may hold halves of a character.
    content = "\r\n".join([*text.splitlines(), ""]).encode("utf-8", "replace")
    encoding = "7bit" if content.isascii() else "8bit"
    if b"\0" in content or max(map(len, content.split(b"\r\n"))) > LONGEST_LINE:
        content, encoding = base64.encodebytes(content).replace(b"\n", b"\r\n"), "base64"
    head = f'Content-Type: text/{subtype}; charset="utf-8"\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n'
    return head.encode() + content


def _addresses(name: str, addresses: Iterable[str]) -> str:
    """One address a line; a name beyond ASCII becomes an encoded word (RFC 2047)."""
    plain = [_plain(address) for address in addresses if address.strip()]
    encoded = ",\r\n ".join(address if address.isascii() else _encode_names(address) for address in plain)
    return f"{name}: {encoded}\r\n" if encoded else ""


def _encode_names(addresses: str) -> str:
    try:
        return ",\r\n ".join(formataddr(pair) for pair in getaddresses([addresses]))
    except UnicodeError:  # The address itself is beyond ASCII: RFC 6532 has it as it is.
        return addresses


def _text(name: str, value: str) -> str:
    """An unstructured header; beyond ASCII, or too long for a line, it becomes encoded words (RFC 2047)."""
    plain = _plain(value)
    if len(name) + len(plain) <= FOLD_AT and plain.isascii() and "=?" not in plain:
        return f"{name}: {plain}\r\n" if plain else ""
    return f"{name}: {Header(plain, 'utf-8', FOLD_AT, name).encode(linesep=chr(13) + chr(10))}\r\n"


def _find_tag(request: Mapping[str, Any]) -> str:
    return next((tag["Value"] for tag in request.get("EmailTags", []) if tag["Name"] == MESSAGE_TAG), "")


def _plain(value: str) -> str:
    """On one line, so that no value becomes a header of its own."""
    return CONTROLS.sub(" ", value).strip().encode("utf-8", "replace").decode()


def _safe(name: str) -> str:
    return "".join(character if character.isalnum() or character in "@.-_" else "_" for character in name)
