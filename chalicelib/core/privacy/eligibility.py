"""May this contact get this message by this channel, now?"""

from datetime import datetime

from chalicelib.model.channel import Approval, Channel
from chalicelib.model.contact import ConsentState, Contact, ContactStatus
from chalicelib.model.message import MessageType
from chalicelib.model.skip_reason import SkipReason


def why_not_channel(channel: Channel | None) -> SkipReason | None:
    """The skip reason that the channel gives, or None."""
    if channel is None:
        return SkipReason.CHANNEL_NOT_FOUND
    if channel.approval is not Approval.APPROVED:
        return SkipReason.CHANNEL_NOT_APPROVED
    return None if channel.active else SkipReason.CHANNEL_INACTIVE


def why_not_contact(
    contact: Contact, channel_type: str, message_type: MessageType, strict: bool, address: str | None = None
) -> SkipReason | None:
    """The skip reason that status, suppression of `address` and consent give, or None.

    `strict`: the workspace demands consent for all message types.
    """
    if contact.status is not ContactStatus.ACTIVE:
        return SkipReason.of_status(contact.status)
    if address is not None and contact.is_suppressed(address, channel_type, message_type):
        return SkipReason.SUPPRESSED
    consent = contact.consent_to(channel_type, message_type)
    if consent is ConsentState.REVOKED:
        return SkipReason.CONSENT_REVOKED
    needs_consent = strict or message_type is MessageType.NEWSLETTER
    return SkipReason.NO_CONSENT if needs_consent and consent is not ConsentState.GRANTED else None


def why_not_address(contact: Contact, channel_type: str, address: str | None, now: datetime) -> SkipReason | None:
    """The skip reason that the address gives, or None: there is none, or the medium is known not to reach it."""
    if address is None:
        return SkipReason.NO_ADDRESS
    return SkipReason.NOT_CAPABLE if contact.is_unreachable(channel_type, address, now) else None
