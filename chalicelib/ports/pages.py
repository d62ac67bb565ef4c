"""A list, page by page."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A page of a list; `cursor` is where the next one starts, None at the end."""

    items: tuple[T, ...]
    cursor: str | None = None


def all_pages(read: Callable[[str | None], Page[T]]) -> Iterator[tuple[T, ...]]:
    """The items of page after page, up to the end; `read` gets the cursor of each."""
    cursor = None
    while True:
        page = read(cursor)
        yield page.items
        cursor = page.cursor
        if cursor is None:
            return
