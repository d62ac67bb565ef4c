"""Conditional writes in batches of 25 or one by one, each with its own result, retried while throttled."""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

from chalicelib.aws._dynamodb import ConditionFailed, Item, translate_errors
from chalicelib.errors import RetryLater

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import (
        BatchStatementRequestTypeDef,
        BatchStatementResponseTypeDef,
    )

#: DynamoDB limit of one BatchExecuteStatement.
BATCH = 25
#: Seconds before the second, third and fourth attempt, multiplied by a random factor from 0.5 to 1.5.
PAUSES = (0.05, 0.1, 0.2)
#: Error codes of a statement that may be retried with the same condition.
_TRANSIENT = frozenset(
    {
        "InternalServerError",
        "ProvisionedThroughputExceeded",
        "RequestLimitExceeded",
        "ThrottlingError",
        "TransactionConflict",
    }
)
_REFUSED = frozenset({"ConditionalCheckFailed", "DuplicateItem"})

Sleep: TypeAlias = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class WriteResult:
    """The result of one write. `stored` is the item that made the condition fail, if DynamoDB returns it."""

    written: bool
    stored: Item | None = None


class Write(Protocol):
    """A conditional write, as a PartiQL statement and as a call."""

    def statement(self) -> "BatchStatementRequestTypeDef":
        """Return the PartiQL statement."""

    def execute(self, client: "DynamoDBClient") -> None:
        """Make a call for this write alone; raises botocore's errors."""


def write_with_retry(
    client: "DynamoDBClient", writes: Sequence[Write], batched: bool, sleep: Sleep
) -> list[WriteResult]:
    """Return the results in the order of the writes. RetryLater if some are undecided after the last attempt."""
    results = write_all(client, writes, batched, sleep)
    decided = [result for result in results if result is not None]
    if len(decided) < len(writes):
        raise RetryLater("DynamoDB is throttled")
    return decided


def write_all(
    client: "DynamoDBClient", writes: Sequence[Write], batched: bool, sleep: Sleep
) -> list[WriteResult | None]:
    """Return the results in the order of the writes; None for writes that are throttled after the last attempt."""
    results: dict[int, WriteResult] = {}
    left = list(range(len(writes)))
    for pause in (0.0, *PAUSES):
        if not left:
            break
        if pause:
            sleep(pause * (0.5 + random.random()))  # noqa: S311  # jitter, not a secret
        step = BATCH if batched else 1
        for start in range(0, len(left), step):
            results.update(_write_some(client, writes, left[start : start + step], batched))
        left = [index for index in left if index not in results]
    return [results.get(index) for index in range(len(writes))]


def _write_some(
    client: "DynamoDBClient", writes: Sequence[Write], indices: Sequence[int], batched: bool
) -> Iterator[tuple[int, WriteResult]]:
    """Yield the results of the decided writes; the others need another attempt.

    A single write is sent as a batch too: for other calls, botocore itself retries for seconds while throttled.
    """
    try:
        if not batched:
            yield indices[0], _write_one(client, writes[indices[0]])
            return
        with translate_errors():
            answer = client.batch_execute_statement(Statements=[writes[index].statement() for index in indices])
    except RetryLater:
        return
    for index, response in zip(indices, answer["Responses"], strict=True):
        decided = _read_response(response)
        if decided:
            yield index, decided


def _write_one(client: "DynamoDBClient", write: Write) -> WriteResult:
    try:
        with translate_errors():
            write.execute(client)
    except ConditionFailed as refused:
        return WriteResult(written=False, stored=refused.item)
    return WriteResult(written=True)


def _read_response(response: "BatchStatementResponseTypeDef") -> WriteResult | None:
    error = response.get("Error")
    if error is None:
        return WriteResult(written=True)
    if error.get("Code") in _TRANSIENT:
        return None
    if error.get("Code") not in _REFUSED:
        raise RuntimeError(f"DynamoDB rejected the statement: {error.get('Code')}, {error.get('Message')}")
    return WriteResult(written=False, stored=error.get("Item"))
