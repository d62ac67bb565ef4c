"""The pacing gate of a flow: one item beside the flow, whose every write names the revision it replaces."""

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
    """Implements `ports.Gates`; times are kept to the microsecond."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client, self._table = client, table

    def get(self, workspace: WorkspaceUid, flow: FlowUid) -> PacingState:
        with translate_errors():
            answer = self._client.get_item(TableName=self._table, Key=_key(workspace, flow), ConsistentRead=True)
        item = answer.get("Item")
        return _decode(item) if item else PacingState()

    def save(self, workspace: WorkspaceUid, flow: FlowUid, gate: PacingState) -> bool:
        item = {**_key(workspace, flow), **_encode(gate)}
        return put_at_revision(self._client, self._table, item, gate.rev)


def _key(workspace: WorkspaceUid, flow: FlowUid) -> "dict[str, AttributeValueTypeDef]":
    return {"pk": {"S": flow_partition(workspace, flow)}, "sk": {"S": "GATE"}}


def _encode(gate: PacingState) -> "dict[str, AttributeValueTypeDef]":
    item: dict[str, AttributeValueTypeDef] = {
        "lanes": {"L": [{"M": _encode_lane(lane)} for lane in gate.lanes]},
        "epoch": {"N": str(gate.epoch)},
        "rev": {"N": str(gate.rev + 1)},
    }
    if gate.tail:
        item["tail"] = _encode_moment(gate.tail)
    return item


def _decode(item: Item) -> PacingState:
    return PacingState(
        lanes=tuple(_decode_lane(entry["M"]) for entry in item["lanes"]["L"]),
        tail=_decode_moment(item, "tail"),
        epoch=int(item["epoch"]["N"]),
        rev=int(item["rev"]["N"]),
    )


def _encode_lane(lane: ConcurrencySlot) -> "dict[str, AttributeValueTypeDef]":
    entry: dict[str, AttributeValueTypeDef] = {}
    if lane.free:
        entry["free"] = _encode_moment(lane.free)
    if lane.by is not None:
        entry["by"] = {"S": lane.by}
    if lane.until:
        entry["until"] = _encode_moment(lane.until)
    if lane.owed:
        entry["owed"] = {"N": str(lane.owed // MICROSECOND)}
    return entry


def _decode_lane(entry: Item) -> ConcurrencySlot:
    return ConcurrencySlot(
        free=_decode_moment(entry, "free"),
        by=entry["by"]["S"] if "by" in entry else None,
        until=_decode_moment(entry, "until"),
        owed=int(entry["owed"]["N"]) * MICROSECOND if "owed" in entry else timedelta(0),
    )


def _encode_moment(moment: datetime) -> "AttributeValueTypeDef":
    return {"N": str(to_microseconds(moment))}


def _decode_moment(entry: Item, name: str) -> datetime | None:
    return from_microseconds(int(entry[name]["N"])) if name in entry else None
