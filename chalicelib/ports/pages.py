"""Pages of lists, with cursors."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A page of a list, and the cursor of the next page; None on the last one."""

    items: tuple[T, ...]
    cursor: str | None = None


def all_pages(read: Callable[[str | None], Page[T]]) -> Iterator[tuple[T, ...]]:
    """Yield the items of every page; `read` is called with the cursor of each page, None for the first."""
    cursor = None
    while True:
        page = read(cursor)
        yield page.items
        cursor = page.cursor
        if cursor is None:
            return
