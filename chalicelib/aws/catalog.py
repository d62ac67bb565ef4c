"""Documents with their versions, children and chunks in the Catalog table: one item per document, with JSON inside."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, TypeVar, cast

from pydantic import BaseModel

from chalicelib.aws import key_schema as keys
from chalicelib.aws._dynamodb import (
    ConditionFailed,
    Item,
    TransactionRefused,
    bad_cursor,
    batch_get,
    batch_write,
    build_doc,
    encode_cursor,
    guarded_put,
    is_our_write,
    key_after,
    query,
    read_document,
    translate_errors,
)
from chalicelib.errors import Conflict, NotFound
from chalicelib.model.base import StoredDocument, rfc3339
from chalicelib.model.ids import WorkspaceUid
from chalicelib.ports import Page

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import QueryInputTypeDef, TransactWriteItemTypeDef

D = TypeVar("D", bound=StoredDocument)
V = TypeVar("V", bound=BaseModel)

#: Versions cached in memory; a few KB each, so a few MB in total.
VERSIONS_CACHED = 1_000
#: A filtered list reads at least this many items per call, because most of them may not match.
FILTERED_PAGE = 100
TABLE_KEY = frozenset({"pk", "sk"})
BY_TYPE_KEY = TABLE_KEY | {"kind", "created"}


class DynamoCatalog:
    """Implements `ports.Catalog`, `DocumentVersions`, `ListChunks` and `DocumentSchedule` on DynamoDB."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client, self._table = client, table
        self._versions: dict[tuple[str, str, type[BaseModel]], BaseModel] = {}

    def add(
        self,
        workspace: WorkspaceUid,
        document: StoredDocument,
        under: tuple[type[StoredDocument], str] | None = None,
        moving: Sequence[StoredDocument] = (),
    ) -> None:
        item = _build_item(workspace, document)
        # A single item is written by a transaction too: its token makes botocore's retry after a lost response
        # harmless.
        writes = [guarded_put(self._table, item, "attribute_not_exists(pk)")]
        if under:
            pointer = _build_pointer(workspace, document, under)
            parent = {"pk": item["pk"], "sk": {"S": keys.PARENT}, "childPk": pointer["pk"], "childSk": pointer["sk"]}
            writes += [{"Put": {"TableName": self._table, "Item": each}} for each in (pointer, parent)]
        outbox = self.outbox_documents(workspace, document)
        writes += [
            guarded_put(self._table, _build_item(workspace, each), "attribute_not_exists(pk)") for each in outbox
        ]
        for each in moving:
            moved = _build_item(workspace, each.model_copy(update={"rev": each.rev + 1}))
            writes.append(guarded_put(self._table, moved, "rev = :rev", each.rev))
        try:
            self._transact(writes)
        except TransactionRefused as refused:
            if moving and not refused.reasons[0].failed:
                last = zip(moving, refused.reasons[-len(moving) :], strict=True)
                raise _revision_conflict(next(each for each, reason in last if reason.failed)) from refused
            raise Conflict(f"{_name(type(document))} {document.uid} already exists") from refused
        if outbox:
            self.outbox_stored(workspace, outbox)

    def outbox_documents(self, workspace: WorkspaceUid, document: StoredDocument) -> Sequence[StoredDocument]:
        """Return new documents to store in the same transaction; a subclass may override it."""
        del workspace, document
        return ()

    def outbox_stored(self, workspace: WorkspaceUid, outbox: Sequence[StoredDocument]) -> None:
        """Run after the documents of `outbox_documents` were stored; a subclass may override it."""

    def find(self, workspace: WorkspaceUid, kind: type[D], uid: str, strong: bool = True) -> D | None:
        item = self._find_item(keys.document(workspace, kind.kind, uid), keys.META, strong)
        return _read_document(kind, item) if item else None

    def get(self, workspace: WorkspaceUid, kind: type[D], uid: str) -> D:
        document = self.find(workspace, kind, uid)
        if document is None:
            raise NotFound(_name(kind), uid)
        return document

    def find_many(self, workspace: WorkspaceUid, kind: type[D], uids: Sequence[str]) -> dict[str, D]:
        wanted = [_build_key(keys.document(workspace, kind.kind, uid), keys.META) for uid in uids]
        found = (_read_document(kind, item) for item in batch_get(self._client, self._table, wanted, consistent=True))
        return {document.uid: document for document in found}

    def save(self, workspace: WorkspaceUid, document: D) -> D:
        saved = document.model_copy(update={"rev": document.rev + 1})
        item = _build_item(workspace, saved)
        outbox = self.outbox_documents(workspace, document)
        try:
            self._save(item, document.rev, [_build_item(workspace, each) for each in outbox])
        except ConditionFailed as failed:
            if not is_our_write(item, failed.item):
                raise _revision_conflict(document) from failed
        except TransactionRefused as refused:
            if not is_our_write(item, refused.reasons[0].item):
                raise _revision_conflict(document) from refused
        if outbox:
            self.outbox_stored(workspace, outbox)
        return saved

    def _save(self, item: Item, rev: int, outbox: Sequence[Item]) -> None:
        put = guarded_put(self._table, item, "rev = :rev", rev)
        if outbox:
            self._transact([put, *(guarded_put(self._table, each, "attribute_not_exists(pk)") for each in outbox)])
            return
        with translate_errors():
            self._client.put_item(**put["Put"])

    def remove(self, workspace: WorkspaceUid, kind: type[StoredDocument], uid: str) -> None:
        """Delete the items of the document; the document's own item and the pointer to it go last, in one transaction.

        If the removal is interrupted, the document is still there, so that the removal can be repeated.
        """
        pk = keys.document(workspace, kind.kind, uid)
        for known in [key for key in list(self._versions) if key[0] == pk]:
            self._versions.pop(known, None)
        last: list[Item] = []
        rest: list[Item] = []
        names_only: QueryInputTypeDef = {**self._below(pk), "ProjectionExpression": "pk, sk, childPk, childSk"}
        for item in query(self._client, names_only):
            if item["sk"]["S"] == keys.PARENT:
                last.append({"pk": item["childPk"], "sk": item["childSk"]})
            (last if item["sk"]["S"] in {keys.META, keys.PARENT} else rest).append(_key(item))
        batch_write(self._client, self._table, [{"DeleteRequest": {"Key": key}} for key in rest])
        if last:
            self._transact([{"Delete": {"TableName": self._table, "Key": key}} for key in last])

    def page(
        self, workspace: WorkspaceUid, kind: type[D], where: Mapping[str, str], limit: int, cursor: str | None
    ) -> Page[D]:
        partition = keys.of_kind(workspace, kind.kind)
        start = key_after(cursor, BY_TYPE_KEY, {"kind": partition})
        request = _build_list(partition, where)
        request["TableName"] = self._table
        request["Limit"] = max(limit + 1, FILTERED_PAGE) if where else limit + 1
        items = list(islice(query(self._client, request, start), limit + 1))
        documents = tuple(_read_document(kind, item) for item in items[:limit])
        return Page(documents, _cursor_behind(items, limit, BY_TYPE_KEY))

    def children(
        self,
        workspace: WorkspaceUid,
        parent: type[StoredDocument],
        uid: str,
        kind: type[D],
        limit: int,
        cursor: str | None,
    ) -> Page[D]:
        pk = keys.document(workspace, parent.kind, uid)
        start = key_after(cursor, TABLE_KEY, {"pk": pk})
        prefix = keys.children(kind.kind)
        if start and not start["sk"]["S"].startswith(prefix):
            raise bad_cursor()
        request: QueryInputTypeDef = {**self._below(pk, prefix), "ScanIndexForward": False, "Limit": limit + 1}
        pointers = query(self._client, request, start)
        pairs = list(islice(self._documents(workspace, kind, pointers, limit + 1), limit + 1))
        documents = tuple(document for _, document in pairs[:limit])
        return Page(documents, _cursor_behind([pointer for pointer, _ in pairs], limit, TABLE_KEY))

    def add_version(self, workspace: WorkspaceUid, document: D, version: int, body: BaseModel) -> D:
        saved = document.model_copy(update={"rev": document.rev + 1})
        item = _build_item(workspace, saved)
        stored: Item = {"pk": item["pk"], "sk": {"S": keys.version(version)}, "doc": build_doc(body)}
        writes = [
            guarded_put(self._table, item, "rev = :rev", document.rev),
            guarded_put(self._table, stored, "attribute_not_exists(pk)"),
        ]
        try:
            self._transact(writes)
        except TransactionRefused as refused:
            if not all(
                is_our_write(own, reason.item) for own, reason in zip((item, stored), refused.reasons, strict=True)
            ):
                raise _revision_conflict(document) from refused
        return saved

    def find_version(
        self, workspace: WorkspaceUid, kind: type[StoredDocument], uid: str, version: int, body: type[V]
    ) -> V | None:
        """Return a version; each process reads it once."""
        pk = keys.document(workspace, kind.kind, uid)
        cache_key = (pk, keys.version(version), body)
        if cache_key not in self._versions:
            item = self._find_item(pk, keys.version(version))
            if item is None:
                return None
            if len(self._versions) >= VERSIONS_CACHED:
                self._versions.clear()
            self._versions[cache_key] = read_document(body, item["doc"]["S"])
        return cast("V", self._versions[cache_key])

    def list_versions(
        self, workspace: WorkspaceUid, kind: type[StoredDocument], uid: str, body: type[V]
    ) -> tuple[V, ...]:
        request = self._below(keys.document(workspace, kind.kind, uid), keys.VERSIONS)
        items = query(self._client, {**request, "ScanIndexForward": False})
        return tuple(read_document(body, item["doc"]["S"]) for item in items)

    def put_chunk(
        self, workspace: WorkspaceUid, kind: type[StoredDocument], uid: str, number: int, entries: Sequence[str]
    ) -> None:
        with translate_errors():
            self._client.put_item(TableName=self._table, Item=_build_chunk(workspace, kind, uid, number, entries))

    def save_with_chunks(self, workspace: WorkspaceUid, document: D, chunks: Mapping[int, Sequence[str]]) -> D:
        saved = document.model_copy(update={"rev": document.rev + 1})
        item = _build_item(workspace, saved)
        parts = [_build_chunk(workspace, type(document), document.uid, *chunk) for chunk in chunks.items()]
        puts: list[TransactWriteItemTypeDef] = [{"Put": {"TableName": self._table, "Item": part}} for part in parts]
        try:
            self._transact([guarded_put(self._table, item, "rev = :rev", document.rev), *puts])
        except TransactionRefused as refused:
            # Two concurrent writers that add equally many entries write equal documents, so an equal stored document
            # does not prove that this write succeeded.
            raise _revision_conflict(document) from refused
        return saved

    def get_chunk(self, workspace: WorkspaceUid, kind: type[StoredDocument], uid: str, number: int) -> tuple[str, ...]:
        item = self._find_item(keys.document(workspace, kind.kind, uid), keys.chunk(number))
        return tuple(item["entries"]["S"].split("\n")[:-1]) if item else ()

    def list_active(self, kind: type[D]) -> Iterator[tuple[WorkspaceUid, str]]:
        request: QueryInputTypeDef = {
            "TableName": self._table,
            "IndexName": "active",
            "KeyConditionExpression": "activeKey = :kind",
            "ExpressionAttributeValues": {":kind": {"S": kind.kind}},
        }
        return (keys.read_active(item["activeSort"]["S"]) for item in query(self._client, request))

    def list_due(self, kind: type[D], before: datetime) -> Iterator[tuple[WorkspaceUid, str, datetime]]:
        request: QueryInputTypeDef = {
            "TableName": self._table,
            "IndexName": "due",
            "KeyConditionExpression": "dueKey = :kind AND due <= :before",
            "ExpressionAttributeValues": {":kind": {"S": kind.kind}, ":before": {"S": rfc3339(before)}},
        }
        found = query(self._client, request)
        return ((*keys.read_document(item["pk"]["S"]), datetime.fromisoformat(item["due"]["S"])) for item in found)

    def _documents(
        self, workspace: WorkspaceUid, kind: type[D], pointers: Iterator[Item], size: int
    ) -> Iterator[tuple[Item, D]]:
        """Yield pointers with their documents; skip a pointer if its document has been removed."""
        while group := list(islice(pointers, size)):
            found = self.find_many(workspace, kind, [item["uid"]["S"] for item in group])
            yield from ((item, found[item["uid"]["S"]]) for item in group if item["uid"]["S"] in found)

    def _find_item(self, pk: str, sk: str, strong: bool = True) -> Item | None:
        with translate_errors():
            answer = self._client.get_item(TableName=self._table, Key=_build_key(pk, sk), ConsistentRead=strong)
        return answer.get("Item")

    def _below(self, pk: str, prefix: str = "") -> "QueryInputTypeDef":
        request: QueryInputTypeDef = {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": {"S": pk}},
            "ConsistentRead": True,
        }
        if prefix:
            request["KeyConditionExpression"] = "pk = :pk AND begins_with(sk, :prefix)"
            request["ExpressionAttributeValues"] = {":pk": {"S": pk}, ":prefix": {"S": prefix}}
        return request

    def _transact(self, writes: "list[TransactWriteItemTypeDef]") -> None:
        with translate_errors():
            self._client.transact_write_items(TransactItems=writes)


def _name(kind: type[StoredDocument]) -> str:
    return kind.kind.capitalize()


def _revision_conflict(document: StoredDocument) -> Conflict:
    return Conflict(f"{_name(type(document))} {document.uid} was changed by another request; read it again")


def _build_key(pk: str, sk: str) -> Item:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def _build_chunk(
    workspace: WorkspaceUid, kind: type[StoredDocument], uid: str, number: int, entries: Sequence[str]
) -> Item:
    if any("\n" in entry for entry in entries):
        raise ValueError("A chunk entry must not contain a newline")
    # A newline after every entry, not between entries, distinguishes no entry from one empty entry.
    text = "".join(f"{entry}\n" for entry in entries)
    return {**_build_key(keys.document(workspace, kind.kind, uid), keys.chunk(number)), "entries": {"S": text}}


def _key(item: Item) -> Item:
    return {"pk": item["pk"], "sk": item["sk"]}


def _created(document: StoredDocument) -> str:
    return f"{rfc3339(document.created_at)}#{document.uid}"


def _build_item(workspace: WorkspaceUid, document: StoredDocument) -> Item:
    filters = dict(document.filter_attributes())
    if document.is_active:
        filters |= {"activeKey": document.kind, "activeSort": keys.active(workspace, document.uid)}
    if document.due_at:
        filters |= {"dueKey": document.kind, "due": rfc3339(document.due_at)}
    expiry: Item = {"expiresAt": {"N": str(int(document.forget_at.timestamp()))}} if document.forget_at else {}
    return {
        **{name: {"S": value} for name, value in filters.items()},
        **expiry,
        **_build_key(keys.document(workspace, document.kind, document.uid), keys.META),
        "kind": {"S": keys.of_kind(workspace, document.kind)},
        "created": {"S": _created(document)},
        "rev": {"N": str(document.rev)},
        "doc": build_doc(document),
    }


def _build_pointer(workspace: WorkspaceUid, document: StoredDocument, under: tuple[type[StoredDocument], str]) -> Item:
    parent, uid = under
    key = _build_key(keys.document(workspace, parent.kind, uid), keys.children(document.kind) + _created(document))
    return {**key, "uid": {"S": document.uid}}


def _read_document(kind: type[D], item: Item) -> D:
    return read_document(kind, item["doc"]["S"]).model_copy(update={"rev": int(item["rev"]["N"])})


def _build_list(partition: str, where: Mapping[str, str]) -> "QueryInputTypeDef":
    request: QueryInputTypeDef = {
        "TableName": "",
        "IndexName": "byType",
        "KeyConditionExpression": "kind = :kind",
        "ExpressionAttributeValues": {":kind": {"S": partition}},
        "ScanIndexForward": False,
    }
    if where:
        parts = [_build_condition(number, value) for number, value in enumerate(where.values())]
        values = {f":m{number}": {"S": _search_text(value)} for number, value in enumerate(where.values())}
        request["FilterExpression"] = " AND ".join(parts)
        request["ExpressionAttributeNames"] = {f"#m{number}": name for number, name in enumerate(where)}
        request["ExpressionAttributeValues"] = {":kind": {"S": partition}, **values}
    return request


def _is_part(value: str) -> bool:
    return len(value) > 2 and value.startswith("*") and value.endswith("*")


def _search_text(value: str) -> str:
    return value[1:-1] if _is_part(value) else value


def _build_condition(number: int, value: str) -> str:
    return f"contains(#m{number}, :m{number})" if _is_part(value) else f"#m{number} = :m{number}"


def _cursor_behind(items: Sequence[Item], limit: int, names: frozenset[str]) -> str | None:
    """Return the cursor behind the last returned item; None if no item follows."""
    if len(items) <= limit:
        return None
    return encode_cursor({name: items[limit - 1][name] for name in sorted(names)})
