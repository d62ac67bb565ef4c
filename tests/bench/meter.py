"""Counts calls through boto3, DynamoDB units and billed SQS requests, with event handlers of botocore.

Emulators report ConsumedCapacity only in part, so units follow DynamoDB's published rules (`sizes.py`). The meter reads
an item before and after every write, through a separate client that is not counted. The rules:

- A write costs the larger of the item before and after it, per started KB. A failed condition costs the same.
- A write in a transaction costs double, also when the transaction is refused. Every changed index entry is one more.
- A read costs per started 4 KB, half when it is eventually consistent. A batch rounds up per item, a query per page.
"""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.bench.sizes import Item, index_writes, item_bytes, read_units, sqs_requests, write_units

#: Calls of the event source mapping. On AWS an SQS trigger receives and deletes for our code.
POLLING = frozenset({"ReceiveMessage", "DeleteMessage", "DeleteMessageBatch", "ChangeMessageVisibility"})
#: DynamoDB's limit for one BatchGetItem.
PEEK = 100
#: Parameters of a query that leave data out of its response.
_LEAVE_OUT = frozenset({"FilterExpression", "ProjectionExpression", "Select"})
_FREE = frozenset({"DescribeTable", "ListTables", "DescribeTimeToLive"})
_PARTIQL_TABLE = re.compile(r'^\s*(INSERT INTO|UPDATE|DELETE FROM)\s+"([^"]+)"')
_PARTIQL_VALUE = re.compile(r"""(?:["'](\w+)["']\s*[=:<>]+\s*)?\?""")


#: Table or `table/index`, partition key and sort key; a query reads a partition, its sort key is empty.
Place = tuple[str, str, str]


@dataclass(slots=True)
class Tally:
    """Counts of calls and units; units are by table or `table/index`."""

    calls: Counter[tuple[str, str]] = field(default_factory=Counter)
    write_units: Counter[str] = field(default_factory=Counter)
    read_units: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    #: The same units by item, to find hot keys.
    write_places: Counter[Place] = field(default_factory=Counter)
    read_places: defaultdict[Place, float] = field(default_factory=lambda: defaultdict(float))
    #: Conditional writes that DynamoDB refused; they are paid for, and among `write_units`.
    refused: int = 0
    #: Requests that SQS bills to our code.
    sqs_sent: int = 0
    #: Batches that a poller received. On AWS each is one request, and one more to delete it.
    sqs_batches: int = 0
    #: Messages in those batches.
    sqs_messages: int = 0

    @property
    def own_calls(self) -> int:
        """Number of calls by our code."""
        return sum(count for (_, operation), count in self.calls.items() if operation not in POLLING)

    @property
    def sqs_requests(self) -> int:
        """Number of billed requests of our code and the poller. Empty polls are excluded: they cost per hour."""
        return self.sqs_sent + 2 * self.sqs_batches


@dataclass(frozen=True, slots=True)
class _Write:
    """One item that a call may change. `new` is the item to put, if known; `times` is 2 in transactions."""

    table: str
    key: Item
    new: Item | None = None
    times: int = 1


@dataclass(slots=True)
class _Index:
    name: str
    keys: tuple[str, ...]
    projected: frozenset[str] | None


class Meter:
    """Registers handlers on clients and counts their calls in `tally`."""

    def __init__(self, peek: Any) -> None:
        """Take a separate DynamoDB client that reads items and is not counted."""
        self._peek = peek
        self._schemas: dict[str, tuple[tuple[str, ...], tuple[_Index, ...]]] = {}
        self.tally = Tally()

    @contextmanager
    def watch(self, *clients: Any) -> Iterator["Meter"]:
        """Count the calls of these clients. Raise NotImplementedError for an operation without a rule."""
        hooks = (("before-call", self._before), ("after-call", self._after), ("after-call-error", self._lost))
        for client in clients:
            for event, hook in hooks:
                client.meta.events.register(event, hook, unique_id=f"meter-{event}")
        try:
            yield self
        finally:
            for client in clients:
                for event, hook in hooks:
                    client.meta.events.unregister(event, hook, unique_id=f"meter-{event}")

    @contextmanager
    def book_to(self, tally: Tally) -> Iterator[None]:
        """Count the calls within the block in another tally."""
        kept, self.tally = self.tally, tally
        try:
            yield
        finally:
            self.tally = kept

    def _before(self, model: Any, params: Mapping[str, Any], context: dict[str, Any], **_: Any) -> None:
        service, operation = model.service_model.service_name, model.name
        self.tally.calls[service, operation] += 1
        body = _json_of(params)
        if service == "sqs" and operation not in POLLING:
            self.tally.sqs_sent += sqs_requests(_payload_bytes(body))
        if service == "dynamodb" and operation not in _FREE:
            writes = _writes_of(operation, body)
            context["metered"] = (body, writes, self._find_all(writes))

    def _after(self, model: Any, parsed: Mapping[str, Any], context: dict[str, Any], **_: Any) -> None:
        if model.name == "ReceiveMessage" and parsed.get("Messages"):
            self.tally.sqs_batches += 1
            self.tally.sqs_messages += len(parsed["Messages"])
        if "metered" not in context:
            return
        body, writes, before = context.pop("metered")
        if writes:
            self._book_writes(writes, before)
            self.tally.refused += _refusals(parsed)
        elif "Error" not in parsed:
            self._book_reads(model.name, body, parsed)

    def _lost(self, context: dict[str, Any], **_: Any) -> None:
        """Count a call without a response: its writes are billed too."""
        _, writes, before = context.pop("metered", ({}, [], []))
        self._book_writes(writes, before)

    def _book_writes(self, writes: Sequence[_Write], before: Sequence[Item | None]) -> None:
        for write, old, stored in zip(writes, before, self._find_all(writes), strict=True):
            largest = max(item_bytes(item) for item in (old, stored, write.new, {}) if item is not None)
            self._book_write(write.table, self._key(write.table, write.key), write.times * write_units(largest))
            for index in self._schema(write.table)[1]:
                units = index_writes(old, stored, index.keys, index.projected)
                entry = next((each for each in (stored, old) if each and index.keys[0] in each), None)
                if entry and units:
                    self._book_write(f"{write.table}/{index.name}", {name: entry[name] for name in index.keys}, units)

    def _book_write(self, place: str, key: Item, units: int) -> None:
        self.tally.write_units[place] += units
        self.tally.write_places[_place(place, key)] += units

    def _find_all(self, writes: Sequence[_Write]) -> list[Item | None]:
        """Return the stored items."""
        wanted: dict[str, dict[str, Item]] = defaultdict(dict)
        for write in writes:
            wanted[write.table][self._name(write.table, write.key)] = self._key(write.table, write.key)
        found: dict[tuple[str, str], Item] = {}
        for table, keys in wanted.items():
            for start in range(0, len(keys), PEEK):
                asked = {table: {"Keys": list(keys.values())[start : start + PEEK], "ConsistentRead": True}}
                items = self._peek.batch_get_item(RequestItems=asked)["Responses"].get(table, ())
                found.update(((table, self._name(table, item)), item) for item in items)
        return [found.get((write.table, self._name(write.table, write.key))) for write in writes]

    def _key(self, table: str, item: Item) -> Item:
        return {name: item[name] for name in self._schema(table)[0]}

    def _name(self, table: str, item: Item) -> str:
        return json.dumps(self._key(table, item))

    def _book_reads(self, operation: str, body: Mapping[str, Any], parsed: Mapping[str, Any]) -> None:
        if operation == "GetItem":
            key = self._key(body["TableName"], body["Key"])
            self._book_read(_place(body["TableName"], key), item_bytes(parsed.get("Item", {})), body)
        elif operation == "BatchGetItem":
            self._book_batch(body, parsed)
        elif operation in {"Query", "Scan"}:
            place = f"{body['TableName']}/{body['IndexName']}" if "IndexName" in body else body["TableName"]
            self._book_read((place, _partition(body), ""), self._page_bytes(operation, body, parsed), body)
        else:
            raise NotImplementedError(f"no rule for what {operation} costs")

    def _book_read(self, place: Place, size: int, asked: Mapping[str, Any]) -> None:
        units = read_units(size, asked.get("ConsistentRead", False))
        self.tally.read_units[place[0]] += units
        self.tally.read_places[place] += units

    def _book_batch(self, body: Mapping[str, Any], parsed: Mapping[str, Any]) -> None:
        """Count each item of a batch separately; an item that does not exist costs the smallest read."""
        for table, asked in body["RequestItems"].items():
            found = {self._name(table, item): item for item in parsed["Responses"].get(table, [])}
            for key in asked["Keys"]:
                item = found.get(self._name(table, key), {})
                self._book_read(_place(table, self._key(table, key)), item_bytes(item), asked)

    def _page_bytes(self, operation: str, body: Mapping[str, Any], parsed: Mapping[str, Any]) -> int:
        """Return the size of everything read. Filters and projections save nothing, so the whole page is read again."""
        if not body.keys() & _LEAVE_OUT:
            return sum(item_bytes(item) for item in parsed["Items"])
        whole = {name: value for name, value in body.items() if name not in _LEAVE_OUT}
        for name in ("ExpressionAttributeNames", "ExpressionAttributeValues"):
            used = set(re.findall(r"[#:]\w+", whole.get("KeyConditionExpression", "")))
            whole[name] = {sign: value for sign, value in whole.get(name, {}).items() if sign in used}
            if not whole[name]:
                del whole[name]
        again = self._peek.query(**whole) if operation == "Query" else self._peek.scan(**whole)
        return sum(item_bytes(item) for item in again["Items"])

    def _schema(self, table: str) -> tuple[tuple[str, ...], tuple[_Index, ...]]:
        if table not in self._schemas:
            found = self._peek.describe_table(TableName=table)["Table"]
            keys = _key_names(found)
            indexes = tuple(_read_index(index, keys) for index in found.get("GlobalSecondaryIndexes", ()))
            self._schemas[table] = keys, indexes
        return self._schemas[table]


def _place(place: str, key: Item) -> Place:
    partition, sort = (*(str(next(iter(value.values()))) for value in key.values()), "")[:2]
    return place, partition, sort


def _partition(query: Mapping[str, Any]) -> str:
    """Return the partition key of a query, which its condition begins with, or "" for a scan."""
    found = re.match(r"\S+\s*=\s*(:\w+)", query.get("KeyConditionExpression", ""))
    return str(next(iter(query["ExpressionAttributeValues"][found[1]].values()))) if found else ""


def _json_of(params: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the body of a request of a JSON protocol, or {} for other protocols such as that of S3."""
    body = params.get("body")
    text = body.decode() if isinstance(body, bytes) and body.startswith(b"{") else body
    return dict(json.loads(text)) if isinstance(text, str) and text.startswith("{") else {}


def _key_names(described: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(key["AttributeName"] for key in described["KeySchema"])


def _read_index(index: Mapping[str, Any], table_keys: Sequence[str]) -> _Index:
    keys, projection = _key_names(index), index["Projection"]
    carried = frozenset({*keys, *table_keys, *projection.get("NonKeyAttributes", ())})
    return _Index(index["IndexName"], keys, None if projection["ProjectionType"] == "ALL" else carried)


def _writes_of(operation: str, body: Mapping[str, Any]) -> list[_Write]:
    """Return the items that a call may change; empty for reads."""
    match operation:
        case "PutItem":
            return [_Write(body["TableName"], body["Item"], body["Item"])]
        case "UpdateItem" | "DeleteItem":
            return [_Write(body["TableName"], body["Key"])]
        case "BatchWriteItem":
            return [_request(table, each) for table, every in body["RequestItems"].items() for each in every]
        case "TransactWriteItems":
            return [_transacted(each) for each in body["TransactItems"]]
        case "BatchExecuteStatement":
            return [_statement(each) for each in body["Statements"]]
        case "ExecuteStatement":
            return [_statement(body)]
    return []


def _request(table: str, request: Mapping[str, Any]) -> _Write:
    if "PutRequest" in request:
        return _Write(table, request["PutRequest"]["Item"], request["PutRequest"]["Item"])
    return _Write(table, request["DeleteRequest"]["Key"])


def _transacted(entry: Mapping[str, Any]) -> _Write:
    ((_, content),) = entry.items()
    return _Write(content["TableName"], content.get("Item") or content["Key"], content.get("Item"), times=2)


def _statement(statement: Mapping[str, Any]) -> _Write:
    """Parse a PartiQL write with parameters only. Raise NotImplementedError for a SELECT."""
    text = statement["Statement"]
    found = _PARTIQL_TABLE.match(text)
    if found is None:
        raise NotImplementedError(f"no rule for the statement {text[:40]}")
    verb, table = found.groups()
    if verb == "INSERT INTO":
        return _Write(table, item := _parameters(text, statement["Parameters"]), item)
    head, _, condition = text.partition(" WHERE ")
    return _Write(table, _parameters(condition, statement["Parameters"][head.count("?") :]))


def _parameters(text: str, values: Sequence[Mapping[str, Any]]) -> Item:
    """Return the values of the question marks by attribute name."""
    pairs = zip(_PARTIQL_VALUE.finditer(text), values, strict=True)
    return {match[1]: value for match, value in pairs if match[1]}


def _refusals(parsed: Mapping[str, Any]) -> int:
    error = parsed.get("Error", {}).get("Code", "")
    responses = [response.get("Error", {}).get("Code", "") for response in parsed.get("Responses", ())]
    refused = sum(code in {"ConditionalCheckFailed", "DuplicateItem"} for code in responses)
    return refused + (error in {"ConditionalCheckFailedException", "TransactionCanceledException"})


def _payload_bytes(body: Mapping[str, Any]) -> int:
    entries = body.get("Entries", [body])
    return sum(len(str(entry.get("MessageBody", "")).encode()) for entry in entries)
