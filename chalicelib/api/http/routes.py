"""Every route that was registered: what OpenAPI is made of, and what the tests of scopes go through."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import BaseModel

from chalicelib.model.workspace import Scope

#: No uid, version or message uid has other characters or is longer.
PATH_VALUE = "^[A-Za-z0-9_.-]+$"
MAX_PATH_VALUE = 330


class ResponseForm(StrEnum):
    """What surrounds the model in the body of a success."""

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
    """A method and a path, as `/v1/flows/{uid}`, with what they take."""

    method: str
    path: str
    #: What a key needs to have; None needs no key.
    scope: Scope | None
    body: type[BaseModel]
    query: type[BaseModel]
    is_bare: bool
    #: As it was said, None where nothing was.
    idempotent: bool | None
    response: ResponseSpec
    handler: Callable[..., Any]

    @property
    def name(self) -> str:
        """`POST /v1/flows`."""
        return f"{self.method} {self.path}"

    @property
    def takes_idempotency_key(self) -> bool:
        """Whether a repetition with the same Idempotency-Key gets the first one's answer."""
        return self.idempotent if self.idempotent is not None else self.method == "POST" and self.scope is not None

    @property
    def sentence(self) -> str:
        """What the handler's docstring says."""
        return inspect.getdoc(self.handler) or ""


#: In the order of registration.
ROUTES: list[Route] = []
