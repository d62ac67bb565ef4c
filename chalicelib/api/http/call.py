"""A request as its route receives it, and the response of the route."""

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
    """Refuse forms that only Python accepts: +5, 1_0 and digits of other scripts."""
    if not isinstance(value, str):
        return value
    if not re.fullmatch(r"-?[0-9]{1,15}", value):
        raise ValueError("Input should be a whole number, written in digits")
    return int(value)


def _read_flag(value: object) -> object:
    """Refuse forms that only Pydantic accepts: yes, on, t and 1."""
    if isinstance(value, str) and value not in {"true", "false"}:
        raise ValueError("Input should be true or false")
    return value == "true" if isinstance(value, str) else value


#: Query values are text. Numbers and booleans must have the form that JSON has.
READ_NUMBER = BeforeValidator(_read_number)
READ_FLAG = BeforeValidator(_read_flag)


class ListQuery(StrictModel):
    """Parameters of every list. Lists with filters add theirs in a subclass."""

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
    """A parsed and authorized request."""

    ports: Ports
    #: Workspace of the key; empty on routes without a key.
    workspace: WorkspaceUid
    path: Mapping[str, str]
    body: B
    query: Q
    headers: Mapping[str, str]
    cursors: Cursors
    place: CursorPosition = FIRST
    #: The API key; None on routes without one.
    key: Key | None = None
    #: Uid of the created object, so that a repeated call creates the same. None without an Idempotency-Key.
    reserved_uid: str | None = None
    #: Whether an earlier attempt with the same Idempotency-Key was interrupted at an unknown point.
    is_taken_over: bool = False

    @property
    def uid(self) -> str:
        """The `{uid}` of the path."""
        return self.path["uid"]

    @property
    def cursor(self) -> str | None:
        """Cursor of the requested page, in the form of the store."""
        return self.place.at

    def made_before(self, kind: type[D]) -> D | None:
        """Find the object that an interrupted attempt of the same call has created."""
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
    #: Stored body for repeated calls, without secrets that are shown once. None: `text` is stored.
    kept: str | None = None
