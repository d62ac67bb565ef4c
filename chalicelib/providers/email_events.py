"""Amazon SES event publishing: read bounces, complaints and engagement as delivery reports.

https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_camel

from chalicelib.model.delivery_report import DeliveryReport, SuppressionSignal
from chalicelib.model.execution import Engagement
from chalicelib.model.ids import read_message_uid
from chalicelib.providers.event_model import LENIENT, LENIENT_LIST, Flag, ProviderEvent, Text, Texts, get_first
from chalicelib.providers.event_reader import read_iso


class _SesObject(ProviderEvent):
    model_config = ConfigDict(alias_generator=to_camel)


class _Tags(_SesObject):
    """Tags of a mail; `message` holds the message uid."""

    message: Texts = ()


class _Mail(_SesObject):
    timestamp: Text = ""
    message_id: Text = ""
    destination: Texts = ()
    tags: Annotated[_Tags, LENIENT] = Field(default_factory=_Tags)


class _SesEvent(_SesObject):
    event_type: Text = ""
    #: The name of the event type in SES's older feedback notifications.
    notification_type: Text = ""
    mail: Annotated[_Mail, LENIENT] = Field(default_factory=_Mail)


class _Recipient(_SesObject):
    email_address: Text = ""


class _Details(_SesObject):
    """The object of an event that belongs to its type. Subclasses say what it means for the message."""

    timestamp: Text = ""

    @property
    def code(self) -> str:
        return ""

    @property
    def is_soft(self) -> bool:
        return False

    @property
    def suppression(self) -> SuppressionSignal | None:
        return None

    @property
    def address(self) -> str:
        """The recipient that the event is about; empty if it does not name one."""
        return ""


class _Bounce(_Details):
    bounce_type: Text = ""
    bounce_sub_type: Text = ""
    bounced_recipients: Annotated[tuple[_Recipient, ...], LENIENT_LIST] = ()

    @property
    def code(self) -> str:
        return ".".join(filter(None, (self.bounce_type, self.bounce_sub_type)))

    @property
    def is_soft(self) -> bool:
        return self.bounce_type != "Permanent"

    @property
    def suppression(self) -> SuppressionSignal | None:
        return None if self.is_soft else SuppressionSignal.HARD_BOUNCE

    @property
    def address(self) -> str:
        return self.bounced_recipients[0].email_address if self.bounced_recipients else ""


class _Complaint(_Details):
    complaint_feedback_type: Text = ""
    complained_recipients: Annotated[tuple[_Recipient, ...], LENIENT_LIST] = ()

    @property
    def code(self) -> str:
        return self.complaint_feedback_type

    @property
    def suppression(self) -> SuppressionSignal | None:
        # SES reports "not-spam" when a recipient moves a mail out of the spam folder.
        return None if self.complaint_feedback_type == "not-spam" else SuppressionSignal.COMPLAINT

    @property
    def address(self) -> str:
        return self.complained_recipients[0].email_address if self.complained_recipients else ""


class _Delay(_Details):
    delay_type: Text = ""

    @property
    def code(self) -> str:
        return self.delay_type


class _Reject(_Details):
    reason: Text = ""

    @property
    def code(self) -> str:
        return self.reason


class _RenderingFailure(_Details):
    template_name: Text = ""

    @property
    def code(self) -> str:
        return self.template_name


class _TopicPreferences(_SesObject):
    unsubscribe_all: Flag = None


class _Subscription(_Details):
    new_topic_preferences: Annotated[_TopicPreferences, LENIENT] = Field(default_factory=_TopicPreferences)

    @property
    def suppression(self) -> SuppressionSignal | None:
        return SuppressionSignal.OPTED_OUT if self.new_topic_preferences.unsubscribe_all else None


#: Event type → the field with its details, their model, and the engagement that the event proves.
#: SES must have accepted a mail to report a complaint, an open or a delay; a complaint also proves delivery.
_EVENTS: Mapping[str, tuple[str, type[_Details], Engagement | None]] = {
    "Send": ("send", _Details, Engagement.SENT),
    "Delivery": ("delivery", _Details, Engagement.DELIVERED),
    "DeliveryDelay": ("deliveryDelay", _Delay, Engagement.SENT),
    "Bounce": ("bounce", _Bounce, Engagement.BOUNCED),
    "Complaint": ("complaint", _Complaint, Engagement.DELIVERED),
    "Reject": ("reject", _Reject, Engagement.FAILED),
    "Rendering Failure": ("failure", _RenderingFailure, Engagement.FAILED),
    "Open": ("open", _Details, Engagement.OPENED),
    "Click": ("click", _Details, Engagement.CLICKED),
    "Subscription": ("subscription", _Subscription, None),
}


def read_ses_event(body: Mapping[str, object]) -> tuple[DeliveryReport, ...]:
    """Return the report of an SES event, or none for any other object."""
    event = _SesEvent.read(body)
    kind, mail = event.event_type or event.notification_type, event.mail
    # Only the presence of `mail` tells an SES event: a complaint about a mail without an id must still suppress.
    if kind not in _EVENTS or "mail" not in body:
        return ()
    field, model, engagement = _EVENTS[kind]
    details = model.read(body.get(field))
    report = DeliveryReport(
        engagement=engagement,
        at=read_iso(details.timestamp or mail.timestamp),
        message=read_message_uid(get_first(mail.tags.message)),
        provider_id=mail.message_id,
        code=details.code,
        is_soft=details.is_soft,
        suppress=details.suppression,
        address=details.address or get_first(mail.destination) or None,
    )
    return (report,)
