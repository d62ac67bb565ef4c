"""Billing rules of DynamoDB and SQS: bytes of items, units of reads and writes, chunks of messages."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

#: An item in DynamoDB's own notation.
Item: TypeAlias = Mapping[str, Any]

WRITE_UNIT, READ_UNIT = 1_024, 4_096
#: SQS bills every started 64 KB of a request as one.
SQS_CHUNK = 65_536


def item_bytes(item: Item) -> int:
    """Return the size of an item in bytes, without the 100 bytes per item that DynamoDB adds for storage only."""
    return sum(len(name.encode()) + value_bytes(value) for name, value in item.items())


def value_bytes(value: Mapping[str, Any]) -> int:
    """Return the size of a value: 1 byte per 2 digits and 1 more for a number, 3 + 1 per element for a map or list."""
    ((kind, content),) = value.items()
    match kind:
        case "S":
            return len(content.encode())
        case "N":
            return _number_bytes(content)
        case "B":
            return len(content)
        case "BOOL" | "NULL":
            return 1
        case "L":
            return 3 + sum(1 + value_bytes(each) for each in content)
        case "M":
            return 3 + sum(1 + len(name.encode()) + value_bytes(each) for name, each in content.items())
        case "SS" | "NS" | "BS":
            return sum(value_bytes({kind[0]: each}) for each in content)
    raise ValueError(f"DynamoDB has no type {kind}")


def _number_bytes(text: str) -> int:
    digits = text.lstrip("-").partition("E")[0].replace(".", "").strip("0")
    return (len(digits) + 1) // 2 + 1 + text.startswith("-")


def write_units(size: int) -> int:
    """Return the units of one write. A write that finds no item costs one unit."""
    return max(1, -(-size // WRITE_UNIT))


def read_units(size: int, consistent: bool) -> float:
    """Return the units of one read of `size` bytes in total."""
    return max(1, -(-size // READ_UNIT)) * (1.0 if consistent else 0.5)


def index_writes(
    before: Item | None, after: Item | None, names: Sequence[str], projected: frozenset[str] | None
) -> int:
    """Return the write units of one index for a change of an item; `projected` None stands for ALL.

    An item without one of the keys is not in the index. A changed key deletes the entry and puts a new one.
    """
    old, new = _entry(before, names, projected), _entry(after, names, projected)
    if old == new:
        return 0
    if old is None or new is None or any(old[name] != new[name] for name in names):
        return sum(write_units(item_bytes(entry)) for entry in (old, new) if entry is not None)
    return write_units(max(item_bytes(old), item_bytes(new)))


def _entry(item: Item | None, names: Sequence[str], projected: frozenset[str] | None) -> Item | None:
    if item is None or any(name not in item for name in names):
        return None
    return item if projected is None else {name: value for name, value in item.items() if name in projected}


def sqs_requests(size: int) -> int:
    """Return the number of requests billed for one call with a payload of `size` bytes."""
    return max(1, -(-size // SQS_CHUNK))
