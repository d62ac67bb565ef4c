"""Turns an accepted SES v2 SendEmail request into an .eml file that any mail program opens."""

import base64
from collections.abc import Mapping
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from typing import Any

#: The EmailTag that names Carillon's own message.
MESSAGE_TAG = "message"


def build_eml(request: Mapping[str, Any], ses_id: str, accepted: datetime) -> bytes:
    """The mail as it would leave SES, with `X-Ses-Message-Id` and `X-Carillon-Message` in front."""
    marks = {"X-Ses-Message-Id": ses_id, "X-Carillon-Message": _find_tag(request)}
    lines = "".join(f"{name}: {_plain(value)}\r\n" for name, value in marks.items() if value)
    content = request.get("Content", {})
    if "Raw" in content:
        return lines.encode() + base64.b64decode(content["Raw"]["Data"])
    return lines.encode() + _build_simple(request, content, ses_id, accepted).as_bytes(policy=SMTP)


def write_eml(outbox: Path, ses_id: str, accepted: datetime, content: bytes) -> None:
    """Write `<accept time>-<message id>.eml` so that it is there completely or not at all."""
    name = f"{accepted:%Y%m%dT%H%M%S.%fZ}-{_safe(ses_id)}.eml"
    draft = outbox / f".{name}"
    draft.write_bytes(content)
    draft.replace(outbox / name)


def _build_simple(request: Mapping[str, Any], content: Mapping[str, Any], ses_id: str, at: datetime) -> EmailMessage:
    mail = EmailMessage()
    destination = request.get("Destination", {})
    template = content.get("Template", {})
    simple = content.get("Simple", {"Subject": {"Data": f"[template] {template.get('TemplateName', '')}"}})
    fields = {
        "Date": format_datetime(at),
        "Message-ID": f"<{_plain(ses_id)}>",
        "From": request.get("FromEmailAddress", ""),
        "To": ", ".join(destination.get("ToAddresses", [])),
        "Cc": ", ".join(destination.get("CcAddresses", [])),
        "Reply-To": ", ".join(request.get("ReplyToAddresses", [])),
        "Subject": simple.get("Subject", {}).get("Data", ""),
    }
    fields |= {header["Name"]: header["Value"] for header in simple.get("Headers", [])}
    for name, value in fields.items():
        if value and name not in mail:
            mail[name] = _plain(value)
    body = simple.get("Body", {})
    mail.set_content(body.get("Text", {}).get("Data", template.get("TemplateData", "")))
    if "Html" in body:
        mail.add_alternative(body["Html"].get("Data", ""), subtype="html")
    return mail


def _find_tag(request: Mapping[str, Any]) -> str:
    return next((tag["Value"] for tag in request.get("EmailTags", []) if tag["Name"] == MESSAGE_TAG), "")


def _plain(value: str) -> str:
    return " ".join(value.split())


def _safe(name: str) -> str:
    return "".join(character if character.isalnum() or character in "@.-_" else "_" for character in name)
