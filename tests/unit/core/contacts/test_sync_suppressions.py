"""Copy the blocks of the suppression list to contacts."""

from chalicelib.core.contacts.sync_suppressions import resync_suppressions, sync_suppressions, with_suppressions
from chalicelib.core.privacy.suppress_address import add_block
from chalicelib.model.ids import WorkspaceUid
from chalicelib.model.message import MessageType
from chalicelib.model.signing import hash_address
from chalicelib.model.suppression import AddressKind, Suppression, SuppressionBlock, SuppressionReason
from chalicelib.ports import Ports
from tests.builders import NOW, build_contact
from tests.memory.ports import memory_ports

WORKSPACE = WorkspaceUid("ws")
EMAIL = "ann@example.com"
BLOCK = SuppressionBlock(address=AddressKind.EMAIL, reason=SuppressionReason.COMPLAINT, at=NOW)


def _suppress(ports: Ports) -> str:
    uid = hash_address(ports.secret(), WORKSPACE, AddressKind.EMAIL, EMAIL)
    add_block(ports, WORKSPACE, uid, BLOCK)
    return uid


def test_a_contact_gets_the_blocks_of_its_address() -> None:
    ports = memory_ports()
    _suppress(ports)
    ann, bob = with_suppressions(
        ports, WORKSPACE, [build_contact(uid="ann", email=EMAIL), build_contact(uid="bob", email="bob@example.com")]
    )
    assert ann.is_suppressed(EMAIL, "email", MessageType.NEWSLETTER)
    assert bob.suppressed == ()


def test_a_block_that_was_added_before_the_contact_was_stored_is_copied_and_knows_the_contact() -> None:
    ports = memory_ports()
    contact = build_contact(uid="ann", email=EMAIL)
    uid = _suppress(ports)
    ports.contacts.add(WORKSPACE, contact)
    (stored,) = resync_suppressions(ports, WORKSPACE, [contact])
    assert stored.suppressed == (BLOCK,)
    assert ports.catalog.get(WORKSPACE, Suppression, uid).contact_uid == "ann"


def test_a_contact_loses_the_blocks_that_were_removed_from_the_list() -> None:
    ports = memory_ports()
    ports.contacts.add(WORKSPACE, build_contact(uid="ann", email=EMAIL, suppressed=(BLOCK,)))
    synced = sync_suppressions(ports, WORKSPACE, "ann")
    assert synced is not None
    assert synced.suppressed == ()


def test_a_deleted_contact_is_not_synchronised() -> None:
    assert sync_suppressions(memory_ports(), WORKSPACE, "gone") is None
