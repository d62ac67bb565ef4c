"""Counts what code asks of AWS through boto3: calls, DynamoDB units and billed SQS requests, by botocore's events.

Emulators report ConsumedCapacity only in part, so units are computed by DynamoDB's published rules (`sizes.py`): before
and after every write the meter reads the item through a client of its own, which nobody counts. What the rules say:
a write costs the larger of the item before and after it, per started KB; one whose condition fails costs as much as if
it had held; one in a transaction costs double, also when the transaction is refused; every index entry that changes is
a write more. A read costs per started 4 KB, half when it may lag; a batch rounds each item up, a query its page.
"""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.bench.sizes import Item, index_writes, item_bytes, read_units, sqs_requests, write_units

#: Calls of the event source mapping, on AWS not made by our code: an SQS trigger receives and deletes for us.
POLLING = frozenset({"ReceiveMessage", "DeleteMessage", "DeleteMessageBatch", "ChangeMessageVisibility"})
#: DynamoDB's limit for one BatchGetItem.
PEEK = 100
#: Parts of a query that keep things out of its answer.
_LEAVE_OUT = frozenset({"FilterExpression", "ProjectionExpression", "Select"})
_FREE = frozenset({"DescribeTable", "ListTables", "DescribeTimeToLive"})
_PARTIQL_TABLE = re.compile(r'^\s*(INSERT INTO|UPDATE|DELETE FROM)\s+"([^"]+)"')
_PARTIQL_VALUE = re.compile(r"""(?:["'](\w+)["']\s*[=:<>]+\s*)?\?""")


#: Table or `table/index`, partition key and sort key; a query reads a partition, its sort key is empty.
Place = tuple[str, str, str]


@dataclass(slots=True)
class Tally:
    """What was counted; units are by table or `table/index`."""

    calls: Counter[tuple[str, str]] = field(default_factory=Counter)
    write_units: Counter[str] = field(default_factory=Counter)
    read_units: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    #: The same units by item, to see which are hot.
    write_places: Counter[Place] = field(default_factory=Counter)
    read_places: defaultdict[Place, float] = field(default_factory=lambda: defaultdict(float))
    #: Conditional writes that DynamoDB refused; they are paid for, and among `write_units`.
    refused: int = 0
    #: Requests that SQS bills our code for.
    sqs_sent: int = 0
    #: Batches that a poller received; on AWS each is a request, and one more to delete it.
    sqs_batches: int = 0
    #: Messages in those batches.
    sqs_messages: int = 0

    @property
    def own_calls(self) -> int:
        """Calls by our code."""
        return sum(count for (_, operation), count in self.calls.items() if operation not in POLLING)

    @property
    def sqs_requests(self) -> int:
        """Billed requests, our own and the poller's; polls that bring nothing cost by the hour, not by the contact."""
        return self.sqs_sent + 2 * self.sqs_batches


@dataclass(frozen=True, slots=True)
class _Write:
    """One item that a call may change; `new` is what it would put, if it says so; `times` is 2 in transactions."""

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
    """Hooks itself to clients; `tally` is where everything is booked."""

    def __init__(self, peek: Any) -> None:
        """`peek` is a DynamoDB client of the meter's own, to look at items with."""
        self._peek = peek
        self._schemas: dict[str, tuple[tuple[str, ...], tuple[_Index, ...]]] = {}
        self.tally = Tally()

    @contextmanager
    def watch(self, *clients: Any) -> Iterator["Meter"]:
        """Counts what these clients do meanwhile; NotImplementedError for an operation without a rule."""
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
        """Books what happens meanwhile elsewhere."""
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
        """The answer did not come; what was written is paid for all the same."""
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
        """The items as they are stored now."""
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
        """Each item by itself; one that is not there costs the least that a read can."""
        for table, asked in body["RequestItems"].items():
            found = {self._name(table, item): item for item in parsed["Responses"].get(table, [])}
            for key in asked["Keys"]:
                item = found.get(self._name(table, key), {})
                self._book_read(_place(table, self._key(table, key)), item_bytes(item), asked)

    def _page_bytes(self, operation: str, body: Mapping[str, Any], parsed: Mapping[str, Any]) -> int:
        """Of all that was read: what is left out or only counted is paid for, so such a page is read again."""
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
    """Of a query, whose condition begins with it; empty for a scan."""
    found = re.match(r"\S+\s*=\s*(:\w+)", query.get("KeyConditionExpression", ""))
    return str(next(iter(query["ExpressionAttributeValues"][found[1]].values()))) if found else ""


def _json_of(params: Mapping[str, Any]) -> Mapping[str, Any]:
    """The body of a request of a JSON protocol; empty for S3's and the like."""
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
    """What a call may change; empty for reads."""
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
    """A PartiQL write whose every value is a parameter. NotImplementedError for a SELECT."""
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
    """Names with the values that stand for their question marks."""
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
