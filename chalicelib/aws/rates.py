"""Rate states and daily counts of channels: small items beside the channel."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from chalicelib.aws import key_schema as keys
from chalicelib.aws._dynamodb import ConditionFailed, Item, translate_errors
from chalicelib.aws.execution_keys import MICROSECOND, from_microseconds, to_microseconds
from chalicelib.errors import RetryLater
from chalicelib.model.channel import Channel
from chalicelib.model.ids import WorkspaceUid
from chalicelib.ports import RateState

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

#: Attempts. A channel may become idle or busy between two of them, but hardly this often.
_TRIES = 6
#: A daily count is unused a day later, in every time zone.
_DAY_LIFE = 3 * 86_400


class DynamoRates:
    """Implements `ports.Rates` in the Catalog table.

    Counters only increase, so a lost response leaves a gap and never exceeds the rate.
    """

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client, self._table = client, table

    def reserve(self, workspace: WorkspaceUid, channel: str, span: timedelta, now: datetime) -> datetime:
        """Reserve by one write if the channel is busy, and by two if it is idle; no read is needed."""
        begin = _encode(now)
        for _ in range(_TRIES):
            free = self._update(
                workspace, channel, "SET freeAt = freeAt + :span", "freeAt > :now", span=_count(span), now=begin
            )
            if free is None:
                idle = "attribute_not_exists(freeAt) OR freeAt <= :now"
                then = _encode(now + span)
                free = self._update(workspace, channel, "SET freeAt = :then", idle, then=then, now=begin)
            if free is not None:
                return free - span
        raise RetryLater("The channel's rate is being updated by others; try again")

    def _update(
        self, workspace: WorkspaceUid, channel: str, change: str, condition: str, **values: "AttributeValueTypeDef"
    ) -> datetime | None:
        try:
            with translate_errors():
                answer = self._client.update_item(
                    TableName=self._table,
                    Key=_key(workspace, channel, keys.RATE_STATE),
                    UpdateExpression=change,
                    ConditionExpression=condition,
                    ExpressionAttributeValues={f":{name}": value for name, value in values.items()},
                    ReturnValues="UPDATED_NEW",
                )
        except ConditionFailed:
            return None
        return _decode(answer["Attributes"]["freeAt"])

    def hold(self, workspace: WorkspaceUid, channel: str, until: datetime) -> None:
        for name in ("heldTo", "freeAt"):
            try:
                with translate_errors():
                    self._client.update_item(
                        TableName=self._table,
                        Key=_key(workspace, channel, keys.RATE_STATE),
                        UpdateExpression="SET #name = :until",
                        ConditionExpression="attribute_not_exists(#name) OR #name < :until",
                        ExpressionAttributeNames={"#name": name},
                        ExpressionAttributeValues={":until": _encode(until)},
                    )
            except ConditionFailed:
                continue

    def reserve_daily(self, workspace: WorkspaceUid, channel: str, day: str, wanted: int, cap: int) -> int:
        """Try to reserve everything first. Messages that are counted by a call with a lost response are not sent."""
        granted = min(wanted, cap)
        for _ in range(_TRIES):
            if granted <= 0:
                return 0
            try:
                self._count(workspace, channel, day, granted, cap)
            except ConditionFailed as refused:
                granted = min(wanted, cap - _sent(refused.item))
            else:
                return granted
        return 0

    def daily_count(self, workspace: WorkspaceUid, channel: str, day: str) -> int:
        key = _key(workspace, channel, keys.DAY + day)
        with translate_errors():
            answer = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True)
        return _sent(answer.get("Item"))

    def _count(self, workspace: WorkspaceUid, channel: str, day: str, wanted: int, cap: int) -> None:
        with translate_errors():
            self._client.update_item(
                TableName=self._table,
                Key=_key(workspace, channel, keys.DAY + day),
                UpdateExpression="ADD sentCount :wanted SET expiresAt = :expires",
                ConditionExpression="attribute_not_exists(sentCount) OR sentCount <= :most",
                ExpressionAttributeValues={
                    ":wanted": {"N": str(wanted)},
                    ":most": {"N": str(cap - wanted)},
                    ":expires": {"N": str(int(datetime.fromisoformat(f"{day}T00:00:00Z").timestamp()) + _DAY_LIFE)},
                },
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )


def decode_rate_state(item: Item | None) -> RateState:
    """Parse the rate state for `find_channel`."""
    if item is None:
        return RateState()
    return RateState(*(_decode(item[name]) if name in item else None for name in ("freeAt", "heldTo")))


def _sent(item: Item | None) -> int:
    return int(item["sentCount"]["N"]) if item else 0


def _key(workspace: WorkspaceUid, channel: str, name: str) -> "dict[str, AttributeValueTypeDef]":
    return {"pk": {"S": keys.document(workspace, Channel.kind, channel)}, "sk": {"S": name}}


def _count(span: timedelta) -> "AttributeValueTypeDef":
    return {"N": str(span // MICROSECOND)}


def _encode(moment: datetime) -> "AttributeValueTypeDef":
    return {"N": str(to_microseconds(moment))}


def _decode(value: "AttributeValueTypeDef") -> datetime:
    return from_microseconds(int(value["N"]))
