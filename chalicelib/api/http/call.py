"""One request as its route sees it, and what the route gives back."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, BeforeValidator, Field

from chalicelib.api.http.cursors import FIRST, CursorPosition, Cursors
from chalicelib.model.base import StoredDocument, StrictModel
from chalicelib.model.ids import WorkspaceUid
from chalicelib.model.workspace import Key
from chalicelib.ports import Ports

D = TypeVar("D", bound=StoredDocument)
R = TypeVar("R", bound=BaseModel)


class NoBody(StrictModel):
    """A route without a body, or without query parameters."""


class NoData(StrictModel):
    """The response of a route that declares no fields: a message alone, a page of HTML, an image."""


def _read_number(value: object) -> object:
    """Python also reads +5, 1_0 and digits of other scripts."""
    if not isinstance(value, str):
        return value
    if not re.fullmatch(r"-?[0-9]{1,15}", value):
        raise ValueError("Input should be a whole number, written in digits")
    return int(value)


def _read_flag(value: object) -> object:
    """Pydantic also reads yes, on, t and 1."""
    if isinstance(value, str) and value not in {"true", "false"}:
        raise ValueError("Input should be true or false")
    return value == "true" if isinstance(value, str) else value


#: In a query everything is text: these are read in the one way in which JSON would write them.
READ_NUMBER = BeforeValidator(_read_number)
READ_FLAG = BeforeValidator(_read_flag)


class ListQuery(StrictModel):
    """What every list takes; lists with filters add theirs in a subclass."""

    cursor: Annotated[str, Field(max_length=8_192)] | None = None
    """Cursor of a page: `nextCursor` or `prevCursor` of an earlier answer; omit it for the first page."""
    limit: Annotated[int, Field(ge=1, le=100), READ_NUMBER] = 20
    """Largest number of items on the page, 1 to 100; default 20."""


B = TypeVar("B", bound=BaseModel)
Q = TypeVar("Q", bound=BaseModel)


class PartialResponse(StrictModel):
    """A response that leaves out the fields that are not set. Fields that are None are shown as null."""


@dataclass(frozen=True, slots=True)
class Call(Generic[B, Q]):
    """One request, read and allowed."""

    ports: Ports
    #: Of the key; empty on routes without one.
    workspace: WorkspaceUid
    path: Mapping[str, str]
    body: B
    query: Q
    headers: Mapping[str, str]
    cursors: Cursors
    place: CursorPosition = FIRST
    #: The key that opened; None on routes without one.
    key: Key | None = None
    #: What the call makes gets this uid, so that a repetition of it makes the same. None without an Idempotency-Key.
    reserved_uid: str | None = None
    #: An earlier attempt with the same Idempotency-Key broke off, nobody knows how far it came.
    is_taken_over: bool = False

    @property
    def uid(self) -> str:
        """The path's `{uid}`."""
        return self.path["uid"]

    @property
    def cursor(self) -> str | None:
        """Where the asked page starts, as the store wrote it."""
        return self.place.at

    def made_before(self, kind: type[D]) -> D | None:
        """What an attempt at this very call, which broke off, has made."""
        if not self.is_taken_over or self.reserved_uid is None:
            return None
        return self.ports.catalog.find(self.workspace, kind, self.reserved_uid)


@dataclass(frozen=True, slots=True)
class ApiResponse(Generic[R]):
    """The HTTP response of a route that answers with the model R. `text` is the body as it is sent."""

    status: int
    text: str
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    #: The body without what is shown once: this is kept for repetitions of the call. None keeps `text`.
    kept: str | None = None
