"""Contacts and their unique look-up keys in the Contacts table: one item each, kept consistent by transactions."""

import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from chalicelib.aws import key_schema as keys
from chalicelib.aws._dynamodb import (
    CancellationReason,
    ConditionFailed,
    Item,
    TransactionRefused,
    batch_get,
    build_doc,
    decode_cursor,
    encode_cursor,
    guarded_put,
    is_our_write,
    key_after,
    query,
    read_document,
    translate_errors,
)
from chalicelib.aws._write_batches import Sleep, WriteResult, write_with_retry
from chalicelib.aws.consents import build_consent
from chalicelib.aws.event_codec import build_unpublished
from chalicelib.errors import Conflict, RetryLater
from chalicelib.model.consent import ConsentRecord
from chalicelib.model.contact import Contact
from chalicelib.model.contact_shards import CONTACT_SHARDS, ShardSummary
from chalicelib.model.event import Event
from chalicelib.model.ids import ContactUid, WorkspaceUid
from chalicelib.ports import Page

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import BatchStatementRequestTypeDef, QueryInputTypeDef, TransactWriteItemTypeDef

CONTACT_KEY = frozenset({"pk", "sk"})
#: DynamoDB allows 4 MB per transaction; a contact has at most 380 KB, and usually 1 KB.
MANY_BYTES = 3_500_000
#: DynamoDB limit of one transaction.
MANY_WRITES = 100
#: Shards that are read in parallel if the first one does not fill a page: three rounds for all shards.
SHARDS_AT_ONCE = 21
#: Attempts of a removal while others change the contact.
REMOVAL_TRIES = 4


class DynamoContacts:
    """Implements `ports.Contacts` and `ports.ContactShards` on DynamoDB."""

    def __init__(self, client: "DynamoDBClient", table: str, batched: bool = True, sleep: Sleep = time.sleep) -> None:
        """`batched`: see DynamoExecutions."""
        self._client, self._table, self._batched, self._sleep = client, table, batched, sleep

    def find_many(self, workspace: WorkspaceUid, uids: Sequence[ContactUid], strong: bool) -> dict[ContactUid, Contact]:
        wanted = [_contact_key(workspace, uid) for uid in uids]
        found = (_read_contact(item) for item in batch_get(self._client, self._table, wanted, strong))
        return {ContactUid(contact.uid): contact for contact in found}

    def find_by(self, workspace: WorkspaceUid, lookups: Sequence[str]) -> dict[str, ContactUid]:
        """Return the owners of look-up keys; strongly consistent."""
        wanted = [_lookup_key(workspace, text) for text in lookups]
        found = {item["pk"]["S"]: item["uid"]["S"] for item in batch_get(self._client, self._table, wanted, True)}
        by_text = ((text, found.get(keys.lookup(workspace, text))) for text in lookups)
        return {text: ContactUid(uid) for text, uid in by_text if uid}

    def add(
        self,
        workspace: WorkspaceUid,
        contact: Contact,
        events: Sequence[Event] = (),
        consents: Sequence[ConsentRecord] = (),
    ) -> None:
        outbox = self._outbox_writes(workspace, contact, events, consents)
        try:
            self._transact([*self._insert(workspace, contact, _build_item(workspace, contact)), *outbox])
        except TransactionRefused as refused:
            if refused.reasons[0].failed:
                raise Conflict(f"Contact {contact.uid} already exists") from refused
            raise _lookup_conflict(contact.lookups(), refused.reasons[1:]) from refused

    def add_many(
        self,
        workspace: WorkspaceUid,
        contacts: Sequence[Contact],
        events: Mapping[str, Sequence[Event]] | None = None,
        consents: Mapping[str, Sequence[ConsentRecord]] | None = None,
    ) -> tuple[ContactUid, ...]:
        """Use one transaction (25 contacts with three look-up keys each are 100 writes); one per contact if that is too
        large or refused.
        """
        items = [_build_item(workspace, contact) for contact in contacts]
        records = [((events or {}).get(each.uid, ()), (consents or {}).get(each.uid, ())) for each in contacts]
        writes = [
            write
            for contact, item, beside in zip(contacts, items, records, strict=True)
            for write in (*self._insert(workspace, contact, item), *self._outbox_writes(workspace, contact, *beside))
        ]
        if len(writes) <= MANY_WRITES and sum(len(item["doc"]["S"].encode()) for item in items) <= MANY_BYTES:
            with suppress(TransactionRefused):
                self._transact(writes)
                return ()
        pairs = zip(contacts, records, strict=True)
        return tuple(ContactUid(each.uid) for each, beside in pairs if not self._adds(workspace, each, *beside))

    def _adds(
        self, workspace: WorkspaceUid, contact: Contact, events: Sequence[Event], consents: Sequence[ConsentRecord]
    ) -> bool:
        try:
            self.add(workspace, contact, events, consents)
        except Conflict:
            return False
        return True

    def _insert(self, workspace: WorkspaceUid, contact: Contact, item: Item) -> "list[TransactWriteItemTypeDef]":
        """Return the writes: the contact first, then its look-up keys in order."""
        put = guarded_put(self._table, item, "attribute_not_exists(pk)")
        return [put, *(self._claim(workspace, text, contact.uid) for text in contact.lookups())]

    def _outbox_writes(
        self, workspace: WorkspaceUid, contact: Contact, events: Sequence[Event], consents: Sequence[ConsentRecord]
    ) -> "list[TransactWriteItemTypeDef]":
        """Return the writes that store its events and consent records."""
        items = [build_unpublished(workspace, event) for event in events]
        items += [build_consent(workspace, contact, record) for record in consents]
        return [{"Put": {"TableName": self._table, "Item": item}} for item in items]

    def save(
        self,
        workspace: WorkspaceUid,
        before: Contact,
        after: Contact,
        events: Sequence[Event] = (),
        consents: Sequence[ConsentRecord] = (),
    ) -> Contact:
        saved = after.model_copy(update={"rev": before.rev + 1})
        outbox = self._outbox_writes(workspace, saved, events, consents)
        if set(before.lookups()) == set(saved.lookups()) and not outbox:
            self._save_alone(workspace, saved)
        else:
            self._save_together(workspace, before, saved, outbox)
        return saved

    def save_many(self, workspace: WorkspaceUid, changes: Sequence[tuple[Contact, Contact]]) -> tuple[bool, ...]:
        """Save in batches as large as a call allows."""
        saved = [after.model_copy(update={"rev": before.rev + 1}) for before, after in changes]
        writes = [_Replacement(self._table, _build_item(workspace, contact)) for contact in saved]
        answers = write_with_retry(self._client, writes, self._batched, self._sleep)
        return tuple(_has_held(write, answer) for write, answer in zip(writes, answers, strict=True))

    def _save_alone(self, workspace: WorkspaceUid, saved: Contact) -> None:
        replacement = _Replacement(self._table, _build_item(workspace, saved))
        try:
            with translate_errors():
                replacement.execute(self._client)
        except ConditionFailed as failed:
            if not is_our_write(replacement.item, failed.item):
                raise _revision_conflict(saved) from failed

    def _save_together(
        self, workspace: WorkspaceUid, before: Contact, saved: Contact, outbox: "list[TransactWriteItemTypeDef]"
    ) -> None:
        item = _build_item(workspace, saved)
        claimed = [text for text in saved.lookups() if text not in before.lookups()]
        freed = [text for text in before.lookups() if text not in saved.lookups()]
        writes = [guarded_put(self._table, item, "rev = :rev", before.rev)]
        writes += [self._claim(workspace, text, saved.uid) for text in claimed]
        writes += [self._free(workspace, text, saved.uid) for text in freed]
        try:
            self._transact([*writes, *outbox])
        except TransactionRefused as refused:
            if is_our_write(item, refused.reasons[0].item):
                return
            if refused.reasons[0].failed:
                raise _revision_conflict(saved) from refused
            raise _lookup_conflict(claimed, refused.reasons[1:]) from refused

    def remove(self, workspace: WorkspaceUid, contact: Contact) -> None:
        uid = ContactUid(contact.uid)
        stored: Contact | None = contact
        for _ in range(REMOVAL_TRIES):
            if stored is None:
                return
            with suppress(TransactionRefused):
                self._remove_at_rev(workspace, stored)
                return
            # The contact was saved or removed since it was read, so its look-up keys may have changed, and the old ones
            # may belong to another contact.
            stored = self.find_many(workspace, [uid], strong=True).get(uid)
        raise RetryLater(f"Contact {contact.uid} is being changed")

    def _remove_at_rev(self, workspace: WorkspaceUid, contact: Contact) -> None:
        delete: TransactWriteItemTypeDef = {
            "Delete": {
                "TableName": self._table,
                "Key": _contact_key(workspace, contact.uid),
                "ConditionExpression": "attribute_not_exists(pk) OR rev = :rev",
                "ExpressionAttributeValues": {":rev": {"N": str(contact.rev)}},
            }
        }
        self._transact([delete, *(self._free(workspace, text, contact.uid) for text in contact.lookups())])

    def page(self, workspace: WorkspaceUid, limit: int, cursor: str | None) -> Page[Contact]:
        shard, start = _read_position(workspace, cursor)
        items = list(islice(self._from(workspace, shard, start, limit + 1), limit + 1))
        behind = {name: items[limit - 1][name] for name in CONTACT_KEY} if len(items) > limit else None
        return Page(tuple(_read_contact(item) for item in items[:limit]), encode_cursor(behind))

    def _from(self, workspace: WorkspaceUid, shard: int, start: Item | None, size: int) -> Iterator[Item]:
        """Read the first shard alone, which usually fills the page.

        In a small workspace no shard does, so the rest is read in parallel.
        """
        yield from self._query_shard(workspace, shard, start, size)
        rest = range(shard + 1, CONTACT_SHARDS)
        with ThreadPoolExecutor(SHARDS_AT_ONCE) as pool:
            for first in range(0, len(rest), SHARDS_AT_ONCE):
                wave = rest[first : first + SHARDS_AT_ONCE]
                begun = pool.map(lambda each: list(islice(self._query_shard(workspace, each, None, size), size)), wave)
                for items in begun:
                    yield from items

    def _query_shard(self, workspace: WorkspaceUid, shard: int, start: Item | None, size: int) -> Iterator[Item]:
        request: QueryInputTypeDef = {**self._of_shard(workspace, shard), "Limit": size}
        return query(self._client, request, start)

    def page_shard(self, workspace: WorkspaceUid, shard: int, limit: int, cursor: str | None) -> Page[Contact]:
        """Make one query; an empty page may be the first to show that the shard has ended."""
        start = key_after(cursor, CONTACT_KEY, {"pk": keys.contact_shard(workspace, shard)})
        request: QueryInputTypeDef = {**self._of_shard(workspace, shard), "Limit": limit, "ConsistentRead": True}
        with translate_errors():
            answer = self._client.query(**request, **({"ExclusiveStartKey": start} if start else {}))
        contacts = tuple(_read_contact(item) for item in answer["Items"])
        return Page(contacts, encode_cursor(answer.get("LastEvaluatedKey")))

    def summarise(self, workspace: WorkspaceUid, shard: int) -> ShardSummary:
        """Count by queries that return no items; DynamoDB counts one megabyte per call."""
        request: QueryInputTypeDef = {**self._of_shard(workspace, shard), "Select": "COUNT"}
        count, start = 0, None
        starts: list[str | None] = [None]
        while True:
            with translate_errors():
                answer = self._client.query(**request, **({"ExclusiveStartKey": start} if start else {}))
            count += answer["Count"]
            start = answer.get("LastEvaluatedKey")
            if not start:
                return ShardSummary(count, tuple(starts))
            starts.append(encode_cursor(start))

    def _of_shard(self, workspace: WorkspaceUid, shard: int) -> "QueryInputTypeDef":
        return {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": {"S": keys.contact_shard(workspace, shard)}},
        }

    def _claim(self, workspace: WorkspaceUid, text: str, uid: str) -> "TransactWriteItemTypeDef":
        return guarded_put(self._table, {**_lookup_key(workspace, text), "uid": {"S": uid}}, "attribute_not_exists(pk)")

    def _free(self, workspace: WorkspaceUid, text: str, uid: str) -> "TransactWriteItemTypeDef":
        return {
            "Delete": {
                "TableName": self._table,
                "Key": _lookup_key(workspace, text),
                "ConditionExpression": "attribute_not_exists(pk) OR uid = :uid",
                "ExpressionAttributeValues": {":uid": {"S": uid}},
            }
        }

    def _transact(self, writes: "list[TransactWriteItemTypeDef]") -> None:
        with translate_errors():
            self._client.transact_write_items(TransactItems=writes)


@dataclass(frozen=True, slots=True)
class _Replacement:
    """A write that replaces a contact by its next rev."""

    table: str
    item: Item

    @property
    def _before(self) -> int:
        return int(self.item["rev"]["N"]) - 1

    def statement(self) -> "BatchStatementRequestTypeDef":
        values = [self.item["doc"], self.item["rev"], self.item["pk"], self.item["sk"], {"N": str(self._before)}]
        return {
            "Statement": f'UPDATE "{self.table}" {_REPLACE_PARTIQL}',
            "Parameters": values,
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }

    def execute(self, client: "DynamoDBClient") -> None:
        client.put_item(**guarded_put(self.table, self.item, "rev = :rev", self._before)["Put"])


_REPLACE_PARTIQL = 'SET "doc"=? SET "rev"=? WHERE "pk"=? AND "sk"=? AND "rev"=?'


def _has_held(write: _Replacement, answer: WriteResult) -> bool:
    return answer.written or is_our_write(write.item, answer.stored)


def _contact_key(workspace: WorkspaceUid, uid: str) -> Item:
    return {"pk": {"S": keys.contact(workspace, uid)}, "sk": {"S": uid}}


def _lookup_key(workspace: WorkspaceUid, text: str) -> Item:
    return {"pk": {"S": keys.lookup(workspace, text)}, "sk": {"S": keys.META}}


def _build_item(workspace: WorkspaceUid, contact: Contact) -> Item:
    # Without default values a contact has half the bytes, and one below 1 KB costs one write unit.
    doc = build_doc(contact, exclude_defaults=True)
    return {**_contact_key(workspace, contact.uid), "rev": {"N": str(contact.rev)}, "doc": doc}


def _read_contact(item: Item) -> Contact:
    return read_document(Contact, item["doc"]["S"]).model_copy(update={"rev": int(item["rev"]["N"])})


def _revision_conflict(contact: Contact) -> Conflict:
    return Conflict(f"Contact {contact.uid} was changed by another request; read it again")


def _lookup_conflict(lookups: Sequence[str], reasons: Sequence[CancellationReason]) -> Conflict:
    """Return the conflict for the first look-up key that another contact owns, without the address itself."""
    for text, reason in zip(lookups, reasons, strict=False):
        if reason.failed:
            holder = f"contact {reason.item['uid']['S']}" if reason.item else "another contact"
            return Conflict(f"{text.partition(':')[0]} is already used by {holder}")
    return Conflict("Another contact changed a look-up key; read it again")


def _read_position(workspace: WorkspaceUid, cursor: str | None) -> tuple[int, Item | None]:
    """Return the shard and the key at which a page starts. InvalidRequest if they do not belong together."""
    if cursor is None:
        return 0, None
    uid = decode_cursor(cursor).get("sk", {}).get("S", "")
    shard = keys.shard_of(uid)
    return shard, key_after(cursor, CONTACT_KEY, {"pk": keys.contact_shard(workspace, shard)})
