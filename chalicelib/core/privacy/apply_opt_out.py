"""Apply delivery reports to the suppression list: bounces, complaints and STOP add a block, START lifts a STOP."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from chalicelib.core.contacts.validate_contact import normalise_contact
from chalicelib.core.privacy.set_consent import set_consent
from chalicelib.core.privacy.suppress_address import lift_from, suppress_address
from chalicelib.errors import InvalidRequest, NotFound
from chalicelib.model.consent import ConsentSource
from chalicelib.model.contact import ConsentState, Contact, unique_keys
from chalicelib.model.delivery_report import DeliveryReport, SuppressionSignal
from chalicelib.model.ids import ContactUid, WorkspaceUid
from chalicelib.model.message import MessageType
from chalicelib.model.suppression import AddressKind, SuppressionBlock, SuppressionReason
from chalicelib.model.workspace import Workspace
from chalicelib.ports import Ports

#: Source of the consent change, as stored in the consent record.
STOP, START = "stop_word", "start_word"
_REASONS = {
    SuppressionSignal.HARD_BOUNCE: SuppressionReason.HARD_BOUNCE,
    SuppressionSignal.COMPLAINT: SuppressionReason.COMPLAINT,
    SuppressionSignal.OPTED_OUT: SuppressionReason.STOP,
    SuppressionSignal.OPTED_OUT_OF_MARKETING: SuppressionReason.STOP,
}
#: Number of newest consent records that are searched for the consents that a STOP revoked.
_RECORDS = 100


@dataclass(frozen=True, slots=True)
class AddressOwner:
    """An address in a workspace, spelled as in the contact, and the contact that currently has it."""

    workspace: WorkspaceUid
    kind: AddressKind
    address: str
    contact: Contact | None


def find_address_owner(ports: Ports, workspace: WorkspaceUid, address: str) -> AddressOwner | None:
    """Return the owner of an address.

    None when the address is neither an e-mail address nor a phone number, or when the workspace does not exist.
    """
    kind = AddressKind.EMAIL if "@" in address else AddressKind.PHONE
    known = ports.catalog.find(workspace, Workspace, workspace)
    if known is None:
        return None
    try:
        checked = str(normalise_contact({kind.value: address}, known.region)[kind.value])
    except InvalidRequest:
        return None
    email, phone = (checked, None) if kind is AddressKind.EMAIL else (None, checked)
    lookup = unique_keys(None, email, phone)[0]
    owner = ports.contacts.find_by(workspace, [lookup]).get(lookup)
    contact = ports.contacts.find_many(workspace, [owner], strong=True).get(owner) if owner else None
    # The suppression list hashes the address in the spelling of the contact, which may use capitals.
    return AddressOwner(workspace, kind, str(getattr(contact, kind) if contact else checked), contact)


def apply_opt_out(ports: Ports, place: AddressOwner, channel_type: str, report: DeliveryReport, at: datetime) -> None:
    """Suppress the address for what the report forbids. After the return no such send begins.

    Other signals, such as an invalid device token, are ignored; the channel handles them.
    """
    if report.suppress not in _REASONS:
        return
    is_partial = report.suppress is SuppressionSignal.OPTED_OUT_OF_MARKETING
    block = SuppressionBlock(
        address=place.kind,
        channel_type=channel_type,
        message_type=MessageType.NEWSLETTER if is_partial else None,
        reason=_REASONS[report.suppress],
        at=at,
    )
    suppress_address(ports, place.workspace, place.address, block)
    if block.reason is SuppressionReason.STOP and place.contact:
        _revoke(ports, place.workspace, place.contact, channel_type, block)


def _revoke(
    ports: Ports, workspace: WorkspaceUid, contact: Contact, channel_type: str, block: SuppressionBlock
) -> None:
    """Revoke the stated consents that the block covers. Unset consents stay unset; the suppression list covers them."""
    consents, origin = contact.consent.get(channel_type, {}), ConsentSource(source=STOP, collected_at=block.at)
    for message_type, state in consents.items():
        if state is not ConsentState.REVOKED and block.covers(channel_type, message_type):
            with suppress(NotFound):
                kind = (channel_type, message_type)
                set_consent(ports, workspace, contact.uid, kind, ConsentState.REVOKED, origin)


def apply_opt_in(ports: Ports, place: AddressOwner, channel_type: str, at: datetime) -> None:
    """Lift the STOP blocks of this channel type up to `at`, and grant again the consents that they revoked."""

    def is_stop(block: SuppressionBlock) -> bool:
        return block.reason is SuppressionReason.STOP and block.channel_type == channel_type and block.at <= at

    lift_from(ports, place.workspace, place.kind, place.address, is_stop)
    if place.contact is None:
        return
    uid = ContactUid(place.contact.uid)
    records = ports.consents.page(place.workspace, uid, _RECORDS, None).items
    for message_type in MessageType:
        history = [each for each in records if (each.channel_type, each.message_type) == (channel_type, message_type)]
        was_granted = len(history) > 1 and history[1].state is ConsentState.GRANTED
        if was_granted and history[0].source == STOP and (history[0].collected_at or history[0].at) <= at:
            with suppress(NotFound):
                kind = (channel_type, message_type)
                set_consent(
                    ports,
                    place.workspace,
                    uid,
                    kind,
                    ConsentState.GRANTED,
                    ConsentSource(source=START, collected_at=at),
                )
