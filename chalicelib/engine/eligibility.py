"""May this contact get this message by this channel, now?"""

from datetime import datetime

from chalicelib.model.channel import Approval, Channel
from chalicelib.model.contact import ConsentState, Contact, ContactStatus
from chalicelib.model.message import MessageType


def why_not_channel(channel: Channel | None) -> str | None:
    """The skip reason that the channel gives, or None."""
    if channel is None:
        return "channel_not_found"
    if channel.approval is not Approval.APPROVED:
        return "channel_not_approved"
    return None if channel.active else "channel_inactive"


def why_not_contact(
    contact: Contact, channel_type: str, message_type: MessageType, strict: bool, address: str | None = None
) -> str | None:
    """The skip reason that status, suppression of `address` and consent give, or None.

    `strict`: the workspace demands consent for all message types.
    """
    if contact.status is not ContactStatus.ACTIVE:
        return f"contact_{contact.status.lower()}"
    if address is not None and contact.is_suppressed(address, channel_type, message_type):
        return "suppressed"
    consent = contact.consent_to(channel_type, message_type)
    if consent is ConsentState.REVOKED:
        return "consent_revoked"
    needs_consent = strict or message_type is MessageType.NEWSLETTER
    return "no_consent" if needs_consent and consent is not ConsentState.GRANTED else None


def why_not_address(contact: Contact, channel_type: str, address: str | None, now: datetime) -> str | None:
    """The skip reason that the address gives, or None: there is none, or the medium is known not to reach it."""
    if address is None:
        return "no_address"
    return "not_capable" if contact.is_unreachable(channel_type, address, now) else None
