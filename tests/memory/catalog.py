"""Documents in dicts."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from threading import RLock
from typing import TypeVar, cast

from pydantic import BaseModel

from chalicelib.errors import Conflict, NotFound
from chalicelib.model.base import StoredDocument, rfc3339
from chalicelib.model.ids import WorkspaceUid
from chalicelib.ports import Page
from tests.memory.paging import check_size, cut_page

D = TypeVar("D", bound=StoredDocument)
V = TypeVar("V", bound=BaseModel)
#: Workspace, kind, uid.
Key = tuple[str, str, str]


class MemoryCatalog:
    """Implements `ports.Catalog` and the other ports of documents in memory."""

    def __init__(self) -> None:
        self._documents: dict[Key, StoredDocument] = {}
        self._parents: dict[Key, Key] = {}
        self._versions: dict[tuple[Key, int], BaseModel] = {}
        self._chunks: dict[tuple[Key, int], tuple[str, ...]] = {}
        self._lock = RLock()

    def add(
        self,
        workspace: WorkspaceUid,
        document: StoredDocument,
        under: tuple[type[StoredDocument], str] | None = None,
        moving: Sequence[StoredDocument] = (),
    ) -> None:
        check_size(document)
        key = (workspace, document.kind, document.uid)
        with self._lock:
            if key in self._documents:
                raise Conflict(f"{document.kind.capitalize()} {document.uid} already exists")
            for each in moving:
                check_size(each)
                if self._documents.get((workspace, each.kind, each.uid), each).rev != each.rev:
                    raise _revision_conflict(each)
            for each in moving:
                self.save(workspace, each)
            self._documents[key] = document
            if under:
                self._parents[key] = (workspace, under[0].kind, under[1])

    def find(self, workspace: WorkspaceUid, kind: type[D], uid: str, strong: bool = True) -> D | None:
        return cast("D | None", self._documents.get((workspace, kind.kind, uid)))

    def get(self, workspace: WorkspaceUid, kind: type[D], uid: str) -> D:
        document = self.find(workspace, kind, uid)
        if document is None:
            raise NotFound(kind.kind.capitalize(), uid)
        return document

    def find_many(self, workspace: WorkspaceUid, kind: type[D], uids: Sequence[str]) -> dict[str, D]:
        return {uid: found for uid in uids if (found := self.find(workspace, kind, uid))}

    def save(self, workspace: WorkspaceUid, document: D) -> D:
        check_size(document)
        key = (workspace, document.kind, document.uid)
        saved = document.model_copy(update={"rev": document.rev + 1})
        with self._lock:
            stored = self._documents.get(key)
            if stored == saved:
                return saved
            if stored is None or stored.rev != document.rev:
                raise _revision_conflict(document)
            self._documents[key] = saved
        return saved

    def remove(self, workspace: WorkspaceUid, kind: type[StoredDocument], uid: str) -> None:
        key = (workspace, kind.kind, uid)
        with self._lock:
            self._documents.pop(key, None)
            self._parents = {child: parent for child, parent in self._parents.items() if key not in (child, parent)}
            self._versions = {entry: body for entry, body in self._versions.items() if entry[0] != key}
            self._chunks = {entry: part for entry, part in self._chunks.items() if entry[0] != key}

    def page(
        self, workspace: WorkspaceUid, kind: type[D], where: Mapping[str, str], limit: int, cursor: str | None
    ) -> Page[D]:
        found = [
            (_created(document), cast("D", document))
            for (of, name, _), document in list(self._documents.items())
            if (of, name) == (workspace, kind.kind) and _matches(document.filter_attributes(), where)
        ]
        return cut_page(f"{workspace}#{kind.kind}", found, limit, cursor)

    def children(
        self,
        workspace: WorkspaceUid,
        parent: type[StoredDocument],
        uid: str,
        kind: type[D],
        limit: int,
        cursor: str | None,
    ) -> Page[D]:
        above = (workspace, parent.kind, uid)
        below = [child for child, key in list(self._parents.items()) if key == above and child[1] == kind.kind]
        found = [(_created(self._documents[key]), cast("D", self._documents[key])) for key in below]
        return cut_page(f"{'#'.join(above)}#{kind.kind}", found, limit, cursor)

    def add_version(self, workspace: WorkspaceUid, document: D, version: int, body: BaseModel) -> D:
        key = (workspace, document.kind, document.uid)
        saved = document.model_copy(update={"rev": document.rev + 1})
        with self._lock:
            stored = self._documents.get(key)
            if stored == saved and self._versions.get((key, version)) == body:
                return saved
            if stored is None or stored.rev != document.rev or (key, version) in self._versions:
                raise _revision_conflict(document)
            self._versions[key, version] = body
            return self.save(workspace, document)

    def find_version(
        self, workspace: WorkspaceUid, kind: type[StoredDocument], uid: str, version: int, body: type[V]
    ) -> V | None:
        return cast("V | None", self._versions.get(((workspace, kind.kind, uid), version)))

    def list_versions(
        self, workspace: WorkspaceUid, kind: type[StoredDocument], uid: str, body: type[V]
    ) -> tuple[V, ...]:
        key = (workspace, kind.kind, uid)
        numbers = sorted((number for of, number in self._versions if of == key), reverse=True)
        return tuple(cast("V", self._versions[key, number]) for number in numbers)

    def put_chunk(
        self, workspace: WorkspaceUid, kind: type[StoredDocument], uid: str, number: int, entries: Sequence[str]
    ) -> None:
        if any("\n" in entry for entry in entries):
            raise ValueError("A chunk entry must not contain a newline")
        self._chunks[(workspace, kind.kind, uid), number] = tuple(entries)

    def save_with_chunks(self, workspace: WorkspaceUid, document: D, chunks: Mapping[int, Sequence[str]]) -> D:
        with self._lock:
            stored = self._documents.get((workspace, document.kind, document.uid))
            if stored is None or stored.rev != document.rev:
                raise _revision_conflict(document)
            saved = self.save(workspace, document)
            for number, entries in chunks.items():
                self.put_chunk(workspace, type(document), document.uid, number, entries)
        return saved

    def get_chunk(self, workspace: WorkspaceUid, kind: type[StoredDocument], uid: str, number: int) -> tuple[str, ...]:
        return self._chunks.get(((workspace, kind.kind, uid), number), ())

    def list_active(self, kind: type[D]) -> Iterator[tuple[WorkspaceUid, str]]:
        return iter(
            [
                (WorkspaceUid(workspace), uid)
                for (workspace, _, uid), document in list(self._documents.items())
                if document.kind == kind.kind and document.is_active
            ]
        )

    def list_due(self, kind: type[D], before: datetime) -> Iterator[tuple[WorkspaceUid, str, datetime]]:
        found = [
            (due, WorkspaceUid(workspace), uid)
            for (workspace, _, uid), document in list(self._documents.items())
            if document.kind == kind.kind and (due := document.due_at) and due <= before
        ]
        return ((workspace, uid, due) for due, workspace, uid in sorted(found))


def _created(document: StoredDocument) -> str:
    return f"{rfc3339(document.created_at)}#{document.uid}"


def _matches(marks: Mapping[str, str], where: Mapping[str, str]) -> bool:
    return all(name in marks and _fits(marks[name], wanted) for name, wanted in where.items())


def _fits(value: str, wanted: str) -> bool:
    if len(wanted) > 2 and wanted.startswith("*") and wanted.endswith("*"):
        return wanted[1:-1] in value
    return value == wanted


def _revision_conflict(document: StoredDocument) -> Conflict:
    return Conflict(f"{document.kind.capitalize()} {document.uid} was changed by another request; read it again")
