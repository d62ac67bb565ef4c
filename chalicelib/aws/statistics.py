"""Live counters of a flow and the register of its sends in flight: shards beside the flow, added up on read."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import astuple
from datetime import datetime, timedelta
from random import randrange
from typing import TYPE_CHECKING

from chalicelib.aws._dynamodb import ConditionFailed, Item, batch_write, query, translate_errors
from chalicelib.aws.execution_keys import flow_partition, to_milliseconds
from chalicelib.aws.usage_meter import drain
from chalicelib.model.aws_usage import AwsUsage
from chalicelib.model.ids import FlowUid, WorkspaceUid
from chalicelib.ports import Clock, Counters, Overview

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, QueryInputTypeDef, UpdateItemInputTypeDef

#: Writes to one item are sequential, and DynamoDB allows 1,000 write units a second for it. With 8 shards, a thousand
#: concurrent batches (10,000 messages a second) would make each item 6 KB large and need 1,500 units a second for it.
SHARDS = 16
#: Maximum of stored errors per flow; further errors are only counted.
ERRORS = 50
#: Counts the writes of `record_batch`, so that the watchdog sees whether a flow makes progress.
MOVEMENTS = "movements"
_COUNTER, _REGISTER = "n:", "f:"
#: AWS usage: in the shard's own epoch, and, in the start of an epoch, the sum of deleted epochs.
_USED, _EARLIER = "u:", "g:"
#: In the order of AwsUsage; short, because they are written with every batch.
_USAGE = ("w", "r", "q", "i", "m")
#: A longer recount has been abandoned.
_PART_LIFE = timedelta(days=1)


class DynamoStatistics:
    """Implements `ports.Statistics`, `RecountParts` and `FlowErrors` in the Catalog table, in the flow's partition, so
    that they are removed with the flow.
    """

    def __init__(self, client: "DynamoDBClient", table: str, clock: Clock) -> None:
        self._client, self._table, self._clock = client, table, clock
        #: The shard of this process. A flow with few workers has few items to read and add up.
        self._own = 1 + randrange(SHARDS)  # noqa: S311  # spreads, and keeps no secret
        #: Flows with the maximum of stored errors; nothing more is written for them.
        self._full: set[tuple[WorkspaceUid, FlowUid]] = set()

    def register_batch(
        self, workspace: WorkspaceUid, flow: FlowUid, epoch: int, batch: str, count: int, until: datetime
    ) -> None:
        entry: dict[str, AttributeValueTypeDef] = {
            "n": {"N": str(count)},
            "until": {"N": str(to_milliseconds(until))},
        }
        with translate_errors():
            self._client.update_item(
                TableName=self._table,
                Key=_shard_key(workspace, flow, epoch, self._own),
                UpdateExpression="SET #entry = :entry",
                ExpressionAttributeNames={"#entry": _REGISTER + batch},
                ExpressionAttributeValues={":entry": {"M": entry}},
            )

    def record_batch(self, workspace: WorkspaceUid, flow: FlowUid, epoch: int, batch: str, counters: Counters) -> None:
        """Also record the AWS usage of the batch. A batch that changes nothing creates no item."""
        changes = {_COUNTER + name: change for name, change in counters.items() if change}
        if changes:
            changes[_COUNTER + MOVEMENTS] = changes.get(_COUNTER + MOVEMENTS, 0) + 1
        added = {**changes, **_numbers(_USED, drain(workspace, flow))}
        names = {f"#{index}": name for index, name in enumerate(added)}
        additions = ", ".join(f"#{index} :{index}" for index in range(len(added)))
        request: UpdateItemInputTypeDef = {
            "TableName": self._table,
            "Key": _shard_key(workspace, flow, epoch, self._own),
            "UpdateExpression": (f"ADD {additions} " if added else "") + "REMOVE #entry",
            "ExpressionAttributeNames": {**names, "#entry": _REGISTER + batch},
        }
        if added:
            values = {f":{index}": {"N": str(change)} for index, change in enumerate(added.values())}
            request["ExpressionAttributeValues"] = values
        if not changes:
            request["ConditionExpression"] = "attribute_exists(#entry)"
        with suppress(ConditionFailed), translate_errors():
            self._client.update_item(**request)

    def read(self, workspace: WorkspaceUid, flow: FlowUid, epoch: int) -> Counters:
        return _sum_of(self._below(workspace, flow, f"S#{epoch:06d}#"))

    def in_flight(self, workspace: WorkspaceUid, flow: FlowUid, real_now: datetime) -> int:
        now = to_milliseconds(real_now)
        return sum(_in_flight_of(item, now) for item in self._below(workspace, flow, "S#"))

    def replace(self, workspace: WorkspaceUid, flow: FlowUid, epoch: int, counters: Counters, rev: int) -> bool:
        """Store the start in a separate shard, so that counters of batches that run in the epoch are not lost."""
        item = {
            **_shard_key(workspace, flow, epoch, 0),
            **_attributes(counters),
            **_written(_USED, drain(workspace, flow)),
            **_written(_EARLIER, _earlier_usage(self._below(workspace, flow, "S#"), epoch)),
            "rev": {"N": str(rev)},
        }
        try:
            with translate_errors():
                self._client.put_item(
                    TableName=self._table,
                    Item=item,
                    ConditionExpression="attribute_not_exists(pk) OR rev < :rev",
                    ExpressionAttributeValues={":rev": {"N": str(rev)}},
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
        except ConditionFailed as refused:
            if refused.item != item:
                return False
        oldest_current = f"S#{epoch - 1:06d}"
        now = to_milliseconds(self._clock.real())
        items = self._below(workspace, flow, "S#")
        # Shards with sends in flight stay: a pause must still find these sends.
        old = [item["sk"] for item in items if item["sk"]["S"] < oldest_current and not _in_flight_of(item, now)]
        pk: AttributeValueTypeDef = {"S": flow_partition(workspace, flow)}
        batch_write(self._client, self._table, [{"DeleteRequest": {"Key": {"pk": pk, "sk": sk}}} for sk in old])
        return True

    def overview(self, workspace: WorkspaceUid, flow: FlowUid, epoch: int, real_now: datetime) -> Overview:
        items = list(self._below(workspace, flow, "S#"))
        own, now = [each for each in items if _epoch_of(each) == epoch], to_milliseconds(real_now)
        used = sum((_usage_of(each, _USED) for each in own), _earlier_usage(items, epoch + 1))
        return Overview(_sum_of(own), sum(_in_flight_of(each, now) for each in items), used)

    def put_part(self, workspace: WorkspaceUid, flow: FlowUid, pass_id: str, shard: int, counters: Counters) -> None:
        expires = int((self._clock.real() + _PART_LIFE).timestamp())
        key = _key(workspace, flow, f"R#{pass_id}#{shard:03d}")
        with translate_errors():
            self._client.put_item(
                TableName=self._table, Item={**key, "expiresAt": {"N": str(expires)}, **_attributes(counters)}
            )

    def list_parts(self, workspace: WorkspaceUid, flow: FlowUid, pass_id: str) -> tuple[Counters, ...]:
        return tuple(_counters_of(item) for item in self._below(workspace, flow, f"R#{pass_id}#"))

    def add_errors(self, workspace: WorkspaceUid, flow: FlowUid, errors: Sequence[Mapping[str, object]]) -> None:
        """Store all errors of a batch if there is still room; `list_errors` returns only the first 50."""
        if not errors or (workspace, flow) in self._full:
            return
        try:
            self._append_errors(workspace, flow, [json.dumps(error) for error in errors[:ERRORS]])
        except ConditionFailed:
            self._full.add((workspace, flow))

    def _append_errors(self, workspace: WorkspaceUid, flow: FlowUid, texts: Sequence[str]) -> None:
        with translate_errors():
            self._client.update_item(
                TableName=self._table,
                Key=_key(workspace, flow, "ERRORS"),
                UpdateExpression="SET #errors = list_append(if_not_exists(#errors, :none), :new)",
                ConditionExpression="attribute_not_exists(#errors) OR size(#errors) < :most",
                ExpressionAttributeNames={"#errors": "errors"},
                ExpressionAttributeValues={
                    ":none": {"L": []},
                    ":new": {"L": [{"S": text} for text in texts]},
                    ":most": {"N": str(ERRORS)},
                },
            )

    def list_errors(self, workspace: WorkspaceUid, flow: FlowUid) -> tuple[Mapping[str, object], ...]:
        with translate_errors():
            answer = self._client.get_item(
                TableName=self._table, Key=_key(workspace, flow, "ERRORS"), ConsistentRead=True
            )
        entries = answer["Item"]["errors"]["L"] if "Item" in answer else []
        return tuple(json.loads(entry["S"]) for entry in entries[:ERRORS])

    def _below(self, workspace: WorkspaceUid, flow: FlowUid, prefix: str) -> Iterator[Item]:
        pk = flow_partition(workspace, flow)
        request: QueryInputTypeDef = {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :pk AND begins_with(sk, :prefix)",
            "ExpressionAttributeValues": {":pk": {"S": pk}, ":prefix": {"S": prefix}},
            "ConsistentRead": True,
        }
        return query(self._client, request)


def _key(workspace: WorkspaceUid, flow: FlowUid, name: str) -> "dict[str, AttributeValueTypeDef]":
    return {"pk": {"S": flow_partition(workspace, flow)}, "sk": {"S": name}}


def _shard_key(workspace: WorkspaceUid, flow: FlowUid, epoch: int, shard: int) -> "dict[str, AttributeValueTypeDef]":
    """Return the key of a shard. Processes count in shards 1 to 16; shard 0 holds the recounted start."""
    return _key(workspace, flow, f"S#{epoch:06d}#{shard:02d}")


def _attributes(counters: Counters) -> "dict[str, AttributeValueTypeDef]":
    return {_COUNTER + name: {"N": str(count)} for name, count in counters.items() if count}


def _counters_of(item: Item) -> dict[str, int]:
    return {name.removeprefix(_COUNTER): int(value["N"]) for name, value in item.items() if name.startswith(_COUNTER)}


def _sum_of(items: Iterable[Item]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for item in items:
        total.update(_counters_of(item))
    return {name: count for name, count in total.items() if count}


def _numbers(prefix: str, usage: AwsUsage) -> dict[str, int]:
    return {prefix + name: value for name, value in zip(_USAGE, astuple(usage), strict=True) if value}


def _written(prefix: str, usage: AwsUsage) -> "dict[str, AttributeValueTypeDef]":
    return {name: {"N": str(value)} for name, value in _numbers(prefix, usage).items()}


def _usage_of(item: Item, prefix: str) -> AwsUsage:
    return AwsUsage(*(int(item[prefix + name]["N"]) if prefix + name in item else 0 for name in _USAGE))


def _epoch_of(item: Item) -> int:
    return int(item["sk"]["S"].split("#")[1])


def _earlier_usage(items: Iterable[Item], epoch: int) -> AwsUsage:
    """Return the usage of earlier epochs, to store with the start of an epoch.

    The previous epoch is left out, because batches still add to it. The usage is the sum in the start of the previous
    epoch plus the epoch before that. The shards of that epoch may be deleted once the sum is written.
    """
    found = list(items)
    written = [_usage_of(each, _EARLIER) for each in found if _epoch_of(each) == epoch]
    starts = [_usage_of(each, _EARLIER) for each in found if _epoch_of(each) == epoch - 1]
    added = [_usage_of(each, _USED) for each in found if _epoch_of(each) == epoch - 2]
    sums = [astuple(sum(each, AwsUsage())) for each in (written, [*starts, *added])]
    return AwsUsage(*map(max, *sums))


def _in_flight_of(item: Item, now: int) -> int:
    entries = [value["M"] for name, value in item.items() if name.startswith(_REGISTER)]
    return sum(int(entry["n"]["N"]) for entry in entries if int(entry["until"]["N"]) > now)
