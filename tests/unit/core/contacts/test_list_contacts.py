"""List contacts by a unique field and by filters."""

from chalicelib.core.contacts.list_contacts import ContactSearch, list_contacts
from chalicelib.model.contact import Contact
from chalicelib.model.ids import WorkspaceUid
from chalicelib.model.workspace import Workspace
from chalicelib.ports import Ports
from tests.builders import NOW, build_contact
from tests.memory.ports import memory_ports

WORKSPACE = WorkspaceUid("ws")


def _ports(*contacts: Contact) -> Ports:
    ports = memory_ports()
    ports.catalog.add(WORKSPACE, Workspace(uid="ws", name="Shop", created_at=NOW, updated_at=NOW, region="DE"))
    for contact in contacts:
        ports.contacts.add(WORKSPACE, contact)
    return ports


def _uids(ports: Ports, search: ContactSearch, limit: int = 10) -> list[str]:
    """Follow the cursors to the end and return the uids, sorted."""
    found: list[str] = []
    cursor: str | None = None
    while True:
        page = list_contacts(ports, WORKSPACE, search, limit, cursor)
        assert len(page.items) <= limit
        found += [contact.uid for contact in page.items]
        if page.cursor is None:
            return sorted(found)
        cursor = page.cursor


def test_a_unique_field_finds_its_contact_however_it_is_written() -> None:
    ports = _ports(build_contact(uid="ann", email="ann@example.com"), build_contact(uid="bob", email="bob@example.com"))
    assert _uids(ports, ContactSearch({"email": "Ann@EXAMPLE.com"})) == ["ann"]
    assert _uids(ports, ContactSearch({"email": "nobody"})) == []


def test_unique_fields_of_different_contacts_find_no_contact() -> None:
    ports = _ports(
        build_contact(uid="ann", email="ann@example.com"),
        build_contact(uid="bob", email="bob@example.com", phone="+4915123456789"),
    )
    assert _uids(ports, ContactSearch({"email": "ann@example.com", "phone": "+4915123456789"})) == []


def test_filtered_pages_return_every_matching_contact_once() -> None:
    contacts = [build_contact(uid=f"c{n}", email=f"c{n}@example.com", tags=("vip",) * (n % 3 == 0)) for n in range(20)]
    expected = sorted(contact.uid for contact in contacts if contact.tags)
    for limit in (1, 2, 7, 50):
        assert _uids(_ports(*contacts), ContactSearch({}, tag="vip"), limit) == expected


def test_a_name_matches_parts_of_names_and_addresses_in_any_case() -> None:
    ports = _ports(
        build_contact(uid="ann", email="a@example.com", first_name="Ada"),
        build_contact(uid="bob", email="ada2@example.com", first_name="Bob"),
        build_contact(uid="eve", email="eve@example.com", first_name="Eve"),
    )
    assert _uids(ports, ContactSearch({}, name="ADA")) == ["ann", "bob"]
