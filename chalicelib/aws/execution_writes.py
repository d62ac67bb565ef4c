"""Conditional writes of executions, as PartiQL statements and as calls."""

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from chalicelib.aws.execution_codec import STATE, Fields
from chalicelib.aws.execution_keys import to_milliseconds
from chalicelib.ports import ExpectClaimedBy, ExpectUnclaimed

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import BatchStatementRequestTypeDef


@dataclass(frozen=True, slots=True)
class Insert:
    """Stores an execution that does not exist yet."""

    table: str
    item: Fields

    def statement(self) -> "BatchStatementRequestTypeDef":
        text = _insert_text(self.table, tuple(self.item))
        return {"Statement": text, "Parameters": list(self.item.values())}

    def execute(self, client: "DynamoDBClient") -> None:
        client.put_item(TableName=self.table, Item=self.item, ConditionExpression="attribute_not_exists(pk)")


@dataclass(frozen=True, slots=True)
class Update:
    """Writes the state of an execution if a condition holds."""

    table: str
    key: Fields
    state: Fields
    expect: ExpectUnclaimed | ExpectClaimedBy

    def statement(self) -> "BatchStatementRequestTypeDef":
        text = _update_text(self.table, isinstance(self.expect, ExpectUnclaimed))
        values = [*self.state.values(), *self.key.values(), *_expected(self.expect).values()]
        return {"Statement": text, "Parameters": values, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}

    def execute(self, client: "DynamoDBClient") -> None:
        unclaimed = isinstance(self.expect, ExpectUnclaimed)
        values = {f":{name}": value for name, value in (self.state | _expected(self.expect)).items()}
        client.update_item(
            TableName=self.table,
            Key=self.key,
            UpdateExpression=_SET,
            ConditionExpression=_UNCLAIMED if unclaimed else _CLAIMED,
            ExpressionAttributeNames=_NAMES if unclaimed else {**_NAMES, "#by": "by"},
            ExpressionAttributeValues={**values, **_OPEN} if unclaimed else values,
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )


_NAMES = {f"#{name}": name for name in STATE}
_SET = "SET " + ", ".join(f"#{name} = :{name}" for name in STATE)
_UNCLAIMED = "#seq = :expected AND #status IN (:pending, :processing) AND #lease <= :moment"
_CLAIMED = "#claim.#by = :attempt"
_OPEN: Fields = {":pending": {"S": "pending"}, ":processing": {"S": "processing"}}
#: Every name is quoted, because many are reserved words.
_SET_PARTIQL = " ".join(f'SET "{name}"=?' for name in STATE)
_UNCLAIMED_PARTIQL = """"seq"=? AND "status" IN ['pending','processing'] AND "lease"<=?"""
_CLAIMED_PARTIQL = '"claim"."by"=?'


def _expected(expect: ExpectUnclaimed | ExpectClaimedBy) -> Fields:
    """Return the values of the condition in the order of the PartiQL placeholders."""
    if isinstance(expect, ExpectClaimedBy):
        return {"attempt": {"S": expect.attempt}}
    return {"expected": {"N": str(expect.seq)}, "moment": {"N": str(to_milliseconds(expect.real_now))}}


@cache
def _insert_text(table: str, names: tuple[str, ...]) -> str:
    entries = ",".join(f"'{name}':?" for name in names)
    return f'INSERT INTO "{table}" VALUE {{{entries}}}'


def _update_text(table: str, unclaimed: bool) -> str:
    condition = _UNCLAIMED_PARTIQL if unclaimed else _CLAIMED_PARTIQL
    return f'UPDATE "{table}" {_SET_PARTIQL} WHERE "pk"=? AND "sk"=? AND {condition}'
