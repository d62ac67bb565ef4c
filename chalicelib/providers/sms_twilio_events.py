"""Twilio SMS: read status callbacks and inbound texts as delivery reports.

https://www.twilio.com/docs/messaging/guides/track-outbound-message-status
"""

from __future__ import annotations

from urllib.parse import parse_qs, parse_qsl

from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_pascal

from chalicelib.model.delivery_report import MAX_CALLBACK_BYTES, DeliveryReport, ProviderCallback, SuppressionSignal
from chalicelib.model.execution import Engagement
from chalicelib.model.ids import read_message_uid
from chalicelib.providers.event_model import ProviderEvent, Text
from chalicelib.providers.event_reader import is_start, is_stop

#: The recipient has replied STOP.
UNSUBSCRIBED = "21610"
_STATUSES = {
    "accepted": Engagement.SENT,
    "scheduled": Engagement.SENT,
    "queued": Engagement.SENT,
    "sending": Engagement.SENT,
    "sent": Engagement.SENT,
    "delivered": Engagement.DELIVERED,
    "read": Engagement.OPENED,
    "undelivered": Engagement.BOUNCED,
    "failed": Engagement.FAILED,
    "canceled": Engagement.FAILED,
}
#: Failures that may pass: queue full, unreachable for now, unknown, validity period over.
_SOFT = frozenset({"30001", "30003", "30008", "30036"})


class _TwilioCallback(ProviderEvent):
    """The form that Twilio posts; inbound texts and older callbacks use the names with `Sms`."""

    model_config = ConfigDict(alias_generator=to_pascal)

    message_sid: Text = ""
    sms_sid: Text = ""
    message_status: Text = ""
    sms_status: Text = ""
    error_code: Text = ""
    to: Text = ""
    sender: Text = Field("", alias="From")
    body: Text = ""
    opt_out_type: Text = ""
    original_replied_message_sid: Text = ""


def read_callback(callback: ProviderCallback) -> tuple[DeliveryReport, ...]:
    """Return the report of a form that Twilio posted, or none for any other body."""
    form = _TwilioCallback.read(dict(read_form(callback)))
    sid = form.message_sid or form.sms_sid
    if not sid:
        return ()
    status = form.message_status or form.sms_status
    if status in {"received", "receiving"}:
        return (_read_inbound(form),)
    # The status callback URL of a message carries the message uid in its query.
    message_uid = parse_qs(callback.url.partition("?")[2]).get("message", [""])[0]
    code = form.error_code.strip()
    engagement = _STATUSES.get(status)
    has_failed = engagement in {Engagement.BOUNCED, Engagement.FAILED}
    report = DeliveryReport(
        engagement=engagement,
        message=read_message_uid(message_uid),
        provider_id=sid,
        code=(code or status) if has_failed else "",
        is_soft=has_failed and code in _SOFT,
        suppress=SuppressionSignal.OPTED_OUT if code == UNSUBSCRIBED else None,
        address=form.to or None,
    )
    return (report,)


def _read_inbound(form: _TwilioCallback) -> DeliveryReport:
    has_stopped = form.opt_out_type == "STOP" or is_stop(form.body)
    return DeliveryReport(
        engagement=Engagement.REPLIED,
        provider_id=form.original_replied_message_sid,
        suppress=SuppressionSignal.OPTED_OUT if has_stopped else None,
        address=form.sender or None,
        reply=form.body,
        resumes=form.opt_out_type == "START" or is_start(form.body),
    )


def read_form(callback: ProviderCallback) -> list[tuple[str, str]]:
    """Return the pairs of a posted form, in order; none for JSON, for a body too long or with too many fields."""
    if len(callback.body) > MAX_CALLBACK_BYTES or callback.body[:1] in {b"{", b"["}:
        return []
    try:
        return parse_qsl(callback.body.decode(), keep_blank_values=True, max_num_fields=200)
    except ValueError:
        return []
