"""Pacing states of flows: one item beside the flow. Every write is conditional on the stored revision."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from chalicelib.aws._dynamodb import Item, put_at_revision, translate_errors
from chalicelib.aws.execution_keys import MICROSECOND, flow_partition, from_microseconds, to_microseconds
from chalicelib.model.ids import FlowUid, WorkspaceUid
from chalicelib.model.pacing_state import ConcurrencySlot, PacingState

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef


class DynamoPacing:
    """Implements `ports.PacingStore`. Times are stored to the microsecond."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client, self._table = client, table

    def get(self, workspace: WorkspaceUid, flow: FlowUid) -> PacingState:
        with translate_errors():
            answer = self._client.get_item(TableName=self._table, Key=_key(workspace, flow), ConsistentRead=True)
        item = answer.get("Item")
        return _decode(item) if item else PacingState()

    def save(self, workspace: WorkspaceUid, flow: FlowUid, state: PacingState) -> bool:
        item = {**_key(workspace, flow), **_encode(state)}
        return put_at_revision(self._client, self._table, item, state.rev)


def _key(workspace: WorkspaceUid, flow: FlowUid) -> "dict[str, AttributeValueTypeDef]":
    return {"pk": {"S": flow_partition(workspace, flow)}, "sk": {"S": "GATE"}}


def _encode(state: PacingState) -> "dict[str, AttributeValueTypeDef]":
    item: dict[str, AttributeValueTypeDef] = {
        "lanes": {"L": [{"M": _encode_slot(slot)} for slot in state.slots]},
        "epoch": {"N": str(state.epoch)},
        "rev": {"N": str(state.rev + 1)},
    }
    if state.last_reserved:
        item["tail"] = _encode_moment(state.last_reserved)
    return item


def _decode(item: Item) -> PacingState:
    return PacingState(
        slots=tuple(_decode_slot(entry["M"]) for entry in item["lanes"]["L"]),
        last_reserved=_decode_moment(item, "tail"),
        epoch=int(item["epoch"]["N"]),
        rev=int(item["rev"]["N"]),
    )


def _encode_slot(slot: ConcurrencySlot) -> "dict[str, AttributeValueTypeDef]":
    entry: dict[str, AttributeValueTypeDef] = {}
    if slot.next_start:
        entry["free"] = _encode_moment(slot.next_start)
    if slot.held_by is not None:
        entry["by"] = {"S": slot.held_by}
    if slot.held_until:
        entry["until"] = _encode_moment(slot.held_until)
    if slot.next_jitter:
        entry["owed"] = {"N": str(slot.next_jitter // MICROSECOND)}
    return entry


def _decode_slot(entry: Item) -> ConcurrencySlot:
    return ConcurrencySlot(
        next_start=_decode_moment(entry, "free"),
        held_by=entry["by"]["S"] if "by" in entry else None,
        held_until=_decode_moment(entry, "until"),
        next_jitter=int(entry["owed"]["N"]) * MICROSECOND if "owed" in entry else timedelta(0),
    )


def _encode_moment(moment: datetime) -> "AttributeValueTypeDef":
    return {"N": str(to_microseconds(moment))}


def _decode_moment(entry: Item, name: str) -> datetime | None:
    return from_microseconds(int(entry[name]["N"])) if name in entry else None
