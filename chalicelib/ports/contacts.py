"""The ports of contacts, of the shards that they are stored in, and of their consent history."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from chalicelib.model.consent import ConsentRecord
from chalicelib.model.contact import Contact
from chalicelib.model.contact_shards import ShardSummary
from chalicelib.model.event import Event
from chalicelib.model.ids import ContactUid, WorkspaceUid
from chalicelib.ports.pages import Page


class Contacts(Protocol):
    """Contacts and their unique look-up keys.

    Every write raises TooLarge for a contact of more than 380,000 bytes.
    """

    def find_many(self, workspace: WorkspaceUid, uids: Sequence[ContactUid], strong: bool) -> dict[ContactUid, Contact]:
        """Return the contacts that exist, by uid."""

    def find_by(self, workspace: WorkspaceUid, lookups: Sequence[str]) -> dict[str, ContactUid]:
        """Return the uid of the contact that owns each look-up key (`Contact.lookups`), where there is one."""

    def add(
        self,
        workspace: WorkspaceUid,
        contact: Contact,
        events: Sequence[Event] = (),
        consents: Sequence[ConsentRecord] = (),
    ) -> None:
        """Store a new contact with its look-up keys in one transaction. Conflict if the uid or a key is taken.

        `events`: at most 7 events to store in the same transaction as unpublished. `consents`: at most 60 records,
        stored likewise.
        """

    def add_many(
        self,
        workspace: WorkspaceUid,
        contacts: Sequence[Contact],
        events: Mapping[str, Sequence[Event]] | None = None,
        consents: Mapping[str, Sequence[ConsentRecord]] | None = None,
    ) -> tuple[ContactUid, ...]:
        """Store up to 25 new contacts that share no look-up key; return the uids that a conflict kept out.

        Stores them in as few transactions as possible. `events` and `consents` are given by contact uid.
        """

    def save(
        self,
        workspace: WorkspaceUid,
        before: Contact,
        after: Contact,
        events: Sequence[Event] = (),
        consents: Sequence[ConsentRecord] = (),
    ) -> Contact:
        """Replace a contact and its look-up keys if its rev is still the stored one; return it with the next rev.

        Conflict if the rev has moved on or a key is taken. `events` and `consents` are as for `add`.
        """

    def save_many(self, workspace: WorkspaceUid, changes: Sequence[tuple[Contact, Contact]]) -> tuple[bool, ...]:
        """Save many contacts, each as (before, after); False where `save` would raise Conflict.

        No change may alter a look-up key.
        """

    def remove(self, workspace: WorkspaceUid, contact: Contact) -> None:
        """Delete a contact with its look-up keys; a missing one is no error."""

    def page(self, workspace: WorkspaceUid, limit: int, cursor: str | None) -> Page[Contact]:
        """List all contacts of the workspace, each once, in no particular order."""


class ContactShards(Protocol):
    """Contacts by shard, so that several workers can read a workspace in parallel."""

    def page_shard(self, workspace: WorkspaceUid, shard: int, limit: int, cursor: str | None) -> Page[Contact]:
        """List the contacts of one shard (0 to CONTACT_SHARDS - 1) by uid; strongly consistent.

        The last page may be empty.
        """

    def summarise(self, workspace: WorkspaceUid, shard: int) -> ShardSummary:
        """Count the contacts of a shard without returning them; takes about 10 ms per megabyte."""


class Consents(Protocol):
    """Every consent decision of each contact. `Contacts` writes them in the transaction that changes the contact."""

    def page(self, workspace: WorkspaceUid, contact: ContactUid, limit: int, cursor: str | None) -> Page[ConsentRecord]:
        """List the records of a contact, newest first; strongly consistent."""

    def remove_all(self, workspace: WorkspaceUid, contact: ContactUid) -> None:
        """Delete all records of a contact; no error for a contact without records."""
