"""The registered routes, for the OpenAPI document and for tests."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import BaseModel

from chalicelib.model.workspace import Scope

#: Allowed characters and length of a uid, version or message uid.
PATH_VALUE = "^[A-Za-z0-9_.-]+$"
MAX_PATH_VALUE = 330


class ResponseForm(StrEnum):
    """The envelope of a success response."""

    #: `{"message": …, "data": model}`; without a model only the message.
    ENVELOPE = "envelope"
    #: `{"data": [model, …], "nextCursor": …, "prevCursor": …}`.
    PAGE = "page"
    #: The model itself.
    BARE = "bare"


@dataclass(frozen=True, slots=True)
class ResponseSpec:
    """The success responses of a route, as the OpenAPI document describes them."""

    model: type[BaseModel]
    status: int = 200
    #: A second status of success, with the same body.
    also_status: int | None = None
    form: ResponseForm = ResponseForm.ENVELOPE
    #: A text of another type has no model.
    media_type: str = "application/json"
    #: Model of the answer to a replay of the call with its Idempotency-Key, if it shows less.
    replayed: type[BaseModel] | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """A method and a path such as `/v1/flows/{uid}`, with their options."""

    method: str
    path: str
    #: Required scope of the key; None: no key is needed.
    scope: Scope | None
    body: type[BaseModel]
    query: type[BaseModel]
    is_bare: bool
    #: As declared; None if nothing was declared.
    idempotent: bool | None
    response: ResponseSpec
    handler: Callable[..., Any]

    @property
    def name(self) -> str:
        """`POST /v1/flows`."""
        return f"{self.method} {self.path}"

    @property
    def takes_idempotency_key(self) -> bool:
        """True if a repeated call with the same Idempotency-Key gets the first response."""
        return self.idempotent if self.idempotent is not None else self.method == "POST" and self.scope is not None

    @property
    def sentence(self) -> str:
        """The docstring of the handler."""
        return inspect.getdoc(self.handler) or ""


#: All routes, in the order of registration.
ROUTES: list[Route] = []
