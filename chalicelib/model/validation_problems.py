"""Conversion of pydantic errors to problems: a camelCase path into the input, and a sentence that states the limit."""

from collections.abc import Iterable, Sequence

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from chalicelib.errors import Problem

_SHOULD = "Input should be "
_PLAIN_WORDS = {"missing": "is required", "extra_forbidden": "is not a known field"}


#: Errors that are converted; converting takes ten times as long as finding them.
MAX_FINDINGS = 999
_NOT_PASSED = object()


def validation_problems(error: ValidationError, prefix: str = "", content: object = _NOT_PASSED) -> tuple[Problem, ...]:
    """Convert all errors; `prefix` is the path to the validated input.

    With `content`, the validated input, the paths leave out the names of union members.
    """
    by_field: dict[str, list[str]] = {}
    for detail in _without_empty_lists(error.errors(include_url=False, include_input=False)[:MAX_FINDINGS]):
        texts = by_field.setdefault(_path(detail, prefix, content), [])
        if (message := _message(detail)) not in texts:
            texts.append(message)
    problems = [Problem(field, _join(texts)) for field, texts in by_field.items()]
    if (rest := error.error_count() - MAX_FINDINGS) > 0:
        problems.append(Problem(prefix, f"and {rest:,} more"))
    return tuple(problems)


def _without_empty_lists(found: Sequence[ErrorDetails]) -> Iterable[ErrorDetails]:
    """Remove the error that a list is empty if all of its items are invalid: pydantic reports both."""
    parents = {detail["loc"][:depth] for detail in found for depth in range(len(detail["loc"]))}
    return (detail for detail in found if detail["type"] != "too_short" or detail["loc"] not in parents)


def _join(messages: Sequence[str]) -> str:
    """Join the errors of a union's members, so that the problem names everything that is accepted."""
    if all(message.startswith(_SHOULD) for message in messages):
        return _SHOULD + " or ".join(message.removeprefix(_SHOULD) for message in messages)
    return "; ".join(messages)


def _message(detail: ErrorDetails) -> str:
    text = detail["msg"].removeprefix("Value error, ")
    if detail["type"] in {"too_long", "too_short"}:
        text = text.replace("Tuple", "List", 1).replace(" after validation", "", 1)
    if detail["type"] == "union_tag_not_found":
        return f"requires the field {detail['ctx']['discriminator'].strip(chr(39))}"
    return _PLAIN_WORDS.get(detail["type"], text)


def _path(detail: ErrorDetails, prefix: str, content: object) -> str:
    """Convert a pydantic location. The names of union members are left out, because callers do not know them."""
    path: list[str | int] = []
    current = content
    last = len(detail["loc"]) - 1
    for position, part in enumerate(detail["loc"]):
        if content is _NOT_PASSED:
            # Pydantic adds "[key]" after an invalid key.
            path += [part] if part != "[key]" else []
        elif (below := _below(current, part)) is not _ABSENT:
            path.append(part)
            current = below
        elif position == last and detail["type"] == "missing":
            path.append(part)
    return f"{prefix}{'.' if prefix and path else ''}{field_path(path)}"


_ABSENT = object()


def _below(content: object, part: str | int) -> object:
    if isinstance(content, list) and isinstance(part, int) and part < len(content):
        return content[part]
    return content.get(part, _ABSENT) if isinstance(content, dict) else _ABSENT


def field_path(parts: Iterable[str | int]) -> str:
    """Format a path, such as `steps[2].for`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts).removeprefix(".")
