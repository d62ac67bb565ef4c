"""Pages for contacts: plain HTML without scripts, cookies and images."""

import base64
import hashlib
from collections.abc import Mapping
from html import escape
from typing import ClassVar

from chalicelib.api.http.endpoint import ApiResponse, NoData
from chalicelib.model.base import StrictModel
from chalicelib.model.message import MessageType

_STYLE = """
:root{color-scheme:light dark}
body{font:1.125rem/1.5 system-ui,sans-serif;margin:0;padding:2rem 1rem;color:CanvasText;background:Canvas}
main{max-width:34rem;margin:0 auto}
h1{font-size:1.5rem;line-height:1.25}
fieldset{border:1px solid GrayText;border-radius:.5rem;margin:0 0 1.5rem;padding:.75rem 1rem}
label{display:flex;gap:.75rem;align-items:baseline;padding:.5rem 0}
input{flex:none;width:1.25rem;height:1.25rem;margin:0;translate:0 .2rem}
button{font:inherit;padding:.75rem 1.5rem;border:2px solid ButtonText;border-radius:.5rem;cursor:pointer}
:focus-visible{outline:3px solid Highlight;outline-offset:2px}
""".strip()
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    # The URL of such a page acts for the contact, so it must not leak by a referrer.
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
}
_CHANNELS = {"email": "e-mail", "sms": "SMS", "whatsapp": "WhatsApp", "rcs": "RCS", "push": "push notification"}
_MESSAGES = {
    MessageType.NEWSLETTER: "newsletters and offers by {}",
    MessageType.MESSAGE: "all other messages by {}, also about orders and requests",
    MessageType.CONVERSATION: "answers to your messages by {}",
}


class Form(StrictModel):
    """The body of a form, as browsers and mail clients send it. It may be empty."""

    plain_bodies: ClassVar[Mapping[str, str]] = {
        "application/x-www-form-urlencoded": "form",
        "multipart/form-data": "multipart",
    }

    form: str = ""
    """The form as `application/x-www-form-urlencoded`."""
    multipart: str = ""
    """The form as `multipart/form-data`."""


def page(title: str, content: str, status: int = 200) -> ApiResponse[NoData]:
    """Build a page. `title` is text; `content` is HTML with escaped texts."""
    text = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n"
        f"<body><main><h1>{escape(title)}</h1>\n{content}\n</main></body></html>\n"
    )
    return ApiResponse(status, text, _HEADERS, "text/html; charset=utf-8")


def paragraph(text: str, role: str = "") -> str:
    """Build a paragraph. Screen readers announce `role="status"`."""
    return f"<p{f' role={chr(34)}{role}{chr(34)}' if role else ''}>{escape(text)}</p>"


def unknown_link() -> ApiResponse[NoData]:
    """Build the page for an invalid link."""
    text = "This link is incomplete or no longer exists. Please use the link in a newer message."
    return page("This link does not work", paragraph(text), 404)


def describe(channel_type: str, message_type: MessageType) -> str:
    """Return the name of a kind of message for use in a sentence."""
    return _MESSAGES[message_type].format(_CHANNELS.get(channel_type, channel_type))
