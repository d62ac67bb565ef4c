"""WhatsApp's message object and events, which are the same over AWS and over Meta.

https://developers.facebook.com/docs/whatsapp/cloud-api/reference/messages
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import Field, model_validator

from chalicelib.model.base import StrictModel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chalicelib.model.message import OutgoingMessage

#: WhatsApp refuses these in a template parameter: line breaks, tabs, more than four consecutive spaces.
_BLANKS = re.compile(r"[\s\x00-\x1f]*[\r\n\t\x00-\x1f\u2028\u2029][\s\x00-\x1f]*| {5,}")

Parameter = Annotated[str, Field(min_length=1)] | None


class WhatsAppContent(StrictModel):
    """Content of a WhatsApp template: a `text` or an approved template of WhatsApp.

    A text is delivered only within 24 hours after the contact's last message. Each field is a template source. The
    parameters fill WhatsApp's {{1}} to {{9}} in the body.
    """

    text: Parameter = None
    template_name: Parameter = None
    #: Language of the approved template, such as `en_US`.
    language: Parameter = None
    #: Value of the only variable that a header may have.
    header: Parameter = None
    parameter1: Parameter = None
    parameter2: Parameter = None
    parameter3: Parameter = None
    parameter4: Parameter = None
    parameter5: Parameter = None
    parameter6: Parameter = None
    parameter7: Parameter = None
    parameter8: Parameter = None
    parameter9: Parameter = None
    #: End of the URL of the template's first button.
    button: Parameter = None

    @model_validator(mode="after")
    def _is_one_of_two(self) -> Self:
        if (self.text is None) == (self.template_name is None):
            raise ValueError("set exactly one of text and templateName")
        if (self.template_name is None) != (self.language is None):
            raise ValueError("language is required with templateName and not allowed with text")
        is_set = [self.__dict__[f"parameter{number}"] is not None for number in range(1, 10)]
        if sorted(is_set, reverse=True) != is_set:
            raise ValueError("parameters must be numbered from 1 without a gap")
        return self


def build_message(outgoing: OutgoingMessage, to: str) -> dict[str, object]:
    """Return the JSON of a message. Every status returns the message uid."""
    kind = "text" if outgoing.content.get("text") else "template"
    return {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": to,
        "type": kind,
        kind: {"body": outgoing.content["text"]} if kind == "text" else _build_template(outgoing.content),
        "biz_opaque_callback_data": str(outgoing.uid),
    }


def _build_template(content: Mapping[str, str]) -> dict[str, object]:
    body = [content[f"parameter{number}"] for number in range(1, 10) if f"parameter{number}" in content]
    components = [
        *_component("header", [content["header"]] if "header" in content else []),
        *_component("body", body),
        *({**each, "sub_type": "url", "index": "0"} for each in _component("button", _button(content))),
    ]
    template: dict[str, object] = {"name": content["templateName"], "language": {"code": content["language"]}}
    return {**template, "components": components} if components else template


def _button(content: Mapping[str, str]) -> list[str]:
    return [content["button"]] if "button" in content else []


def _component(kind: str, texts: list[str]) -> list[dict[str, object]]:
    parameters = [{"type": "text", "text": _BLANKS.sub(" ", text).strip()} for text in texts]
    return [{"type": kind, "parameters": parameters}] if parameters else []
