"""Executions in DynamoDB, under `workspace#flow#shard` / execution id. Every write is conditional."""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from chalicelib.aws._dynamodb import ConditionFailed, batch_get, batch_write, query, translate_errors
from chalicelib.aws._write_batches import Sleep, WriteResult, write_all, write_with_retry
from chalicelib.aws.execution_codec import decode_execution, encode_execution, encode_receipt, encode_state, holds_state
from chalicelib.aws.execution_keys import contact_key, execution_key, execution_partition
from chalicelib.aws.execution_writes import Insert, Update
from chalicelib.errors import invalid
from chalicelib.model.execution import DeliveryReceipt, Execution, ExecutionKey
from chalicelib.model.ids import ContactUid, FlowUid, NodeId, WorkspaceUid, is_uid
from chalicelib.ports import Page, Save

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import QueryInputTypeDef

#: Sorts before every uid.
_BEFORE_ALL = " "
_CLIMBS = "attribute_exists(pk) AND (attribute_not_exists(receipts.#node) OR receipts.#node.#rank < :rank)"


class DynamoExecutions:
    """Implements `ports.Executions`. Times are stored to the millisecond, rounded down."""

    def __init__(self, client: "DynamoDBClient", table: str, batched: bool = True, sleep: Sleep = time.sleep) -> None:
        """`batched=False` writes one by one, for emulators that ignore conditions in PartiQL, such as moto."""
        self._client, self._table, self._batched, self._sleep = client, table, batched, sleep

    def find_many(self, keys: Sequence[ExecutionKey], shards: int, strong: bool) -> dict[ExecutionKey, Execution]:
        items = batch_get(self._client, self._table, [execution_key(key, shards) for key in keys], strong)
        executions = (decode_execution(item) for item in items)
        return {execution.key: execution for execution in executions}

    def find_entries(
        self, workspace: WorkspaceUid, flow: FlowUid, contact: ContactUid, shards: int, limit: int
    ) -> tuple[Execution, ...]:
        """Query a key range: no uid contains a character below #, so no other contact's execution is in between."""
        first = execution_key(ExecutionKey(workspace, flow, contact), shards)
        with translate_errors():
            answer = self._client.query(
                TableName=self._table,
                KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
                ExpressionAttributeValues={
                    ":pk": first["pk"],
                    ":first": first["sk"],
                    ":last": {"S": f"{contact}#~"},
                },
                ScanIndexForward=False,
                Limit=limit,
                ConsistentRead=True,
            )
        return tuple(decode_execution(item) for item in answer["Items"])

    def enrol_many(self, executions: Sequence[Execution], shards: int) -> tuple[ExecutionKey, ...]:
        distinct = {execution.key: execution for execution in executions}
        writes = [Insert(self._table, encode_execution(execution, shards)) for execution in distinct.values()]
        answers = write_with_retry(self._client, writes, self._batched, self._sleep)
        return tuple(key for key, answer in zip(distinct, answers, strict=True) if answer.written)

    def save_many(self, saves: Sequence[Save], shards: int) -> tuple[bool | None, ...]:
        updates = [
            Update(
                self._table,
                execution_key(save.execution.key, shards),
                encode_state(save.execution, save.mark),
                save.expect,
            )
            for save in saves
        ]
        answers = write_all(self._client, updates, self._batched, self._sleep)
        return tuple(
            _has_held(update, answer) if answer else None for update, answer in zip(updates, answers, strict=True)
        )

    def put_receipt(
        self, key: ExecutionKey, shards: int, node: NodeId, receipt: DeliveryReceipt
    ) -> tuple[Execution, Execution] | None:
        entry = encode_receipt(receipt)
        try:
            with translate_errors():
                answer = self._client.update_item(
                    TableName=self._table,
                    Key=execution_key(key, shards),
                    UpdateExpression="SET receipts.#node = :receipt",
                    ConditionExpression=_CLIMBS,
                    ExpressionAttributeNames={"#node": node, "#rank": "rank"},
                    ExpressionAttributeValues={":receipt": {"M": entry}, ":rank": entry["rank"]},
                    ReturnValues="ALL_OLD",
                )
        except ConditionFailed:
            return None
        before = decode_execution(answer["Attributes"])
        return before, replace(before, receipts={**before.receipts, node: receipt})

    def page(
        self, workspace: WorkspaceUid, flow: FlowUid, shard: int, limit: int, cursor: str | None
    ) -> Page[Execution]:
        """Use the last execution id as the cursor, so that a cursor can only point into this shard."""
        if cursor is not None and not is_uid(cursor.partition("#")[0]):
            raise invalid("cursor", "Invalid cursor: pass the cursor of the previous page of this list")
        with translate_errors():
            answer = self._client.query(
                TableName=self._table,
                KeyConditionExpression="pk = :pk AND sk > :after",
                ExpressionAttributeValues={
                    ":pk": {"S": execution_partition(workspace, flow, shard)},
                    ":after": {"S": cursor or _BEFORE_ALL},
                },
                Limit=limit,
                ConsistentRead=True,
            )
        last = answer.get("LastEvaluatedKey")
        return Page(tuple(decode_execution(item) for item in answer["Items"]), last["sk"]["S"] if last else None)

    def find_flows(self, workspace: WorkspaceUid, contact: ContactUid) -> tuple[FlowUid, ...]:
        request: QueryInputTypeDef = {
            "TableName": self._table,
            "IndexName": "byContact",
            "KeyConditionExpression": "contactKey = :contact",
            "ExpressionAttributeValues": {":contact": {"S": contact_key(workspace, contact)}},
            "ScanIndexForward": False,
        }
        return tuple(FlowUid(item["flow"]["S"]) for item in query(self._client, request))

    def remove_many(self, keys: Sequence[ExecutionKey], shards: int) -> None:
        distinct = dict.fromkeys(keys)
        batch_write(
            self._client, self._table, [{"DeleteRequest": {"Key": execution_key(key, shards)}} for key in distinct]
        )


def _has_held(update: Update, answer: WriteResult) -> bool:
    """Report whether the write is stored.

    If it was refused and its content is stored, an earlier attempt succeeded, and its response was lost.
    """
    return answer.written or (answer.stored is not None and holds_state(answer.stored, update.state))
