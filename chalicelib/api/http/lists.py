"""Pages of lists that are short enough to be read completely."""

from collections.abc import Sequence
from typing import TypeVar

from chalicelib.errors import invalid
from chalicelib.ports import Page

T = TypeVar("T")


def page_of_list(items: Sequence[T], limit: int, cursor: str | None) -> Page[T]:
    """Return a page. The cursor is the number of shown items. Raises InvalidRequest for any other cursor."""
    if cursor is not None and not (cursor.isascii() and cursor.isdecimal()):
        raise invalid("cursor", "This cursor belongs to other filters: begin without one")
    start = int(cursor or 0)
    end = start + limit
    return Page(tuple(items[start:end]), str(end) if end < len(items) else None)
