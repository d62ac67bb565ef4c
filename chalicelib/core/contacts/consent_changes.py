"""Build consent records from the changes of a contact."""

from datetime import datetime

from chalicelib.model.consent import ConsentRecord, ConsentSource
from chalicelib.model.contact import ConsentState, Contact
from chalicelib.model.message import MessageType


def consent_changes(
    before: Contact | None, after: Contact, origin: ConsentSource, now: datetime
) -> tuple[ConsentRecord, ...]:
    """Return one record per channel type and message type with a changed consent."""
    old = _flat(before) if before else {}
    new = _flat(after)
    changed = sorted(pair for pair in {*old, *new} if old.get(pair) != new.get(pair))
    return tuple(build_record(*pair, new.get(pair), origin, now) for pair in changed)


def build_record(
    channel_type: str, message_type: MessageType, state: ConsentState | None, origin: ConsentSource, now: datetime
) -> ConsentRecord:
    """Build the record of one channel type and message type."""
    return ConsentRecord(
        source=origin.source,
        proof=origin.proof,
        collected_at=origin.collected_at,
        channel_type=channel_type,
        message_type=message_type,
        state=state,
        at=now,
    )


def _flat(contact: Contact) -> dict[tuple[str, MessageType], ConsentState]:
    return {
        (channel_type, message_type): state
        for channel_type, consents in contact.consent.items()
        for message_type, state in consents.items()
    }
