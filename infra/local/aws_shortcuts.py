"""Caches for work that ministack repeats at every call or for every waiting message."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

#: Cached texts of expressions and statements. Carillon uses a few hundred.
CACHE_SIZE = 1_000
#: The field that ministack adds last to a new message.
LAST_FIELD = "seq"


def install_shortcuts(sqs: Any, tables: Any, statements: Any) -> None:
    """Patch the modules `sqs`, `dynamodb` and `_dynamodb_keywords` of ministack. Their responses stay the same."""
    for module in (tables, statements):
        module._tokenize = remembered(module._tokenize)
    tables.copy = SimpleNamespace(deepcopy=copied)
    sqs._ensure_msg_fields = for_new_messages(sqs._ensure_msg_fields)
    sqs._HANDLERS["DeleteMessageBatch"] = lambda data, url: delete_messages(sqs, data, url)


def remembered(tokenize: Callable[[str], list[Any]]) -> Callable[[str], list[Any]]:
    """Return the tokenizer with a cache. It reads each character, up to four times per call, and texts repeat."""
    read = lru_cache(CACHE_SIZE)(tokenize)
    return lambda text: list(read(text))


def copied(value: Any) -> Any:
    """Return a deep copy. JSON values have no cycles, so they are copied without a memo."""
    if type(value) is dict:
        return {name: copied(part) for name, part in value.items()}
    if type(value) is list:
        return [copied(part) for part in value]
    return value if type(value) is str else deepcopy(value)


def for_new_messages(complete: Callable[[dict[str, Any]], None]) -> Callable[[dict[str, Any]], None]:
    """Return `complete` for new messages only. ministack calls it for every message at each receive."""

    def complete_new(message: dict[str, Any]) -> None:
        if LAST_FIELD not in message or "md5_body" not in message:
            complete(message)

    return complete_new


def delete_messages(sqs: Any, data: Mapping[str, Any], url: str) -> dict[str, Any]:
    """Delete a batch in one pass through the queue, instead of one pass per message."""
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
            # A second entry with the same handle is reported as failed.
            found.discard(handle)
        else:
            failed.append({
                "Id": name,
                "Code": "ReceiptHandleIsInvalid",
                "Message": "The input receipt handle is invalid.",
                "SenderFault": True,
            })  # fmt: skip
    return {"Successful": deleted, "Failed": failed}
