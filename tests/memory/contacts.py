"""Contacts in dicts."""

from collections.abc import Mapping, Sequence
from threading import RLock
from zlib import crc32

from chalicelib.errors import Conflict
from chalicelib.model.consent import ConsentRecord
from chalicelib.model.contact import Contact
from chalicelib.model.contact_shards import CONTACT_SHARDS, ShardSummary
from chalicelib.model.event import Event
from chalicelib.model.ids import ContactUid, WorkspaceUid
from chalicelib.ports import Page
from tests.memory.consents import MemoryConsents
from tests.memory.events import MemoryEvents
from tests.memory.paging import check_size, cut_page, make_cursor

#: Contacts between two cursors of a `ShardSummary`.
CONTACTS_A_CURSOR = 10


class MemoryContacts:
    """Implements `ports.Contacts` and `ports.ContactShards` in memory."""

    def __init__(self, events: MemoryEvents | None = None, consents: MemoryConsents | None = None) -> None:
        self._events = events or MemoryEvents()
        self._consents = consents or MemoryConsents()
        self._contacts: dict[tuple[str, str], Contact] = {}
        #: Uid → contact before its last change, which an eventually consistent read may return.
        self.previous: dict[str, Contact] = {}
        self._holders: dict[tuple[str, str], str] = {}
        self._lock = RLock()

    def find_many(self, workspace: WorkspaceUid, uids: Sequence[ContactUid], strong: bool) -> dict[ContactUid, Contact]:
        found = ((uid, self._contacts.get((workspace, uid))) for uid in uids)
        return {uid: contact for uid, contact in found if contact}

    def find_by(self, workspace: WorkspaceUid, lookups: Sequence[str]) -> dict[str, ContactUid]:
        found = ((text, self._holders.get((workspace, text))) for text in lookups)
        return {text: ContactUid(uid) for text, uid in found if uid}

    def add(
        self,
        workspace: WorkspaceUid,
        contact: Contact,
        events: Sequence[Event] = (),
        consents: Sequence[ConsentRecord] = (),
    ) -> None:
        check_size(contact)
        with self._lock:
            if (workspace, contact.uid) in self._contacts:
                raise Conflict(f"Contact {contact.uid} already exists")
            self._check_free(workspace, contact)
            self._put(workspace, contact)
            self._events.add_unpublished(workspace, events)
            self._consents.add(workspace, contact, consents)

    def add_many(
        self,
        workspace: WorkspaceUid,
        contacts: Sequence[Contact],
        events: Mapping[str, Sequence[Event]] | None = None,
        consents: Mapping[str, Sequence[ConsentRecord]] | None = None,
    ) -> tuple[ContactUid, ...]:
        refused = []
        for contact in contacts:
            try:
                self.add(workspace, contact, (events or {}).get(contact.uid, ()), (consents or {}).get(contact.uid, ()))
            except Conflict:
                refused.append(ContactUid(contact.uid))
        return tuple(refused)

    def save(
        self,
        workspace: WorkspaceUid,
        before: Contact,
        after: Contact,
        events: Sequence[Event] = (),
        consents: Sequence[ConsentRecord] = (),
    ) -> Contact:
        check_size(after)
        saved = after.model_copy(update={"rev": before.rev + 1})
        with self._lock:
            stored = self._contacts.get((workspace, after.uid))
            if stored == saved:
                return saved
            if stored is None or stored.rev != before.rev:
                raise Conflict(f"Contact {after.uid} was changed by another request; read it again")
            self._check_free(workspace, saved)
            self._drop_lookups(workspace, before)
            self.previous[stored.uid] = stored
            self._put(workspace, saved)
            self._events.add_unpublished(workspace, events)
            self._consents.add(workspace, saved, consents)
        return saved

    def save_many(self, workspace: WorkspaceUid, changes: Sequence[tuple[Contact, Contact]]) -> tuple[bool, ...]:
        return tuple(self._saves(workspace, before, after) for before, after in changes)

    def _saves(self, workspace: WorkspaceUid, before: Contact, after: Contact) -> bool:
        try:
            self.save(workspace, before, after)
        except Conflict:
            return False
        return True

    def remove(self, workspace: WorkspaceUid, contact: Contact) -> None:
        with self._lock:
            stored = self._contacts.pop((workspace, contact.uid), contact)
            self._drop_lookups(workspace, stored)

    def page(self, workspace: WorkspaceUid, limit: int, cursor: str | None) -> Page[Contact]:
        found = [(uid, contact) for (of, uid), contact in list(self._contacts.items()) if of == workspace]
        return cut_page(f"{workspace}#C", found, limit, cursor, newest_first=False)

    def page_shard(self, workspace: WorkspaceUid, shard: int, limit: int, cursor: str | None) -> Page[Contact]:
        return cut_page(f"{workspace}#C#{shard}", self._in_shard(workspace, shard), limit, cursor, newest_first=False)

    def summarise(self, workspace: WorkspaceUid, shard: int) -> ShardSummary:
        uids = sorted(uid for uid, _ in self._in_shard(workspace, shard))
        ends = uids[CONTACTS_A_CURSOR - 1 : -1 : CONTACTS_A_CURSOR]
        return ShardSummary(len(uids), (None, *(make_cursor(f"{workspace}#C#{shard}", uid) for uid in ends)))

    def _in_shard(self, workspace: WorkspaceUid, shard: int) -> list[tuple[str, Contact]]:
        found = [(uid, contact) for (of, uid), contact in list(self._contacts.items()) if of == workspace]
        return [(uid, contact) for uid, contact in found if crc32(uid.encode()) % CONTACT_SHARDS == shard]

    def _put(self, workspace: WorkspaceUid, contact: Contact) -> None:
        self._contacts[workspace, contact.uid] = contact
        for text in contact.lookups():
            self._holders[workspace, text] = contact.uid

    def _check_free(self, workspace: WorkspaceUid, contact: Contact) -> None:
        for text in contact.lookups():
            holder = self._holders.get((workspace, text), contact.uid)
            if holder != contact.uid:
                raise Conflict(f"{text.partition(':')[0]} is already used by contact {holder}")

    def _drop_lookups(self, workspace: WorkspaceUid, contact: Contact) -> None:
        for text in contact.lookups():
            if self._holders.get((workspace, text)) == contact.uid:
                del self._holders[workspace, text]
