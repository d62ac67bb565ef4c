"""Events of SES for mails that the embedded SES accepted.

https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-examples.html
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from email import policy
from email.parser import BytesHeaderParser
from email.utils import parseaddr

from infra.local.providers.inbox import AcceptedMessage, new_id
from infra.local.providers.reports import Event
from infra.local.providers.scripted_outcomes import ScriptedOutcome, read_mail_address
from infra.local.providers.steps import Step

_BOUNCES = {
    Step.BOUNCED: {"bounceType": "Permanent", "bounceSubType": "General"},
    Step.SOFT_BOUNCED: {"bounceType": "Transient", "bounceSubType": "MailboxFull"},
}


def read_mail(content: bytes) -> AcceptedMessage:
    """Parse a mail of the outbox. SES publishes events only for mails with a configuration set."""
    headers = BytesHeaderParser(policy=policy.compat32).parsebytes(content)
    address = parseaddr(str(headers.get("To", "")))[1]
    return AcceptedMessage(
        channel="email",
        provider="ses",
        to=address,
        text="",
        outcome=read_mail_address(address),
        provider_id=str(headers.get("X-Ses-Message-Id", "")),
        message_uid=str(headers.get("X-Carillon-Message", "")),
        details={
            "sender": parseaddr(str(headers.get("From", "")))[1],
            "configurationSet": str(headers.get("X-Ses-Configuration-Set", "")),
            "reports": "X-Ses-Configuration-Set" in headers,
        },
    )


def build_event(accepted: AcceptedMessage, step: Step, at: datetime) -> Event | None:
    """Return the SES event of a step, or None if SES has no such event."""
    kind, part = _describe(accepted, step, f"{at.isoformat(timespec='milliseconds').replace('+00:00', 'Z')}")
    if not kind:
        return None
    mail = {
        "timestamp": at.isoformat(),
        "source": accepted.details["sender"],
        "messageId": accepted.provider_id,
        "destination": [accepted.to],
        "tags": {"ses:configuration-set": [accepted.details["configurationSet"]], "message": [accepted.message_uid]},
    }
    return Event({"eventType": kind, "mail": mail, **part})


def _describe(accepted: AcceptedMessage, step: Step, moment: str) -> tuple[str, Mapping[str, object]]:
    if step in _BOUNCES:
        kind = {"bounceType": "Permanent", "bounceSubType": "OnAccountSuppressionList"}
        bounced = kind if accepted.outcome is ScriptedOutcome.SUPPRESSED else _BOUNCES[step]
        recipients = [{"emailAddress": accepted.to, "action": "failed", "status": "5.1.1"}]
        bounce = {**bounced, "bouncedRecipients": recipients, "timestamp": moment, "feedbackId": new_id()}
        return "Bounce", {"bounce": bounce}
    if step is Step.COMPLAINED:
        complained = [{"emailAddress": accepted.to}]
        complaint = {"complaintFeedbackType": "abuse", "timestamp": moment, "feedbackId": new_id()}
        return "Complaint", {"complaint": {**complaint, "complainedRecipients": complained}}
    others: Mapping[Step, tuple[str, Mapping[str, object]]] = {
        Step.SENT: ("Send", {"send": {}}),
        Step.DELIVERED: ("Delivery", {"delivery": {"timestamp": moment, "recipients": [accepted.to]}}),
        Step.READ: ("Open", {"open": {"timestamp": moment, "userAgent": "local", "ipAddress": "127.0.0.1"}}),
        Step.CLICKED: ("Click", {"click": {"timestamp": moment, "link": "https://example.com/", "userAgent": "local"}}),
    }
    return others.get(step, ("", {}))
