"""Pydantic's errors as our problems: a camelCase path and a sentence that names the limit."""

from collections.abc import Container

from pydantic import ValidationError

from chalicelib.errors import Problem


def read_problems(error: ValidationError, prefix: str = "", tags: Container[str] = ()) -> tuple[Problem, ...]:
    """Every problem at once; `tags` are discriminator values, which pydantic puts into the path and we leave out."""
    return tuple(
        Problem(_path(prefix, detail["loc"], tags), detail["msg"].removeprefix("Value error, "))
        for detail in error.errors(include_url=False, include_input=False, include_context=False)
    )


def _path(prefix: str, location: tuple[int | str, ...], tags: Container[str]) -> str:
    path = prefix
    for part in location:
        if isinstance(part, int):
            path += f"[{part}]"
        elif part not in tags:
            path += f".{part}" if path else part
    return path
