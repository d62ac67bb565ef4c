"""Mark contacts as unreachable by a channel type."""

from collections.abc import Sequence
from datetime import timedelta
from types import SimpleNamespace

from chalicelib.core.contacts.mark_unreachable import UNREACHABLE_FOR, mark_unreachable
from chalicelib.errors import Conflict
from chalicelib.model.consent import ConsentRecord
from chalicelib.model.contact import Contact
from chalicelib.model.event import Event
from chalicelib.model.ids import ContactUid, WorkspaceUid
from chalicelib.ports import Ports
from tests.builders import build_contact
from tests.memory.contacts import MemoryContacts
from tests.memory.ports import memory_ports

WORKSPACE, ANN = WorkspaceUid("ws"), ContactUid("ann")
TYPES = {"rcs": SimpleNamespace(address_of=lambda contact: contact.phone)}


def _ports(contacts: MemoryContacts | None = None) -> Ports:
    ports = memory_ports(channel_types=TYPES, contacts=contacts or MemoryContacts())
    ports.contacts.add(WORKSPACE, build_contact(uid="ann", phone="+4915123456789"))
    return ports


def _ann(ports: Ports) -> Contact:
    return ports.contacts.find_many(WORKSPACE, [ANN], strong=True)[ANN]


def test_a_contact_is_unreachable_at_its_address_for_seven_days() -> None:
    ports = _ports()
    mark_unreachable(ports, WORKSPACE, ANN, "rcs")
    now = ports.clock.now()
    assert _ann(ports).is_unreachable("rcs", "+4915123456789", now + UNREACHABLE_FOR - timedelta(seconds=1))
    assert not _ann(ports).is_unreachable("rcs", "+4915123456789", now + UNREACHABLE_FOR)
    assert not _ann(ports).is_unreachable("rcs", "+4915199999999", now)


def test_a_repeated_report_does_not_write_the_contact_again() -> None:
    ports = _ports()
    mark_unreachable(ports, WORKSPACE, ANN, "rcs")
    before = _ann(ports)
    mark_unreachable(ports, WORKSPACE, ANN, "rcs")
    assert _ann(ports) == before


def test_a_report_about_a_deleted_contact_is_ignored() -> None:
    ports = _ports()
    mark_unreachable(ports, WORKSPACE, ContactUid("gone"), "rcs")


class _OtherWriter(MemoryContacts):
    """Another request changes the contact just before the first save."""

    def __init__(self) -> None:
        super().__init__()
        self.lost = 0

    def save(
        self,
        workspace: WorkspaceUid,
        before: Contact,
        after: Contact,
        events: Sequence[Event] = (),
        consents: Sequence[ConsentRecord] = (),
    ) -> Contact:
        if not self.lost:
            self.lost += 1
            super().save(workspace, before, before.model_copy(update={"tags": ("vip",)}))
            raise Conflict("The contact changed")
        return super().save(workspace, before, after, events, consents)


def test_a_concurrent_change_of_the_contact_is_not_lost() -> None:
    ports = _ports(_OtherWriter())
    mark_unreachable(ports, WORKSPACE, ANN, "rcs")
    assert _ann(ports).tags == ("vip",)
    assert _ann(ports).is_unreachable("rcs", "+4915123456789", ports.clock.now())
