"""The ports of what is stored below a document: immutable versions and long lists."""

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar

from pydantic import BaseModel

from chalicelib.model.base import StoredDocument
from chalicelib.model.ids import WorkspaceUid

D = TypeVar("D", bound=StoredDocument)
V = TypeVar("V", bound=BaseModel)


class DocumentVersions(Protocol):
    """Published versions of campaigns and templates, stored below their document."""

    def add_version(self, workspace: WorkspaceUid, document: D, version: int, body: BaseModel) -> D:
        """Store a version and save its document in one transaction; return the document with the next rev.

        Conflict if the document has changed since it was read, or if the version exists.
        """

    def find_version(
        self, workspace: WorkspaceUid, kind: type[StoredDocument], uid: str, version: int, body: type[V]
    ) -> V | None:
        """Return a version, or None. Versions never change, so implementations may cache them."""

    def list_versions(
        self, workspace: WorkspaceUid, kind: type[StoredDocument], uid: str, body: type[V]
    ) -> tuple[V, ...]:
        """Return all versions, newest first."""


class ListChunks(Protocol):
    """Lists that are too long for a document, such as a flow's contacts, in numbered chunks of at most 2,000 entries.

    An entry must not contain a newline.
    """

    def put_chunk(
        self, workspace: WorkspaceUid, kind: type[StoredDocument], uid: str, number: int, entries: Sequence[str]
    ) -> None:
        """Store or replace a chunk."""

    def save_with_chunks(self, workspace: WorkspaceUid, document: D, chunks: Mapping[int, Sequence[str]]) -> D:
        """Store at most 50 chunks and save the document in one transaction; return it with the next rev.

        Conflict if the document has changed since it was read; then no chunk is stored.
        """

    def get_chunk(self, workspace: WorkspaceUid, kind: type[StoredDocument], uid: str, number: int) -> tuple[str, ...]:
        """Return the entries of a chunk; empty if the chunk does not exist."""
