"""Lists contacts: the one that has an address, or a page of those that a filter lets through."""

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

#: Contacts read for one page of a filtered list; it may be short, its cursor goes on.
MOST_READ = 2_000
_READ = 250


@dataclass(frozen=True, slots=True)
class ContactSearch:
    """`exact`: by python name, what the contact is found by. `name` is a part of name, address or externalId."""

    exact: Mapping[str, str]
    tag: str | None = None
    status: ContactStatus | None = None
    name: str | None = None

    @property
    def filters(self) -> bool:
        """Whether there is anything that only looking at a contact can tell."""
        return any((self.tag, self.status, self.name))

    def fits(self, contact: Contact) -> bool:
        """Looks at everything but `exact`."""
        return (
            (self.tag is None or self.tag in contact.tags)
            and self.status in {None, contact.status}
            and (self.name is None or self.name.casefold() in _words(contact))
        )


def list_contacts(
    ports: Ports, workspace: WorkspaceUid, wanted: ContactSearch, limit: int, cursor: str | None
) -> Page[Contact]:
    """In no particular order, each once."""
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
    """Nobody, or the one whom all that was named finds."""
    region = ports.catalog.get(workspace, Workspace, workspace).region
    try:
        lookups = lookups_of(normalise_contact(wanted.exact, region))
    except InvalidRequest:
        return Page(())  # No address, so nobody's.
    owners = set(ports.contacts.find_by(workspace, lookups).items())
    uids = {uid for _, uid in owners}
    if len(owners) < len(lookups) or len(uids) != 1:
        return Page(())
    contacts = ports.contacts.find_many(workspace, list(uids), strong=True).values()
    return Page(tuple(contact for contact in contacts if wanted.fits(contact)))


def _words(contact: Contact) -> str:
    said = (contact.first_name, contact.last_name, contact.email, contact.external_id, contact.phone)
    return " ".join(each for each in said if each).casefold()


def _read(cursor: str | None) -> tuple[str | None, int]:
    """The place of a page of the store, and how many of it were looked at."""
    if cursor is None:
        return None, 0
    match json.loads(cursor) if cursor.startswith("[") else [cursor, 0]:
        case [str() | None as position, int(skip)] if skip >= 0:
            return position, skip
        case _:
            raise invalid("cursor", "Invalid cursor: pass the cursor of the previous page of this list")
