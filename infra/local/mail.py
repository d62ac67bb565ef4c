"""Converts accepted SES v2 SendEmail requests to .eml files, which mail programs can open.

This code does not use Python's email package, which takes 1 ms per mail, mostly to fold headers.
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

#: EmailTag with Carillon's message uid.
MESSAGE_TAG = "message"
#: Longest line of a mail (RFC 5322), in bytes.
LONGEST_LINE = 998
#: Preferred length of a header line.
FOLD_AT = 76
#: Valid header names.
FIELD_NAME = re.compile(r"[!-9;-~]{1,76}")
#: Headers that a request cannot set, because this module writes them.
OWN = re.compile(r"(?i)content-.*|mime-version|x-ses-message-id|x-ses-configuration-set|x-carillon-message")
#: Characters replaced by a space in headers, such as line breaks and tabs.
CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\s]+")


def build_eml(request: Mapping[str, Any], ses_id: str, accepted: datetime) -> bytes:
    """Return the mail as SES sends it. The first headers are the SES id, the message uid and the configuration set."""
    marks = [("X-Ses-Message-Id", ses_id), ("X-Carillon-Message", _find_tag(request))]
    marks.append(("X-Ses-Configuration-Set", request.get("ConfigurationSetName", "")))
    lines = "".join(f"{name}: {_plain(value)}\r\n" for name, value in marks if value).encode()
    content = request.get("Content", {})
    if "Raw" in content:
        return lines + base64.b64decode(content["Raw"]["Data"])
    return lines + _build_simple(request, content, ses_id, accepted)


def write_eml(outbox: Path, ses_id: str, accepted: datetime, content: bytes) -> None:
    """Write `<accept time>-<message id>.eml` atomically, so that readers never see a partial file."""
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
    """Return the headers of the request, without reserved and invalid names."""
    allowed = (each for each in headers if FIELD_NAME.fullmatch(each["Name"]) and not OWN.fullmatch(each["Name"]))
    return [_text(each["Name"], each["Value"]) for each in allowed]


def _build_body(body: Mapping[str, Any], otherwise: str) -> bytes:
    """Return the text, the HTML, or both as alternatives."""
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
    """Return a part of the body, encoded in base64 if a line is too long."""
    # JSON may contain unpaired surrogates, which UTF-8 cannot encode.
    content = "\r\n".join([*text.splitlines(), ""]).encode("utf-8", "replace")
    encoding = "7bit" if content.isascii() else "8bit"
    if b"\0" in content or max(map(len, content.split(b"\r\n"))) > LONGEST_LINE:
        content, encoding = base64.encodebytes(content).replace(b"\n", b"\r\n"), "base64"
    head = f'Content-Type: text/{subtype}; charset="utf-8"\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n'
    return head.encode() + content


def _addresses(name: str, addresses: Iterable[str]) -> str:
    """Return a header with one address per line. Non-ASCII names become encoded words (RFC 2047)."""
    plain = [_plain(address) for address in addresses if address.strip()]
    encoded = ",\r\n ".join(address if address.isascii() else _encode_names(address) for address in plain)
    return f"{name}: {encoded}\r\n" if encoded else ""


def _encode_names(addresses: str) -> str:
    try:
        return ",\r\n ".join(formataddr(pair) for pair in getaddresses([addresses]))
    except UnicodeError:  # The address itself is not ASCII; RFC 6532 allows it unencoded.
        return addresses


def _text(name: str, value: str) -> str:
    """Return an unstructured header. Long or non-ASCII text becomes encoded words (RFC 2047)."""
    plain = _plain(value)
    if len(name) + len(plain) <= FOLD_AT and plain.isascii() and "=?" not in plain:
        return f"{name}: {plain}\r\n" if plain else ""
    return f"{name}: {Header(plain, 'utf-8', FOLD_AT, name).encode(linesep=chr(13) + chr(10))}\r\n"


def _find_tag(request: Mapping[str, Any]) -> str:
    return next((tag["Value"] for tag in request.get("EmailTags", []) if tag["Name"] == MESSAGE_TAG), "")


def _plain(value: str) -> str:
    """Return the value on one line, so that it cannot add another header."""
    return CONTROLS.sub(" ", value).strip().encode("utf-8", "replace").decode()


def _safe(name: str) -> str:
    return "".join(character if character.isalnum() or character in "@.-_" else "_" for character in name)
