"""What all adapters share: botocore's errors as ours, batches with their leftovers, and cursors."""

import base64
import binascii
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, TypeVar, cast

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, IncompleteReadError
from botocore.exceptions import ConnectionError as BotoConnectionError
from pydantic import BaseModel

from chalicelib.errors import Conflict, InvalidRequest, Problem, RetryLater, TooLarge, invalid

M = TypeVar("M", bound=BaseModel)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import (
        AttributeValueTypeDef,
        QueryInputTypeDef,
        TransactWriteItemTypeDef,
        WriteRequestTypeDef,
    )

    #: An item or a key in DynamoDB's own notation, e.g. {"pk": {"S": "w1#FLOW#f1"}}.
    Item: TypeAlias = Mapping[str, AttributeValueTypeDef]
else:
    Item = Mapping

#: DynamoDB's limits for one call.
BATCH_GET = 100
BATCH_WRITE = 25
#: An item has at most 409,600 bytes with its keys and marks.
DOC_BYTES = 380_000
#: Tries in a row in which DynamoDB takes nothing of a batch; with the pauses between them about 1.5 s.
FRUITLESS_TRIES = 6
FIRST_PAUSE_SECONDS = 0.025

PASSING_CODES = frozenset(
    {
        "InternalServerError",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestTimeout",
        "ServiceUnavailable",
        "SlowDown",
        "Throttling",
        "ThrottlingError",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)
#: Reasons for which a transaction was cancelled though none of its conditions failed.
PASSING_REASONS = frozenset({"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})
_LOST = (BotoConnectionError, HTTPClientError, IncompleteReadError)


class ConditionFailed(Conflict):
    """The condition of a single write did not hold; `item` is what is stored, if the write asked for ALL_OLD."""

    def __init__(self, item: Item | None) -> None:
        super().__init__("It was changed meanwhile: read it again")
        self.item = item


@dataclass(frozen=True, slots=True)
class CancellationReason:
    """What became of one write of a cancelled transaction; `item` is what is stored, if the write asked for ALL_OLD."""

    failed: bool
    item: Item | None


class TransactionRefused(Conflict):
    """A condition of a transaction did not hold; `reasons` are in the order of its writes."""

    def __init__(self, reasons: Sequence[CancellationReason]) -> None:
        super().__init__("It was changed meanwhile: read it again")
        self.reasons = tuple(reasons)


@contextmanager
def translate_errors() -> Iterator[None]:
    """Raises RetryLater, ConditionFailed or TransactionRefused for botocore's errors; other faults stay as is."""
    try:
        yield
    except ClientError as error:
        raise _read_error(error) from error
    except BotoCoreError as error:
        if isinstance(error, _LOST):
            raise RetryLater("AWS could not be reached") from error
        raise


def _read_error(error: ClientError) -> Exception:
    code = error.response["Error"].get("Code", "")
    if code == "ConditionalCheckFailedException":
        return ConditionFailed(cast("Item | None", error.response.get("Item")))
    if code == "TransactionCanceledException":
        return _read_cancellation(error)
    if code in PASSING_CODES or error.response["ResponseMetadata"].get("HTTPStatusCode", 0) >= 500:
        return RetryLater(f"AWS answered {code}")
    return error


def _read_cancellation(error: ClientError) -> Exception:
    entries = cast("list[dict[str, object]]", error.response.get("CancellationReasons", []))
    codes = {entry.get("Code") for entry in entries}
    if "ConditionalCheckFailed" in codes:
        return TransactionRefused(
            [
                CancellationReason(
                    entry.get("Code") == "ConditionalCheckFailed", cast("Item | None", entry.get("Item"))
                )
                for entry in entries
            ]
        )
    if codes & PASSING_REASONS:
        return RetryLater("AWS was busy with another write to the same item")
    return error


class _Patience:
    """Waits ever longer while DynamoDB hands the whole of a batch back, and gives up in the end."""

    def __init__(self) -> None:
        self._fruitless = 0

    def wait(self, asked: int, left: int) -> None:
        """To be called when `left` of `asked` entries came back; RetryLater after too many tries without progress."""
        self._fruitless = self._fruitless + 1 if left >= asked else 0
        if self._fruitless >= FRUITLESS_TRIES:
            raise RetryLater("DynamoDB is throttled")
        time.sleep(FIRST_PAUSE_SECONDS * 2**self._fruitless)


def batch_get(client: "DynamoDBClient", table: str, keys: Sequence[Item], consistent: bool) -> list[Item]:
    """Those items that are there, in no particular order; any number of keys, doubled ones are asked once."""
    distinct = list({json.dumps(key, sort_keys=True): key for key in keys}.values())
    found: list[Item] = []
    for start in range(0, len(distinct), BATCH_GET):
        found.extend(_get_up_to_100(client, table, distinct[start : start + BATCH_GET], consistent))
    return found


def _get_up_to_100(client: "DynamoDBClient", table: str, keys: list[Item], consistent: bool) -> Iterator[Item]:
    patience = _Patience()
    while True:
        with translate_errors():
            answer = client.batch_get_item(RequestItems={table: {"Keys": keys, "ConsistentRead": consistent}})
        yield from answer["Responses"].get(table, [])
        left = answer.get("UnprocessedKeys", {}).get(table)
        if not left:
            return
        patience.wait(len(keys), len(left["Keys"]))
        keys = list(left["Keys"])


def batch_write(client: "DynamoDBClient", table: str, requests: Sequence["WriteRequestTypeDef"]) -> None:
    """Unconditional puts and deletes, any number, no key twice; RetryLater leaves some of them done."""
    for start in range(0, len(requests), BATCH_WRITE):
        _write_up_to_25(client, table, list(requests[start : start + BATCH_WRITE]))


def _write_up_to_25(client: "DynamoDBClient", table: str, requests: list["WriteRequestTypeDef"]) -> None:
    patience = _Patience()
    while True:
        with translate_errors():
            answer = client.batch_write_item(RequestItems={table: requests})
        left = answer.get("UnprocessedItems", {}).get(table)
        if not left:
            return
        patience.wait(len(requests), len(left))
        requests = cast("list[WriteRequestTypeDef]", left)


def build_doc(model: BaseModel, exclude_defaults: bool = False) -> "AttributeValueTypeDef":
    """A model as the JSON attribute `doc`, without the `rev` beside it; TooLarge when no item could hold it."""
    text = model.model_dump_json(exclude={"rev"}, exclude_defaults=exclude_defaults)
    if len(text.encode()) > DOC_BYTES:
        message = f"This is too large to be stored: at most {DOC_BYTES:,} bytes"
        raise TooLarge((Problem("", message),), message)
    return {"S": text}


def guarded_put(table: str, item: Item, condition: str, rev: int | None = None) -> "TransactWriteItemTypeDef":
    """A put with a condition (over `:rev`, if one is given) that tells what is stored when it does not hold."""
    put: TransactWriteItemTypeDef = {
        "Put": {
            "TableName": table,
            "Item": item,
            "ConditionExpression": condition,
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
    }
    if rev is not None:
        put["Put"]["ExpressionAttributeValues"] = {":rev": {"N": str(rev)}}
    return put


def is_our_write(written: Item, stored: Item | None) -> bool:
    """Whether what is stored is what we wrote: an earlier success of ours whose answer was lost."""
    return stored is not None and all(stored.get(name) == written.get(name) for name in ("doc", "rev"))


def put_at_revision(client: "DynamoDBClient", table: str, item: "dict[str, AttributeValueTypeDef]", rev: int) -> bool:
    """Replaces the item of revision `rev` (0: none is stored yet) whole; False where somebody else was before.

    A refused write whose very content is stored is our own, whose answer was lost.
    """
    # No stored one has rev 0, but DynamoDB wants every value of a call to be used.
    condition = "rev = :rev" if rev else "attribute_not_exists(pk) OR rev = :rev"
    try:
        with translate_errors():
            client.put_item(
                TableName=table,
                Item=item,
                ConditionExpression=condition,
                ExpressionAttributeValues={":rev": {"N": str(rev)}},
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
    except ConditionFailed as refused:
        return refused.item == item
    return True


def read_document(model: type[M], text: str) -> M:
    """A stored document. Fields that a newer version of the code wrote, while both run, are passed over.

    A field is therefore only ever added with a default: the older code drops it when it saves the document.
    """
    return model.model_validate_json(text, extra="ignore")


def query(client: "DynamoDBClient", request: "QueryInputTypeDef", start: Item | None = None) -> Iterator[Item]:
    """All items of a query from a start key on, page after page, as far as the caller takes them."""
    while True:
        with translate_errors():
            answer = client.query(**request, **({"ExclusiveStartKey": start} if start else {}))
        yield from answer["Items"]
        start = answer.get("LastEvaluatedKey")
        if not start:
            return


def encode_cursor(key: Item | None) -> str | None:
    """A LastEvaluatedKey as text for an URL; the API signs it, this does not."""
    if not key:
        return None
    return base64.urlsafe_b64encode(json.dumps(key, sort_keys=True).encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> Item:
    """The key again; InvalidRequest when the text is not one. Whose key it is must be checked by the caller."""
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        key = json.loads(raw)
    except (binascii.Error, ValueError, RecursionError) as error:
        raise bad_cursor() from error
    if not isinstance(key, dict) or not key or not all(_is_key_value(value) for value in key.values()):
        raise bad_cursor()
    return key


def key_after(cursor: str | None, names: frozenset[str], partition: Mapping[str, str]) -> Item | None:
    """The start key of a query; InvalidRequest unless it has just these attributes and lies in this partition."""
    if cursor is None:
        return None
    key = decode_cursor(cursor)
    if set(key) != names or any(key[name].get("S") != value for name, value in partition.items()):
        raise bad_cursor()
    return key


def _is_key_value(value: object) -> bool:
    """All keys of all our tables are strings, and made of ids, numbers and hashes."""
    return isinstance(value, dict) and set(value) == {"S"} and isinstance(value["S"], str) and value["S"].isascii()


def bad_cursor() -> InvalidRequest:
    """What to raise for a cursor of another list."""
    return invalid("cursor", "This cursor was not given out by this list")
