"""Conversion of pydantic errors to problems: a camelCase path into the input, and a sentence that states the limit."""

from collections.abc import Iterable, Sequence

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from chalicelib.errors import Problem

_SHOULD = "Input should be "
_PLAIN_WORDS = {"missing": "is required", "extra_forbidden": "is not a known field"}


#: Errors that are converted; converting takes ten times as long as finding them.
MAX_FINDINGS = 999
_UNSEEN = object()


def validation_problems(error: ValidationError, prefix: str = "", content: object = _UNSEEN) -> tuple[Problem, ...]:
    """Convert all errors; `prefix` is the path to the validated input.

    With `content`, the validated input, the paths leave out the names of union members.
    """
    messages: dict[str, list[str]] = {}
    for detail in _without_echoes(error.errors(include_url=False, include_input=False)[:MAX_FINDINGS]):
        said = messages.setdefault(_path(detail, prefix, content), [])
        if (message := _message(detail)) not in said:
            said.append(message)
    problems = [Problem(field, _join(said)) for field, said in messages.items()]
    if (rest := error.error_count() - MAX_FINDINGS) > 0:
        problems.append(Problem(prefix, f"and {rest:,} more"))
    return tuple(problems)


def _without_echoes(found: Sequence[ErrorDetails]) -> Iterable[ErrorDetails]:
    """Remove the error that a list is empty if all of its items are invalid: pydantic reports both."""
    around = {detail["loc"][:depth] for detail in found for depth in range(len(detail["loc"]))}
    return (detail for detail in found if detail["type"] != "too_short" or detail["loc"] not in around)


def _join(said: Sequence[str]) -> str:
    """Join the errors of a union's members, so that the problem names everything that is accepted."""
    if all(message.startswith(_SHOULD) for message in said):
        return _SHOULD + " or ".join(message.removeprefix(_SHOULD) for message in said)
    return "; ".join(said)


def _message(detail: ErrorDetails) -> str:
    said = detail["msg"].removeprefix("Value error, ")
    if detail["type"] in {"too_long", "too_short"}:
        said = said.replace("Tuple", "List", 1).replace(" after validation", "", 1)
    if detail["type"] == "union_tag_not_found":
        return f"needs {detail['ctx']['discriminator'].strip(chr(39))}, which says what it is"
    return _PLAIN_WORDS.get(detail["type"], said)


def _path(detail: ErrorDetails, prefix: str, content: object) -> str:
    """Convert a pydantic location. The names of union members are left out, because callers do not know them."""
    path: list[str | int] = []
    here = content
    last = len(detail["loc"]) - 1
    for position, part in enumerate(detail["loc"]):
        if content is _UNSEEN:
            # Pydantic adds "[key]" after an invalid key.
            path += [part] if part != "[key]" else []
        elif (below := _below(here, part)) is not _NOWHERE:
            path.append(part)
            here = below
        elif position == last and detail["type"] == "missing":
            path.append(part)
    return f"{prefix}{'.' if prefix and path else ''}{field_path(path)}"


_NOWHERE = object()


def _below(content: object, part: str | int) -> object:
    if isinstance(content, list) and isinstance(part, int) and part < len(content):
        return content[part]
    return content.get(part, _NOWHERE) if isinstance(content, dict) else _NOWHERE


def field_path(parts: Iterable[str | int]) -> str:
    """Format a path, such as `steps[2].for`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts).removeprefix(".")
