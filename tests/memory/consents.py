"""Consent histories in a dict."""

from collections.abc import Sequence

from chalicelib.model.base import rfc3339
from chalicelib.model.consent import ConsentRecord
from chalicelib.model.contact import Contact
from chalicelib.model.ids import ContactUid, WorkspaceUid
from chalicelib.ports import Page
from tests.memory.paging import cut_page


class MemoryConsents:
    """Implements `ports.Consents` in memory."""

    def __init__(self) -> None:
        self._records: dict[tuple[str, str], dict[str, ConsentRecord]] = {}

    def add(self, workspace: WorkspaceUid, contact: Contact, records: Sequence[ConsentRecord]) -> None:
        """Store the records of a change; called by the contacts in memory."""
        stored = self._records.setdefault((workspace, contact.uid), {})
        for record in records:
            sort = f"{rfc3339(record.at)}#{contact.rev:09d}#{record.channel_type}#{record.message_type}"
            stored[sort] = record

    def page(self, workspace: WorkspaceUid, contact: ContactUid, limit: int, cursor: str | None) -> Page[ConsentRecord]:
        found = self._records.get((workspace, contact), {}).items()
        return cut_page(f"{workspace}#S#{contact}", found, limit, cursor)

    def remove_all(self, workspace: WorkspaceUid, contact: ContactUid) -> None:
        self._records.pop((workspace, contact), None)
