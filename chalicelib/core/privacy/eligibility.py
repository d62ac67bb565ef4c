"""Decide whether a contact may receive a message on a channel now."""

from datetime import datetime

from chalicelib.model.channel import Approval, Channel
from chalicelib.model.contact import ConsentState, Contact, ContactStatus
from chalicelib.model.message import MessageType
from chalicelib.model.skip_reason import SkipReason


def why_not_channel(channel: Channel | None) -> SkipReason | None:
    """Return the skip reason of the channel, or None when the channel can send."""
    if channel is None:
        return SkipReason.CHANNEL_NOT_FOUND
    if channel.approval is not Approval.APPROVED:
        return SkipReason.CHANNEL_NOT_APPROVED
    return None if channel.active else SkipReason.CHANNEL_INACTIVE


def why_not_contact(
    contact: Contact, channel_type: str, message_type: MessageType, strict: bool, address: str | None = None
) -> SkipReason | None:
    """Return the skip reason from the status, the suppression of `address` and the consent, or None.

    `strict`: the workspace requires consent for all message types.
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
    """Return the skip reason of a missing or unreachable address, or None."""
    if address is None:
        return SkipReason.NO_ADDRESS
    return SkipReason.NOT_CAPABLE if contact.is_unreachable(channel_type, address, now) else None
