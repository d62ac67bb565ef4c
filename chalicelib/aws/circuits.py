"""Circuits of channels: one item beside the channel, so that one query reads both."""

from datetime import datetime
from typing import TYPE_CHECKING

from chalicelib.aws import key_schema as keys
from chalicelib.aws._dynamodb import Item, put_at_revision, query, read_document, translate_errors
from chalicelib.aws.execution_keys import from_milliseconds, to_milliseconds
from chalicelib.aws.rates import decode_rate_state
from chalicelib.model.channel import Channel
from chalicelib.model.circuit import ChannelFailureRecord, Circuit, CircuitState
from chalicelib.model.ids import WorkspaceUid
from chalicelib.ports import ChannelStatus

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, QueryInputTypeDef


class DynamoCircuits:
    """Implements `ports.Circuits` in the Catalog table. Times are stored to the millisecond."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client, self._table = client, table

    def find_channel(self, workspace: WorkspaceUid, uid: str, *, strong: bool = True) -> ChannelStatus | None:
        request: QueryInputTypeDef = {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :pk AND sk BETWEEN :first AND :last",
            "ExpressionAttributeValues": {
                ":pk": {"S": keys.document(workspace, Channel.kind, uid)},
                ":first": {"S": keys.CIRCUIT},
                ":last": {"S": keys.META},
            },
            "ConsistentRead": strong,
        }
        items = {item["sk"]["S"]: item for item in query(self._client, request)}
        found, circuit = items.get(keys.META), items.get(keys.CIRCUIT)
        if found is None:
            return None
        channel = read_document(Channel, found["doc"]["S"]).model_copy(update={"rev": int(found["rev"]["N"])})
        return ChannelStatus(
            channel, _decode(circuit) if circuit else Circuit(), decode_rate_state(items.get(keys.RATE_STATE))
        )

    def get(self, workspace: WorkspaceUid, uid: str) -> Circuit:
        with translate_errors():
            answer = self._client.get_item(TableName=self._table, Key=_key(workspace, uid), ConsistentRead=True)
        item = answer.get("Item")
        return _decode(item) if item else Circuit()

    def save(self, workspace: WorkspaceUid, uid: str, circuit: Circuit) -> bool:
        item = {**_key(workspace, uid), **_encode(circuit)}
        return put_at_revision(self._client, self._table, item, circuit.rev)


def _key(workspace: WorkspaceUid, uid: str) -> "dict[str, AttributeValueTypeDef]":
    return {"pk": {"S": keys.document(workspace, Channel.kind, uid)}, "sk": {"S": keys.CIRCUIT}}


def _encode(circuit: Circuit) -> "dict[str, AttributeValueTypeDef]":
    faults: list[AttributeValueTypeDef] = [
        {"M": {"at": _encode_moment(fault.at), "code": {"S": fault.code}}} for fault in circuit.faults
    ]
    item: dict[str, AttributeValueTypeDef] = {
        "state": {"S": circuit.state.value},
        "cause": {"S": circuit.cause},
        "faults": {"L": faults},
        "rev": {"N": str(circuit.rev + 1)},
    }
    if circuit.since:
        item["since"] = _encode_moment(circuit.since)
    if circuit.retry_at:
        item["retryAt"] = _encode_moment(circuit.retry_at)
    return item


def _encode_moment(moment: datetime) -> "AttributeValueTypeDef":
    return {"N": str(to_milliseconds(moment))}


def _decode(item: Item) -> Circuit:
    faults = [entry["M"] for entry in item["faults"]["L"]]
    return Circuit(
        state=CircuitState(item["state"]["S"]),
        since=_decode_moment(item, "since"),
        cause=item["cause"]["S"],
        retry_at=_decode_moment(item, "retryAt"),
        faults=tuple(
            ChannelFailureRecord(from_milliseconds(int(each["at"]["N"])), each["code"]["S"]) for each in faults
        ),
        rev=int(item["rev"]["N"]),
    )


def _decode_moment(item: Item, name: str) -> datetime | None:
    return from_milliseconds(int(item[name]["N"])) if name in item else None
