"""Build responses from stored documents."""

from collections.abc import Callable
from typing import TypeVar

from pydantic import BaseModel

M = TypeVar("M", bound=BaseModel)


def build_response(model: type[M], *sources: BaseModel, **values: object) -> M:
    """Return a response with the fields that it shares with `sources`, and with `values`.

    Nothing is validated: a list may have 100 documents, and each was validated when it was stored.
    """
    fields = {
        name: getattr(source, name)
        for source in sources
        for name in type(source).model_fields
        if name in model.model_fields
    }
    construct: Callable[..., M] = model.model_construct
    return construct(**{**fields, **values})
