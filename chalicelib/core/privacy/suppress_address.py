"""Add addresses to the suppression list and remove them, and update the contact that has the address."""

from collections.abc import Callable, Sequence
from contextlib import suppress

from chalicelib.core.contacts.sync_suppressions import TRIES, address_kind_for, hashes_of, sync_suppressions
from chalicelib.errors import Conflict, NotFound, RetryLater
from chalicelib.model.contact import Contact, unique_keys
from chalicelib.model.ids import WorkspaceUid
from chalicelib.model.message import OutgoingMessage
from chalicelib.model.signing import hash_address
from chalicelib.model.suppression import AddressKind, Suppression, SuppressionBlock, SuppressionReason
from chalicelib.ports import Ports

Blocks = tuple[SuppressionBlock, ...]


def suppress_address(ports: Ports, workspace: WorkspaceUid, address: str, block: SuppressionBlock) -> Suppression:
    """Add a block to an address, spelled as in the contact. After the return no send under the block begins."""
    lookups = unique_keys(None, *((address, None) if block.address is AddressKind.EMAIL else (None, address)))
    uid = hash_address(ports.secret(), workspace, block.address, address)
    add_block(ports, workspace, uid, block)
    # The entry is written first. A contact that gets the address later reads it; an existing owner is found below.
    owner = ports.contacts.find_by(workspace, lookups).get(lookups[0])
    if owner:
        sync_suppressions(ports, workspace, owner)
        _write(ports, workspace, uid, lambda blocks: blocks, owner)
    return ports.catalog.get(workspace, Suppression, uid)


def suppress_recipient(ports: Ports, workspace: WorkspaceUid, message: OutgoingMessage, contact: Contact) -> None:
    """Stop further messages of this type to a recipient that the provider refuses.

    The suppression list holds e-mail addresses and phone numbers only. The channel handles other addresses.
    """
    kind = address_kind_for(ports, contact, message.channel.type)
    if kind is None:
        return
    block = SuppressionBlock(
        address=kind,
        channel_type=message.channel.type,
        message_type=message.message_type,
        reason=SuppressionReason.STOP,
        at=ports.clock.now(),
    )
    suppress_address(ports, workspace, message.to, block)


def lift_from(
    ports: Ports, workspace: WorkspaceUid, kind: AddressKind, address: str, lifted: Callable[[SuppressionBlock], bool]
) -> None:
    """Remove the blocks that `lifted` selects from an address and from the contact that has it."""
    lookups = unique_keys(None, *((address, None) if kind is AddressKind.EMAIL else (None, address)))
    uid = hash_address(ports.secret(), workspace, kind, address)
    _write(ports, workspace, uid, lambda blocks: tuple(each for each in blocks if not lifted(each)))
    owner = ports.contacts.find_by(workspace, lookups).get(lookups[0])
    if owner:
        sync_suppressions(ports, workspace, owner)


def add_block(
    ports: Ports, workspace: WorkspaceUid, uid: str, block: SuppressionBlock, owner: str | None = None
) -> None:
    """Add a block to the suppression list only. The caller updates the contact."""
    _write(ports, workspace, uid, lambda blocks: _with(blocks, block), owner)


def remove_suppression(ports: Ports, workspace: WorkspaceUid, uid: str) -> None:
    """Remove all blocks of an address. Raise NotFound."""
    entry = ports.catalog.get(workspace, Suppression, uid)
    _write(ports, workspace, uid, lambda _: ())
    if entry.contact_uid:
        sync_suppressions(ports, workspace, entry.contact_uid)


def find_suppression(ports: Ports, workspace: WorkspaceUid, kind: AddressKind, address: str) -> Suppression:
    """Return the entry of an address. Raise NotFound."""
    uid = hash_address(ports.secret(), workspace, kind, address)
    entry = ports.catalog.find(workspace, Suppression, uid)
    if entry is None or not entry.blocks:
        raise NotFound("Suppression", uid)
    return entry


def remove_block(
    ports: Ports, workspace: WorkspaceUid, contact: Contact, lifted: Callable[[SuppressionBlock], bool]
) -> None:
    """Remove the blocks that `lifted` selects from all addresses of a contact. The caller updates the contact."""
    for uid in hashes_of(ports, workspace, contact):
        if any(map(lifted, contact.suppressed)):
            _write(ports, workspace, uid, lambda blocks: tuple(each for each in blocks if not lifted(each)))


def detach_contact(ports: Ports, workspace: WorkspaceUid, contact: Contact) -> None:
    """Remove the reference to an erased contact from the entries of its addresses."""
    for uid in hashes_of(ports, workspace, contact):
        for _ in range(TRIES):
            entry = ports.catalog.find(workspace, Suppression, uid)
            if entry is None or entry.contact_uid != contact.uid:
                break
            with suppress(Conflict):
                ports.catalog.save(workspace, entry.model_copy(update={"contact_uid": None}))
                break


def _with(blocks: Sequence[SuppressionBlock], block: SuppressionBlock) -> Blocks:
    """Return the blocks with `block` added. An equal block keeps its original time."""
    return tuple(blocks) if any(block.is_same(each) for each in blocks) else (*blocks, block)


def _write(
    ports: Ports, workspace: WorkspaceUid, uid: str, change: Callable[[Blocks], Blocks], owner: str | None = None
) -> None:
    for _ in range(TRIES):
        now = ports.clock.now()
        entry = ports.catalog.find(workspace, Suppression, uid)
        blocks = change(entry.blocks if entry else ())
        try:
            if entry is None and blocks:
                new = Suppression(uid=uid, created_at=now, updated_at=now, contact_uid=owner, blocks=blocks)
                ports.catalog.add(workspace, new)
            elif entry and (blocks != entry.blocks or owner not in {None, entry.contact_uid}):
                update = {"blocks": blocks, "updated_at": now, "contact_uid": owner or entry.contact_uid}
                ports.catalog.save(workspace, entry.model_copy(update=update))
        except Conflict:
            continue
        return
    raise RetryLater("The suppression list entry has too many concurrent changes; retry the request")
