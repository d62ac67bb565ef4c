"""WhatsApp's message object and its events, which are the same by AWS and by Meta itself.

https://developers.facebook.com/docs/whatsapp/cloud-api/reference/messages
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import Field, model_validator

from chalicelib.model.base import StrictModel
from chalicelib.model.delivery_report import DeliveryReport, SuppressionSignal
from chalicelib.model.execution import Engagement
from chalicelib.model.ids import read_message_uid
from chalicelib.providers.event_reader import get_map, get_maps, get_text, is_start, is_stop, read_epoch

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from chalicelib.model.message import OutgoingMessage

#: The user has stopped marketing messages from this business.
STOPPED_MARKETING = "131050"
#: Undeliverable for now, held back by WhatsApp's own cap, or a fault of theirs.
_SOFT = frozenset({"131000", "131016", "131026", "131049", "130472"})
_STATUSES = {
    "sent": Engagement.SENT,
    "delivered": Engagement.DELIVERED,
    "read": Engagement.OPENED,
    "played": Engagement.OPENED,
    "failed": Engagement.FAILED,
}
#: Where the text of an answer stands, by its kind.
_ANSWERS: tuple[tuple[str, ...], ...] = (
    ("text", "body"),
    ("button", "text"),
    ("interactive", "button_reply", "title"),
    ("interactive", "list_reply", "title"),
)
#: WhatsApp refuses these inside of a template's parameter: line breaks, tabs, more than four spaces in a row.
_BLANKS = re.compile(r"[\s\x00-\x1f]*[\r\n\t\x00-\x1f\u2028\u2029][\s\x00-\x1f]*| {5,}")

Parameter = Annotated[str, Field(min_length=1)] | None


class WhatsAppContent(StrictModel):
    """Either `text`, which is delivered within 24 hours of the contact's last message only, or an approved template.

    Each field is a template source, also the parameters, which are WhatsApp's {{1}} to {{9}} in the body.
    """

    text: Parameter = None
    template_name: Parameter = None
    #: As approved, such as `en_US`.
    language: Parameter = None
    #: The one variable that a header may have.
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
    #: The end of the address behind the template's first button.
    button: Parameter = None

    @model_validator(mode="after")
    def _is_one_of_two(self) -> Self:
        if (self.text is None) == (self.template_name is None):
            raise ValueError("give either text or templateName")
        if (self.template_name is None) != (self.language is None):
            raise ValueError("templateName needs language, and text has none")
        given = [self.__dict__[f"parameter{number}"] is not None for number in range(1, 10)]
        if sorted(given, reverse=True) != given:
            raise ValueError("parameters must be numbered from 1 without a gap")
        return self


def build_message(letter: OutgoingMessage, to: str) -> dict[str, object]:
    """The JSON of a message; the message uid comes back in every status."""
    kind = "text" if letter.content.get("text") else "template"
    return {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": to,
        "type": kind,
        kind: {"body": letter.content["text"]} if kind == "text" else _build_template(letter.content),
        "biz_opaque_callback_data": str(letter.uid),
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


def read_entry(entry: Mapping[str, object]) -> tuple[DeliveryReport, ...]:
    """The reports of one entry of a webhook: statuses, answers, and changed preferences."""
    return tuple(
        report
        for change in get_maps(entry, "changes")
        for value in [get_map(change, "value")]
        for report in (*_read_statuses(value), *_read_answers(value), *_read_preferences(value))
    )


def _read_statuses(value: Mapping[str, object]) -> Iterator[DeliveryReport]:
    for status in get_maps(value, "statuses"):
        code = get_text(status, "errors", 0, "code")
        yield DeliveryReport(
            engagement=_STATUSES.get(get_text(status, "status")),
            at=read_epoch(get_text(status, "timestamp")),
            message=read_message_uid(get_text(status, "biz_opaque_callback_data")),
            provider_id=get_text(status, "id"),
            code=code,
            is_soft=code in _SOFT,
            suppress=SuppressionSignal.OPTED_OUT_OF_MARKETING if code == STOPPED_MARKETING else None,
            address=_phone(get_text(status, "recipient_id")),
        )


def _read_answers(value: Mapping[str, object]) -> Iterator[DeliveryReport]:
    """Texts, pressed buttons, chosen rows; of other kinds only that there was an answer."""
    for message in get_maps(value, "messages"):
        text = next(filter(None, (get_text(message, *path) for path in _ANSWERS)), "")
        yield DeliveryReport(
            engagement=Engagement.REPLIED,
            at=read_epoch(get_text(message, "timestamp")),
            provider_id=get_text(message, "context", "id"),
            suppress=SuppressionSignal.OPTED_OUT if is_stop(text) else None,
            address=_phone(get_text(message, "from")),
            reply=text,
            resumes=is_start(text),
        )


def _read_preferences(value: Mapping[str, object]) -> Iterator[DeliveryReport]:
    for preference in get_maps(value, "user_preferences"):
        if (get_text(preference, "category"), get_text(preference, "value")) == ("marketing_messages", "stop"):
            yield DeliveryReport(
                engagement=None,
                at=read_epoch(get_text(preference, "timestamp")),
                suppress=SuppressionSignal.OPTED_OUT_OF_MARKETING,
                address=_phone(get_text(preference, "wa_id")),
            )


def _phone(digits: str) -> str | None:
    """WhatsApp writes numbers without the plus."""
    return f"+{digits.removeprefix('+')}" if digits else None
