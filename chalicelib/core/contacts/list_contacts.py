"""List contacts: by a unique field, or page by page with a filter."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from chalicelib.core.contacts.save_contact import lookups_of
from chalicelib.core.contacts.validate_contact import normalise_contact
from chalicelib.errors import InvalidRequest, invalid
from chalicelib.model.contact import Contact, ContactStatus
from chalicelib.model.ids import WorkspaceUid
from chalicelib.model.workspace import Workspace
from chalicelib.ports import Page, Ports

#: Contacts read at most for one filtered page. The page may be short; its cursor continues the list.
MOST_READ = 2_000
_READ = 250


@dataclass(frozen=True, slots=True)
class ContactSearch:
    """Search criteria. `exact`: unique fields by Python name. `name`: part of a name, address or externalId."""

    exact: Mapping[str, str]
    tag: str | None = None
    status: ContactStatus | None = None
    name: str | None = None

    @property
    def filters(self) -> bool:
        """True when a criterion needs the contact itself."""
        return any((self.tag, self.status, self.name))

    def fits(self, contact: Contact) -> bool:
        """Return whether the contact meets all criteria but `exact`."""
        return (
            (self.tag is None or self.tag in contact.tags)
            and self.status in {None, contact.status}
            and (self.name is None or self.name.casefold() in _words(contact))
        )


def list_contacts(
    ports: Ports, workspace: WorkspaceUid, wanted: ContactSearch, limit: int, cursor: str | None
) -> Page[Contact]:
    """Return a page of contacts, in no particular order, each contact once."""
    if wanted.exact:
        return _find(ports, workspace, wanted)
    if not wanted.filters:
        return ports.contacts.page(workspace, limit, _read(cursor)[0])
    found: list[Contact] = []
    (position, skip), looked_at = _read(cursor), 0
    while True:
        page = ports.contacts.page(workspace, _READ, position)
        for index, contact in enumerate(page.items[skip:], start=skip + 1):
            found += [contact] if wanted.fits(contact) else []
            if len(found) == limit:
                is_last = index == len(page.items) and page.cursor is None
                return Page(tuple(found), None if is_last else json.dumps([position, index]))
        looked_at += len(page.items)
        position, skip = page.cursor, 0
        if position is None or looked_at >= MOST_READ:
            return Page(tuple(found), json.dumps([position, 0]) if position else None)


def _find(ports: Ports, workspace: WorkspaceUid, wanted: ContactSearch) -> Page[Contact]:
    """Return the contact that matches all unique fields, or an empty page."""
    region = ports.catalog.get(workspace, Workspace, workspace).region
    try:
        lookups = lookups_of(normalise_contact(wanted.exact, region))
    except InvalidRequest:
        return Page(())  # An invalid address belongs to no contact.
    owners = set(ports.contacts.find_by(workspace, lookups).items())
    uids = {uid for _, uid in owners}
    if len(owners) < len(lookups) or len(uids) != 1:
        return Page(())
    contacts = ports.contacts.find_many(workspace, list(uids), strong=True).values()
    return Page(tuple(contact for contact in contacts if wanted.fits(contact)))


def _words(contact: Contact) -> str:
    fields = (contact.first_name, contact.last_name, contact.email, contact.external_id, contact.phone)
    return " ".join(each for each in fields if each).casefold()


def _read(cursor: str | None) -> tuple[str | None, int]:
    """Return the cursor of the stored page, and the number of its contacts already read."""
    if cursor is None:
        return None, 0
    match json.loads(cursor) if cursor.startswith("[") else [cursor, 0]:
        case [str() | None as position, int(skip)] if skip >= 0:
            return position, skip
        case _:
            raise invalid("cursor", "Invalid cursor: pass the cursor of the previous page of this list")
