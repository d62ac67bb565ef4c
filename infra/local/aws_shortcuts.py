"""What ministack does again at every call, or for every message that waits, done once."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

#: Texts of expressions and statements; ours are few hundred.
KEPT = 1_000
#: The last field that ministack gives a message which has none yet.
LAST_FIELD = "seq"


def take_shortcuts(sqs: Any, tables: Any, statements: Any) -> None:
    """The modules `sqs`, `dynamodb` and `_dynamodb_keywords` of ministack; what they answer stays the same."""
    for module in (tables, statements):
        module._tokenize = remembered(module._tokenize)
    tables.copy = SimpleNamespace(deepcopy=copied)
    sqs._ensure_msg_fields = for_new_messages(sqs._ensure_msg_fields)
    sqs._HANDLERS["DeleteMessageBatch"] = lambda data, url: delete_messages(sqs, data, url)


def remembered(tokenize: Callable[[str], list[Any]]) -> Callable[[str], list[Any]]:
    """It reads an expression letter by letter, up to four times a call; ours are few, and the same again."""
    read = lru_cache(KEPT)(tokenize)
    return lambda text: list(read(text))


def copied(value: Any) -> Any:
    """A deep copy of what JSON can say, which knows no cycles; of all else as usual."""
    if type(value) is dict:
        return {name: copied(part) for name, part in value.items()}
    if type(value) is list:
        return [copied(part) for part in value]
    return value if type(value) is str else deepcopy(value)


def for_new_messages(complete: Callable[[dict[str, Any]], None]) -> Callable[[dict[str, Any]], None]:
    """Each receive completes every message of the queue, though only a new one can lack anything."""

    def complete_new(message: dict[str, Any]) -> None:
        if LAST_FIELD not in message or "md5_body" not in message:
            complete(message)

    return complete_new


def delete_messages(sqs: Any, data: Mapping[str, Any], url: str) -> dict[str, Any]:
    """Goes through the queue once, and not once for each of the ten."""
    queue = sqs._get_q(data.get("QueueUrl", url), "sqs:DeleteMessage")
    entries = data.get("Entries", [])
    sqs._validate_batch_entries(entries, "DeleteMessageBatchRequestEntry")
    handles = {entry.get("ReceiptHandle", "") for entry in entries}
    found = {message["receipt_handle"] for message in queue["messages"]} & handles
    queue["messages"] = [message for message in queue["messages"] if message["receipt_handle"] not in found]
    deleted, failed = [], []
    for entry in entries:
        name, handle = entry.get("Id", ""), entry.get("ReceiptHandle", "")
        if handle in found:
            deleted.append({"Id": name})
            # A second entry with the same handle finds nothing any more.
            found.discard(handle)
        else:
            failed.append({
                "Id": name,
                "Code": "ReceiptHandleIsInvalid",
                "Message": "The input receipt handle is invalid.",
                "SenderFault": True,
            })  # fmt: skip
    return {"Successful": deleted, "Failed": failed}
