"""Cursors of in-memory lists: the sort key of the last returned item, with the name of its list."""

import base64
import binascii
from collections.abc import Iterable
from typing import TypeVar

from chalicelib.errors import Problem, TooLarge, invalid
from chalicelib.model.base import StoredDocument
from chalicelib.ports import Page

T = TypeVar("T")
#: Maximum size of a document in the table, in bytes.
DOC_BYTES = 380_000


def cut_page(
    name: str, entries: Iterable[tuple[str, T]], limit: int, cursor: str | None, newest_first: bool = True
) -> Page[T]:
    """Return the page of entries after the cursor. Each entry has its sort key."""
    rest = sorted(entries, key=lambda entry: entry[0], reverse=newest_first)
    if cursor is not None:
        last = read_cursor(name, cursor)
        rest = [(key, item) for key, item in rest if (key < last if newest_first else key > last)]
    items = tuple(item for _, item in rest[:limit])
    return Page(items, make_cursor(name, rest[limit - 1][0]) if len(rest) > limit else None)


def make_cursor(name: str, key: str) -> str:
    return base64.urlsafe_b64encode(f"{name}|{key}".encode()).decode()


def read_cursor(name: str, cursor: str) -> str:
    try:
        of, _, key = base64.urlsafe_b64decode(cursor.encode()).decode().partition("|")
    except (binascii.Error, ValueError) as error:
        raise invalid("cursor", "Invalid cursor: pass the cursor of the previous page of this list") from error
    if of != name:
        raise invalid("cursor", "Invalid cursor: pass the cursor of the previous page of this list")
    return key


def check_size(document: StoredDocument) -> None:
    """Check the size of a document. TooLarge if the table could not store it."""
    if len(document.model_dump_json(exclude={"rev"}).encode()) > DOC_BYTES:
        message = f"This is too large to be stored: at most {DOC_BYTES:,} bytes"
        raise TooLarge((Problem("", message),), message)
