"""Balances, flow budgets and ledgers. They change only by conditional writes; two change in one transaction."""

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from chalicelib.aws import key_schema as keys
from chalicelib.aws._dynamodb import (
    ConditionFailed,
    Item,
    TransactionRefused,
    encode_cursor,
    key_after,
    query,
    read_document,
    translate_errors,
)
from chalicelib.aws.execution_keys import from_milliseconds, to_milliseconds
from chalicelib.model.balance import Balance, BillingSettings, FlowBudget, LedgerEntry, LedgerEntryKind, ReloadCounter
from chalicelib.model.ids import FlowUid, WorkspaceUid, new_uid
from chalicelib.ports import Page

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import (
        AttributeValueTypeDef,
        QueryInputTypeDef,
        TransactWriteItemTypeDef,
        UpdateTypeDef,
    )

_KEY_NAMES = frozenset({"pk", "sk"})


class DynamoBalances:
    """Implements `ports.Balances` and `ports.FlowBudgets` in the Catalog table."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client, self._table = client, table

    def find(self, workspace: WorkspaceUid) -> Balance | None:
        item = self._get(keys.balance(workspace))
        return _decode_balance(item) if item else None

    def credit(self, workspace: WorkspaceUid, entry: LedgerEntry) -> None:
        """Change balance and ledger in one transaction; if the entry exists, neither changes."""
        update = self._update(
            keys.balance(workspace), "ADD freeUnits :units REMOVE lowTold", {":units": _number(entry.units)}
        )
        try:
            self._transact([{"Update": update}, self._put(workspace, entry)], new_uid())
        except TransactionRefused:
            return

    def reload(self, workspace: WorkspaceUid, entry: LedgerEntry, seen: ReloadCounter, then: ReloadCounter) -> bool:
        update = self._update(
            keys.balance(workspace),
            "ADD freeUnits :units SET reloadDay = :day, reloadCount = :count REMOVE lowTold",
            {
                ":units": _number(entry.units), ":day": {"S": then.day}, ":count": _number(then.count),
                ":seenDay": {"S": seen.day}, ":seenCount": _number(seen.count),
            },
            "(attribute_not_exists(reloadDay) OR reloadDay = :seenDay)"
            " AND (attribute_not_exists(reloadCount) OR reloadCount = :seenCount)",
        )  # fmt: skip
        return self._succeeds([{"Update": update}, self._put(workspace, entry)])

    def mark_low(self, workspace: WorkspaceUid, count: int) -> bool:
        """Set the mark by a conditional write.

        After a lost response, the second attempt finds the mark and returns False, although the first attempt set it.
        """
        update = self._update(
            keys.balance(workspace),
            "SET lowCount = :next, lowTold = :yes",
            {":next": _number(count + 1), ":yes": {"BOOL": True}, ":seen": _number(count)},
            "lowCount = :seen" if count else "attribute_not_exists(lowCount) OR lowCount = :seen",
        )
        return self._holds(update)

    def configure(self, workspace: WorkspaceUid, settings: BillingSettings) -> Balance:
        update = self._update(
            keys.balance(workspace),
            "SET settingsDoc = :settings ADD freeUnits :none REMOVE lowTold",
            {":settings": {"S": settings.model_dump_json()}, ":none": _number(0)},
        )
        with translate_errors():
            answer = self._client.update_item(**update, ReturnValues="ALL_NEW")
        return _decode_balance(answer["Attributes"])

    def list_entries(self, workspace: WorkspaceUid, limit: int, cursor: str | None) -> Page[LedgerEntry]:
        pk = keys.balance(workspace)
        request: QueryInputTypeDef = {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :pk AND begins_with(sk, :prefix)",
            "ExpressionAttributeValues": {":pk": {"S": pk}, ":prefix": {"S": keys.ENTRIES}},
            "ConsistentRead": True,
            "ScanIndexForward": False,
            "Limit": limit + 1,
        }
        items: list[Item] = []
        for item in query(self._client, request, key_after(cursor, _KEY_NAMES, {"pk": pk})):
            items.append(item)
            if len(items) > limit:
                break
        last = items[limit - 1] if len(items) > limit else None
        behind = encode_cursor({"pk": last["pk"], "sk": last["sk"]}) if last else None
        return Page(tuple(_decode_entry(item) for item in items[:limit]), behind)

    def find_budget(self, workspace: WorkspaceUid, flow: FlowUid) -> FlowBudget:
        item = self._get(keys.flow_budget(workspace, flow))
        return _decode_budget(item) if item else FlowBudget()

    def reserve(self, workspace: WorkspaceUid, flow: FlowUid, units: int) -> bool:
        """Use a transaction with a token, so that a second attempt after a lost response reserves nothing more."""
        values = {":units": _number(units)}
        out = self._update(
            keys.balance(workspace),
            "SET freeUnits = freeUnits - :units ADD reservedUnits :units",
            values,
            "freeUnits >= :units",
        )
        into = self._update(
            keys.flow_budget(workspace, flow),
            "ADD leftUnits :units, drawnUnits :units, takeCount :one",
            {**values, ":one": _number(1)},
        )
        return self._succeeds([{"Update": out}, {"Update": into}])

    def charge(self, workspace: WorkspaceUid, flow: FlowUid, units: int) -> bool:
        update = self._update(
            keys.flow_budget(workspace, flow),
            "SET leftUnits = leftUnits - :units ADD takeCount :one",
            {":units": _number(units), ":one": _number(1)},
            "leftUnits >= :units",
        )
        return self._holds(update)

    def refund(self, workspace: WorkspaceUid, flow: FlowUid, units: int, token: str) -> None:
        update = self._update(
            keys.flow_budget(workspace, flow),
            "ADD leftUnits :units, takeCount :one",
            {":units": _number(units), ":one": _number(1)},
            "attribute_exists(pk)",
        )
        self._transact([{"Update": update}], token)

    def reconcile(
        self, workspace: WorkspaceUid, flow: FlowUid, seen: FlowBudget, after: FlowBudget, entry: LedgerEntry | None
    ) -> bool:
        """Return the unspent part of the budget's decrease to the available balance."""
        booked = after.settled - seen.settled
        returned = seen.drawn - after.drawn
        budget = self._update(
            keys.flow_budget(workspace, flow),
            "SET leftUnits = :left, drawnUnits = :drawn, settledUnits = :settled, takeCount = :changes",
            {
                ":left": _number(after.left), ":drawn": _number(after.drawn), ":settled": _number(after.settled),
                ":changes": _number(seen.changes + 1), ":seen": _number(seen.changes),
            },
            "takeCount = :seen",
        )  # fmt: skip
        balance = self._update(
            keys.balance(workspace),
            "ADD freeUnits :returned, reservedUnits :less",
            {":returned": _number(returned), ":less": _number(-returned - booked)},
        )
        writes: list[TransactWriteItemTypeDef] = [{"Update": budget}, {"Update": balance}]
        return self._succeeds([*writes, *([self._put(workspace, entry)] if entry else [])])

    def _get(self, pk: str) -> Item | None:
        with translate_errors():
            answer = self._client.get_item(
                TableName=self._table, Key={"pk": {"S": pk}, "sk": {"S": keys.MONEY}}, ConsistentRead=True
            )
        return answer.get("Item")

    def _update(
        self, pk: str, change: str, values: "dict[str, AttributeValueTypeDef]", condition: str = ""
    ) -> "UpdateTypeDef":
        update: UpdateTypeDef = {
            "TableName": self._table,
            "Key": {"pk": {"S": pk}, "sk": {"S": keys.MONEY}},
            "UpdateExpression": change,
            "ExpressionAttributeValues": values,
        }
        return {**update, "ConditionExpression": condition} if condition else update

    def _put(self, workspace: WorkspaceUid, entry: LedgerEntry) -> "TransactWriteItemTypeDef":
        item = _encode_entry(workspace, entry)
        return {"Put": {"TableName": self._table, "Item": item, "ConditionExpression": "attribute_not_exists(pk)"}}

    def _holds(self, update: "UpdateTypeDef") -> bool:
        """Make one update; report whether its condition held."""
        try:
            with translate_errors():
                self._client.update_item(**update)
        except ConditionFailed:
            return False
        return True

    def _succeeds(self, writes: "Sequence[TransactWriteItemTypeDef]") -> bool:
        try:
            self._transact(writes, new_uid())
        except TransactionRefused:
            return False
        return True

    def _transact(self, writes: "Sequence[TransactWriteItemTypeDef]", token: str) -> None:
        # DynamoDB accepts tokens of up to 36 characters.
        short = hashlib.blake2b(token.encode(), digest_size=18).hexdigest()
        with translate_errors():
            self._client.transact_write_items(TransactItems=list(writes), ClientRequestToken=short)


def _number(value: int) -> "AttributeValueTypeDef":
    return {"N": str(value)}


def _read(item: Item, name: str) -> int:
    return int(item[name]["N"]) if name in item else 0


def _decode_balance(item: Item) -> Balance:
    settings = read_document(BillingSettings, item["settingsDoc"]["S"]) if "settingsDoc" in item else BillingSettings()
    day = item["reloadDay"]["S"] if "reloadDay" in item else ""
    reloads = ReloadCounter(day, _read(item, "reloadCount"))
    low_count, low_reported = _read(item, "lowCount"), "lowTold" in item
    return Balance(_read(item, "freeUnits"), _read(item, "reservedUnits"), settings, reloads, low_count, low_reported)


def _decode_budget(item: Item) -> FlowBudget:
    names = ("leftUnits", "drawnUnits", "settledUnits", "takeCount")
    return FlowBudget(*(_read(item, name) for name in names))


def _encode_entry(workspace: WorkspaceUid, entry: LedgerEntry) -> "dict[str, AttributeValueTypeDef]":
    # The uid is a ULID, so entries sort by time and the same entry always has the same key.
    return {
        "pk": {"S": keys.balance(workspace)},
        "sk": {"S": f"{keys.ENTRIES}{entry.uid}"},
        "entryKind": {"S": entry.kind.value},
        "units": _number(entry.units),
        "madeAt": _number(to_milliseconds(entry.at)),
        "flowUid": {"S": entry.flow},
        "note": {"S": entry.note},
    }


def _decode_entry(item: Item) -> LedgerEntry:
    return LedgerEntry(
        uid=item["sk"]["S"].removeprefix(keys.ENTRIES),
        kind=LedgerEntryKind(item["entryKind"]["S"]),
        units=int(item["units"]["N"]),
        at=from_milliseconds(int(item["madeAt"]["N"])),
        flow=item["flowUid"]["S"],
        note=item["note"]["S"],
    )
