"""Timers in DynamoDB: step messages in minute buckets of eight shards, and an hourly index of the buckets in use."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING

from chalicelib.aws._dynamodb import ConditionFailed, Item, batch_write, query, translate_errors
from chalicelib.aws.execution_keys import from_milliseconds, shard_of, to_milliseconds
from chalicelib.model.ids import FlowUid, WorkspaceUid, new_uid
from chalicelib.model.queue_messages import ScheduledStep, StepMessage

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, QueryInputTypeDef, WriteRequestTypeDef

#: The shards of a minute are read in parallel, by one job each.
SHARDS = 8
#: Keeps an item with step messages of one flow within one write unit (1 KB).
STEPS_AN_ITEM = 16
#: Maximum of indexed bucket names that a process remembers.
MAX_INDEXED = 10_000
#: A bucket that is not released within two days of its minute expires; the watchdog then enqueues its executions again.
_LIFE = timedelta(days=2)
_HOUR = timedelta(hours=1)
_FORMAT = "%Y%m%d%H%M"
_CURSOR: Item = {"pk": {"S": "CURSOR"}, "sk": {"S": "META"}}


class DynamoTimers:
    """Implements `ports.Timers`. Due times are stored to the millisecond, rounded down."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client, self._table = client, table
        #: Buckets known to be in the index, oldest first.
        self._indexed: dict[str, None] = {}

    def put(self, steps: Sequence[ScheduledStep]) -> None:
        """Write the index before the bucket: a bucket without an index entry would never be found."""
        if not steps:
            return
        shard = shard_of(steps[0].message.execution_id, SHARDS)
        minutes = groupby(sorted(steps, key=lambda entry: entry.due), key=lambda entry: _floor(entry.due))
        buckets = {minute: list(entries) for minute, entries in minutes}
        self._index(buckets, shard)
        batch_write(
            self._client,
            self._table,
            [
                _put(_bucket_name(minute, shard), new_uid(), minute, _pack(entries[start : start + STEPS_AN_ITEM]))
                for minute, entries in buckets.items()
                for start in range(0, len(entries), STEPS_AN_ITEM)
            ],
        )

    def _index(self, minutes: Iterable[datetime], shard: int) -> None:
        new = [minute for minute in minutes if _bucket_name(minute, shard) not in self._indexed]
        entries = [_put(_index_name(minute), _bucket_name(minute, shard), minute) for minute in new]
        batch_write(self._client, self._table, entries)
        self._indexed.update((_bucket_name(minute, shard), None) for minute in new)
        while len(self._indexed) > MAX_INDEXED:
            del self._indexed[next(iter(self._indexed))]

    def buckets(self, start: datetime, end: datetime) -> tuple[str, ...]:
        first, last = _floor(start), _floor(end)
        found: list[str] = []
        hour = first.replace(minute=0)
        while hour <= last and first <= last:
            found.extend(self._indexed_between(hour, first, last))
            hour += _HOUR
        return tuple(found)

    def _indexed_between(self, hour: datetime, first: datetime, last: datetime) -> Iterator[str]:
        request: QueryInputTypeDef = {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :pk AND sk BETWEEN :first AND :last",
            "ExpressionAttributeValues": {
                ":pk": {"S": _index_name(hour)},
                ":first": {"S": _bucket_name(first, 0)},
                ":last": {"S": _bucket_name(last, SHARDS)},
            },
            "ConsistentRead": True,
        }
        return (item["sk"]["S"] for item in query(self._client, request))

    def read(self, bucket: str) -> Iterator[ScheduledStep]:
        for item in self._items(bucket):
            yield from _unpack([entry["S"] for entry in item["hints"]["L"]])

    def _items(self, partition: str) -> Iterator[Item]:
        request: QueryInputTypeDef = {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": {"S": partition}},
            "ConsistentRead": True,
        }
        return query(self._client, request)

    def swept_to(self) -> datetime | None:
        with translate_errors():
            answer = self._client.get_item(TableName=self._table, Key=_CURSOR, ConsistentRead=True)
        if "Item" not in answer:
            return None
        return datetime.strptime(answer["Item"]["minute"]["S"], _FORMAT).replace(tzinfo=UTC)

    def set_swept_to(self, minute: datetime) -> None:
        try:
            with translate_errors():
                self._client.update_item(
                    TableName=self._table,
                    Key=_CURSOR,
                    UpdateExpression="SET #minute = :minute",
                    ConditionExpression="attribute_not_exists(#minute) OR #minute < :minute",
                    ExpressionAttributeNames={"#minute": "minute"},
                    ExpressionAttributeValues={":minute": {"S": f"{_floor(minute):{_FORMAT}}"}},
                )
        except ConditionFailed:
            return


def _floor(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(second=0, microsecond=0)


def _bucket_name(minute: datetime, shard: int) -> str:
    return f"{minute:{_FORMAT}}#{shard}"


def _index_name(minute: datetime) -> str:
    return f"{minute:%Y%m%d%H}#INDEX"


def _put(
    pk: str, sk: str, minute: datetime, attributes: "dict[str, AttributeValueTypeDef] | None" = None
) -> "WriteRequestTypeDef":
    expires: AttributeValueTypeDef = {"N": str(int((minute + _LIFE).timestamp()))}
    return {"PutRequest": {"Item": {"pk": {"S": pk}, "sk": {"S": sk}, "expiresAt": expires, **(attributes or {})}}}


def _pack(steps: Sequence[ScheduledStep]) -> "dict[str, AttributeValueTypeDef]":
    """Encode each message as `workspace|flow|execution id|seq|due|pacing slot`.

    Workspace and flow are empty if they equal those of the previous message.
    """
    texts: list[str] = []
    before: tuple[str, str] | None = None
    for entry in steps:
        message = entry.message
        place = message.workspace, message.flow
        workspace, flow = ("", "") if place == before else place
        position = f"{message.execution_id}|{message.seq}"
        texts.append(f"{workspace}|{flow}|{position}|{to_milliseconds(entry.due)}|{message.pacing_slot_ms or ''}")
        before = place
    return {"hints": {"L": [{"S": text} for text in texts]}}


def _unpack(texts: Sequence[str]) -> Iterator[ScheduledStep]:
    workspace = flow = ""
    for text in texts:
        own_workspace, own_flow, execution_id, seq, due, pacing_slot_ms = text.split("|")
        workspace, flow = own_workspace or workspace, own_flow or flow
        message = StepMessage(
            workspace=WorkspaceUid(workspace),
            flow=FlowUid(flow),
            execution_id=execution_id,
            seq=int(seq),
            pacing_slot_ms=int(pacing_slot_ms) if pacing_slot_ms else None,
        )
        yield ScheduledStep(message, from_milliseconds(int(due)))
