"""WhatsApp webhooks: read statuses, replies and preferences as delivery reports. AWS forwards the entries of Meta.

https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks/components
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from chalicelib.model.delivery_report import DeliveryReport, SuppressionSignal
from chalicelib.model.execution import Engagement
from chalicelib.model.ids import read_message_uid
from chalicelib.providers.event_model import LENIENT, LENIENT_LIST, ProviderEvent, Text
from chalicelib.providers.event_reader import is_start, is_stop, read_epoch

#: The user has stopped marketing messages from this business.
STOPPED_MARKETING = "131050"
#: Failures that may pass: undeliverable for now, held back by WhatsApp's own frequency cap, or an error at Meta.
_SOFT = frozenset({"131000", "131016", "131026", "131049", "130472"})
_STATUSES = {
    "sent": Engagement.SENT,
    "delivered": Engagement.DELIVERED,
    "read": Engagement.OPENED,
    "played": Engagement.OPENED,
    "failed": Engagement.FAILED,
}


class WhatsAppError(ProviderEvent):
    """An error object, in webhooks and in responses."""

    code: Text = ""


class _Status(ProviderEvent):
    id: Text = ""
    status: Text = ""
    #: Epoch time in seconds.
    timestamp: Text = ""
    recipient_id: Text = ""
    biz_opaque_callback_data: Text = ""
    errors: Annotated[tuple[WhatsAppError, ...], LENIENT_LIST] = ()


class _TextBody(ProviderEvent):
    body: Text = ""


class _Button(ProviderEvent):
    text: Text = ""


class _Choice(ProviderEvent):
    title: Text = ""


class _Interactive(ProviderEvent):
    button_reply: Annotated[_Choice, LENIENT] = Field(default_factory=_Choice)
    list_reply: Annotated[_Choice, LENIENT] = Field(default_factory=_Choice)


class _Context(ProviderEvent):
    """The message that this one answers."""

    id: Text = ""


class _Reply(ProviderEvent):
    sender: Text = Field("", alias="from")
    timestamp: Text = ""
    context: Annotated[_Context, LENIENT] = Field(default_factory=_Context)
    text: Annotated[_TextBody, LENIENT] = Field(default_factory=_TextBody)
    button: Annotated[_Button, LENIENT] = Field(default_factory=_Button)
    interactive: Annotated[_Interactive, LENIENT] = Field(default_factory=_Interactive)

    @property
    def content(self) -> str:
        """The text, the pressed button or the chosen list item; empty for media and other types."""
        choice = self.interactive.button_reply.title or self.interactive.list_reply.title
        return self.text.body or self.button.text or choice


class _Preference(ProviderEvent):
    wa_id: Text = ""
    category: Text = ""
    value: Text = ""
    timestamp: Text = ""


class _Value(ProviderEvent):
    statuses: Annotated[tuple[_Status, ...], LENIENT_LIST] = ()
    messages: Annotated[tuple[_Reply, ...], LENIENT_LIST] = ()
    user_preferences: Annotated[tuple[_Preference, ...], LENIENT_LIST] = ()


class _Change(ProviderEvent):
    value: Annotated[_Value, LENIENT] = Field(default_factory=_Value)


class WhatsAppEntry(ProviderEvent):
    """One entry of a webhook."""

    changes: Annotated[tuple[_Change, ...], LENIENT_LIST] = ()


class MetaWebhook(ProviderEvent):
    """The webhook that Meta posts."""

    kind: Text = Field("", alias="object")
    entry: Annotated[tuple[WhatsAppEntry, ...], LENIENT_LIST] = ()


class SocialMessagingEvent(ProviderEvent):
    """The event that AWS End User Messaging Social publishes: Meta's entry as a JSON text."""

    entry: Text = Field("", alias="whatsAppWebhookEntry")


def read_entry(entry: WhatsAppEntry) -> tuple[DeliveryReport, ...]:
    """Return the reports of an entry: statuses, replies and changed preferences."""
    return tuple(
        report
        for change in entry.changes
        for report in (
            *map(_read_status, change.value.statuses),
            *map(_read_reply, change.value.messages),
            *_read_preferences(change.value.user_preferences),
        )
    )


def _read_status(status: _Status) -> DeliveryReport:
    code = status.errors[0].code if status.errors else ""
    return DeliveryReport(
        engagement=_STATUSES.get(status.status),
        at=read_epoch(status.timestamp),
        message=read_message_uid(status.biz_opaque_callback_data),
        provider_id=status.id,
        code=code,
        is_soft=code in _SOFT,
        suppress=SuppressionSignal.OPTED_OUT_OF_MARKETING if code == STOPPED_MARKETING else None,
        address=_phone(status.recipient_id),
    )


def _read_reply(reply: _Reply) -> DeliveryReport:
    return DeliveryReport(
        engagement=Engagement.REPLIED,
        at=read_epoch(reply.timestamp),
        provider_id=reply.context.id,
        suppress=SuppressionSignal.OPTED_OUT if is_stop(reply.content) else None,
        address=_phone(reply.sender),
        reply=reply.content,
        resumes=is_start(reply.content),
    )


def _read_preferences(preferences: tuple[_Preference, ...]) -> Iterator[DeliveryReport]:
    for preference in preferences:
        if (preference.category, preference.value) == ("marketing_messages", "stop"):
            yield DeliveryReport(
                engagement=None,
                at=read_epoch(preference.timestamp),
                suppress=SuppressionSignal.OPTED_OUT_OF_MARKETING,
                address=_phone(preference.wa_id),
            )


def _phone(digits: str) -> str | None:
    """Return a number in E.164: WhatsApp leaves out the plus."""
    return f"+{digits.removeprefix('+')}" if digits else None
