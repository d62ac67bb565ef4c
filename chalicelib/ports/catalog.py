"""The ports of stored documents."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol, TypeVar

from chalicelib.model.base import StoredDocument
from chalicelib.model.ids import WorkspaceUid
from chalicelib.ports.pages import Page

D = TypeVar("D", bound=StoredDocument)


class Catalog(Protocol):
    """Documents by workspace, kind and uid.

    Every write raises TooLarge for a document of more than 380,000 bytes.
    """

    def add(
        self,
        workspace: WorkspaceUid,
        document: StoredDocument,
        under: tuple[type[StoredDocument], str] | None = None,
        moving: Sequence[StoredDocument] = (),
    ) -> None:
        """Store a new document with rev 0 and, with `under`, list it below that parent. Conflict if the uid is taken.

        `moving`: other documents to save in the same transaction. Conflict if one of them has changed since it was
        read. If two callers add a document after reading the same documents, only one succeeds.
        """

    def find(self, workspace: WorkspaceUid, kind: type[D], uid: str, strong: bool = True) -> D | None:
        """Return the document, or None.

        An eventually consistent read (`strong=False`) costs half and may miss recent writes.
        """

    def get(self, workspace: WorkspaceUid, kind: type[D], uid: str) -> D:
        """Return the document, strongly consistent. NotFound if it does not exist."""

    def find_many(self, workspace: WorkspaceUid, kind: type[D], uids: Sequence[str]) -> dict[str, D]:
        """Return the documents that exist, by uid; strongly consistent."""

    def save(self, workspace: WorkspaceUid, document: D) -> D:
        """Replace a document if its `rev` is still the stored one, and return it with the next rev. Conflict if not."""

    def remove(self, workspace: WorkspaceUid, kind: type[StoredDocument], uid: str) -> None:
        """Delete a document with its versions, list chunks and pointers to children; a missing one is no error."""

    def page(
        self, workspace: WorkspaceUid, kind: type[D], where: Mapping[str, str], limit: int, cursor: str | None
    ) -> Page[D]:
        """List documents, newest first; eventually consistent.

        `where` compares `StoredDocument.filter_attributes`. A value matches if it is equal; `*part*` matches if the
        attribute contains the part.
        """

    def children(
        self,
        workspace: WorkspaceUid,
        parent: type[StoredDocument],
        uid: str,
        kind: type[D],
        limit: int,
        cursor: str | None,
    ) -> Page[D]:
        """List the documents that were added `under` this parent, newest first; strongly consistent."""


class DocumentSchedule(Protocol):
    """Documents of all workspaces that a scheduled task must look at; eventually consistent."""

    def list_active(self, kind: type[D]) -> Iterator[tuple[WorkspaceUid, str]]:
        """Yield workspace and uid of every document with `is_active`."""

    def list_due(self, kind: type[D], before: datetime) -> Iterator[tuple[WorkspaceUid, str, datetime]]:
        """Yield workspace, uid and `due_at` of every document that is due by `before`, earliest first."""
