"""Helpers of the DynamoDB adapters: translation of errors, batches with unprocessed entries, and cursors."""

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

    #: An item or a key in DynamoDB JSON, e.g. {"pk": {"S": "w1#FLOW#f1"}}.
    Item: TypeAlias = Mapping[str, AttributeValueTypeDef]
else:
    Item = Mapping

#: DynamoDB limits of one call.
BATCH_GET = 100
BATCH_WRITE = 25
#: DynamoDB allows 409,600 bytes per item, including its keys and the attributes beside the document.
DOC_BYTES = 380_000
#: Consecutive attempts without any processed entry of a batch; about 1.5 s with the pauses in between.
ATTEMPTS_WITHOUT_PROGRESS = 6
FIRST_PAUSE_SECONDS = 0.025

TRANSIENT_CODES = frozenset(
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
#: Reasons of a cancelled transaction that are not a failed condition, so that a retry may succeed.
TRANSIENT_REASONS = frozenset({"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})
_CONNECTION_ERRORS = (BotoConnectionError, HTTPClientError, IncompleteReadError)


class ConditionFailed(Conflict):
    """The condition of a single write failed. `item` is the stored item, if the write asked for ALL_OLD."""

    def __init__(self, item: Item | None) -> None:
        super().__init__("It was changed by another request; read it again")
        self.item = item


@dataclass(frozen=True, slots=True)
class CancellationReason:
    """The result of one write of a cancelled transaction. `item` is the stored item, if the write asked for ALL_OLD."""

    failed: bool
    item: Item | None


class TransactionRefused(Conflict):
    """A condition of a transaction failed. `reasons` are in the order of its writes."""

    def __init__(self, reasons: Sequence[CancellationReason]) -> None:
        super().__init__("It was changed by another request; read it again")
        self.reasons = tuple(reasons)


@contextmanager
def translate_errors() -> Iterator[None]:
    """Translate botocore's errors to RetryLater, ConditionFailed or TransactionRefused; others pass unchanged."""
    try:
        yield
    except ClientError as error:
        raise _read_error(error) from error
    except BotoCoreError as error:
        if isinstance(error, _CONNECTION_ERRORS):
            raise RetryLater("AWS could not be reached") from error
        raise


def _read_error(error: ClientError) -> Exception:
    code = error.response["Error"].get("Code", "")
    if code == "ConditionalCheckFailedException":
        return ConditionFailed(cast("Item | None", error.response.get("Item")))
    if code == "TransactionCanceledException":
        return _read_cancellation(error)
    if code in TRANSIENT_CODES or error.response["ResponseMetadata"].get("HTTPStatusCode", 0) >= 500:
        return RetryLater(f"AWS responded with {code}")
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
    if codes & TRANSIENT_REASONS:
        return RetryLater("Another write to the same item was in progress")
    return error


class _Backoff:
    """Exponential backoff for unprocessed entries of a batch. Gives up after ATTEMPTS_WITHOUT_PROGRESS."""

    def __init__(self) -> None:
        self._attempts = 0

    def wait(self, requested: int, unprocessed: int) -> None:
        """Wait before the next attempt. RetryLater after too many attempts without a processed entry."""
        self._attempts = self._attempts + 1 if unprocessed >= requested else 0
        if self._attempts >= ATTEMPTS_WITHOUT_PROGRESS:
            raise RetryLater("DynamoDB is throttled")
        time.sleep(FIRST_PAUSE_SECONDS * 2**self._attempts)


def batch_get(client: "DynamoDBClient", table: str, keys: Sequence[Item], consistent: bool) -> list[Item]:
    """Return the items that exist, in no particular order. Any number of keys; duplicates are read once."""
    distinct = list({json.dumps(key, sort_keys=True): key for key in keys}.values())
    found: list[Item] = []
    for start in range(0, len(distinct), BATCH_GET):
        found.extend(_get_up_to_100(client, table, distinct[start : start + BATCH_GET], consistent))
    return found


def _get_up_to_100(client: "DynamoDBClient", table: str, keys: list[Item], consistent: bool) -> Iterator[Item]:
    backoff = _Backoff()
    while True:
        with translate_errors():
            answer = client.batch_get_item(RequestItems={table: {"Keys": keys, "ConsistentRead": consistent}})
        yield from answer["Responses"].get(table, [])
        left = answer.get("UnprocessedKeys", {}).get(table)
        if not left:
            return
        backoff.wait(len(keys), len(left["Keys"]))
        keys = list(left["Keys"])


def batch_write(client: "DynamoDBClient", table: str, requests: Sequence["WriteRequestTypeDef"]) -> None:
    """Put and delete any number of items without conditions; no key may occur twice.

    After RetryLater, some of them may be done.
    """
    for start in range(0, len(requests), BATCH_WRITE):
        _write_up_to_25(client, table, list(requests[start : start + BATCH_WRITE]))


def _write_up_to_25(client: "DynamoDBClient", table: str, requests: list["WriteRequestTypeDef"]) -> None:
    backoff = _Backoff()
    while True:
        with translate_errors():
            answer = client.batch_write_item(RequestItems={table: requests})
        left = answer.get("UnprocessedItems", {}).get(table)
        if not left:
            return
        backoff.wait(len(requests), len(left))
        requests = cast("list[WriteRequestTypeDef]", left)


def build_doc(model: BaseModel, exclude_defaults: bool = False) -> "AttributeValueTypeDef":
    """Return a model as the JSON attribute `doc`, without `rev`, which is stored beside it.

    TooLarge above DOC_BYTES.
    """
    text = model.model_dump_json(exclude={"rev"}, exclude_defaults=exclude_defaults)
    if len(text.encode()) > DOC_BYTES:
        message = f"This is too large to be stored: at most {DOC_BYTES:,} bytes"
        raise TooLarge((Problem("", message),), message)
    return {"S": text}


def guarded_put(table: str, item: Item, condition: str, rev: int | None = None) -> "TransactWriteItemTypeDef":
    """Build a conditional put that returns the stored item if the condition fails. `rev` is the value of `:rev`."""
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
    """Report whether the stored item equals ours: an earlier attempt succeeded, and its response was lost."""
    return stored is not None and all(stored.get(name) == written.get(name) for name in ("doc", "rev"))


def put_at_revision(client: "DynamoDBClient", table: str, item: "dict[str, AttributeValueTypeDef]", rev: int) -> bool:
    """Replace the item at revision `rev` (0: no item yet). False if another writer was first.

    If the write is refused and the stored item equals it, an earlier attempt of this write succeeded, and its response
    was lost.
    """
    # No item is stored with rev 0, but DynamoDB refuses a request with an unused value.
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
    """Parse a stored document. Unknown fields, written by a newer version during an update, are ignored.

    The older version drops these fields when it saves the document, so every added field needs a default.
    """
    return model.model_validate_json(text, extra="ignore")


def query(client: "DynamoDBClient", request: "QueryInputTypeDef", start: Item | None = None) -> Iterator[Item]:
    """Yield the items of a query, page after page, starting behind the key `start`."""
    while True:
        with translate_errors():
            answer = client.query(**request, **({"ExclusiveStartKey": start} if start else {}))
        yield from answer["Items"]
        start = answer.get("LastEvaluatedKey")
        if not start:
            return


def encode_cursor(key: Item | None) -> str | None:
    """Encode a LastEvaluatedKey for use in a URL. The cursor is not signed; the API signs it."""
    if not key:
        return None
    return base64.urlsafe_b64encode(json.dumps(key, sort_keys=True).encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> Item:
    """Decode a cursor. InvalidRequest for an invalid one. The caller must check that the key belongs to its list."""
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        key = json.loads(raw)
    except (binascii.Error, ValueError, RecursionError) as error:
        raise bad_cursor() from error
    if not isinstance(key, dict) or not key or not all(_is_key_value(value) for value in key.values()):
        raise bad_cursor()
    return key


def key_after(cursor: str | None, names: frozenset[str], partition: Mapping[str, str]) -> Item | None:
    """Return the start key of a query.

    InvalidRequest unless the key has exactly these attributes and is in this partition.
    """
    if cursor is None:
        return None
    key = decode_cursor(cursor)
    if set(key) != names or any(key[name].get("S") != value for name, value in partition.items()):
        raise bad_cursor()
    return key


def _is_key_value(value: object) -> bool:
    """Check a key value: all keys of our tables are ASCII strings of ids, numbers and hashes."""
    return isinstance(value, dict) and set(value) == {"S"} and isinstance(value["S"], str) and value["S"].isascii()


def bad_cursor() -> InvalidRequest:
    """Return the error for a cursor of another list."""
    return invalid("cursor", "Invalid cursor: pass the cursor of the previous page of this list")
