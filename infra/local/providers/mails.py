"""Mails that the embedded SES accepted, as SES's own events tell of them.

https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-examples.html
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from email import policy
from email.parser import BytesHeaderParser
from email.utils import parseaddr

from infra.local.providers.desk import Taken, new_id
from infra.local.providers.fates import Fate, read_mail_address
from infra.local.providers.reports import Event
from infra.local.providers.steps import Step

_BOUNCES = {
    Step.BOUNCED: {"bounceType": "Permanent", "bounceSubType": "General"},
    Step.SOFT_BOUNCED: {"bounceType": "Transient", "bounceSubType": "MailboxFull"},
}


def read_mail(content: bytes) -> Taken:
    """A file of the outbox. SES reports of mails that named a configuration set, so others report nothing."""
    headers = BytesHeaderParser(policy=policy.compat32).parsebytes(content)
    address = parseaddr(str(headers.get("To", "")))[1]
    return Taken(
        channel="email",
        provider="ses",
        to=address,
        text="",
        fate=read_mail_address(address),
        provider_id=str(headers.get("X-Ses-Message-Id", "")),
        message_uid=str(headers.get("X-Carillon-Message", "")),
        details={
            "sender": parseaddr(str(headers.get("From", "")))[1],
            "configurationSet": str(headers.get("X-Ses-Configuration-Set", "")),
            "reports": "X-Ses-Configuration-Set" in headers,
        },
    )


def build_event(taken: Taken, step: Step, at: datetime) -> Event | None:
    """One step as SES publishes it; None where SES knows of no such thing."""
    kind, part = _describe(taken, step, f"{at.isoformat(timespec='milliseconds').replace('+00:00', 'Z')}")
    if not kind:
        return None
    mail = {
        "timestamp": at.isoformat(),
        "source": taken.details["sender"],
        "messageId": taken.provider_id,
        "destination": [taken.to],
        "tags": {"ses:configuration-set": [taken.details["configurationSet"]], "message": [taken.message_uid]},
    }
    return Event({"eventType": kind, "mail": mail, **part})


def _describe(taken: Taken, step: Step, moment: str) -> tuple[str, Mapping[str, object]]:
    if step in _BOUNCES:
        kind = {"bounceType": "Permanent", "bounceSubType": "OnAccountSuppressionList"}
        told = kind if taken.fate is Fate.SUPPRESSED else _BOUNCES[step]
        recipients = [{"emailAddress": taken.to, "action": "failed", "status": "5.1.1"}]
        bounce = {**told, "bouncedRecipients": recipients, "timestamp": moment, "feedbackId": new_id()}
        return "Bounce", {"bounce": bounce}
    if step is Step.COMPLAINED:
        complained = [{"emailAddress": taken.to}]
        told = {"complaintFeedbackType": "abuse", "timestamp": moment, "feedbackId": new_id()}
        return "Complaint", {"complaint": {**told, "complainedRecipients": complained}}
    others: Mapping[Step, tuple[str, Mapping[str, object]]] = {
        Step.SENT: ("Send", {"send": {}}),
        Step.DELIVERED: ("Delivery", {"delivery": {"timestamp": moment, "recipients": [taken.to]}}),
        Step.READ: ("Open", {"open": {"timestamp": moment, "userAgent": "local", "ipAddress": "127.0.0.1"}}),
        Step.CLICKED: ("Click", {"click": {"timestamp": moment, "link": "https://example.com/", "userAgent": "local"}}),
    }
    return others.get(step, ("", {}))
