"""Parse bodies and query strings into models, and report all problems together."""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from chalicelib.errors import InvalidRequest, MalformedRequest, Problem, TooLarge, UnsupportedMediaType, invalid
from chalicelib.model.validation_problems import field_path, validation_problems

M = TypeVar("M", bound=BaseModel)

#: A model may set its own limits as `max_bytes` and `max_values`, and a field for the raw body as `raw_body`.
MAX_BODY_BYTES = 1_048_576
#: Largest number of JSON values of a body, counted by commas and brackets. 1 MiB may hold half a million, and finding
#: the problems of each takes about 20 µs.
MAX_VALUES = 6_000
#: Deepest nesting of JSON, which limits the stack of later readers. Steps with nesting 10 need about 40.
MAX_DEPTH = 64
#: A JSON string. The pattern is possessive, so that an unclosed string is scanned only once.
_TEXT = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_JSON_TYPE = re.compile(r"application/json\s*(;\s*charset=\"?utf-8\"?\s*)?;?\s*", re.IGNORECASE)
#: API Gateway replaces bytes that are not UTF-8 by this character.
_REPLACED = "\N{REPLACEMENT CHARACTER}".encode()


def read_body(raw: bytes, content_type: str | None, model: type[M]) -> M:
    """Parse a body: check limits, then syntax, then the model. An empty body is an empty object."""
    limit = getattr(model, "max_bytes", MAX_BODY_BYTES)
    if len(raw) > limit:
        raise TooLarge((), f"The body has {len(raw)} bytes; the limit is {limit}")
    if (field := getattr(model, "raw_body", None)) is not None:
        return model.model_validate({field: raw})
    if (field := _plain_field(model, content_type)) is not None:
        return _read_plain(raw, field, model)
    if raw and not _JSON_TYPE.fullmatch((content_type or "").strip()):
        raise UnsupportedMediaType((), "The Content-Type must be application/json")
    _check_count(raw, getattr(model, "max_values", MAX_VALUES))
    content = _read_json(raw or b"{}")
    try:
        return model.model_validate_json(raw or b"{}")
    except ValidationError as error:
        raise refusal(error, content) from error


def _plain_field(model: type[BaseModel], content_type: str | None) -> str | None:
    """Return the field for the raw body, for models that accept other formats than JSON (`plain_bodies`)."""
    plain: Mapping[str, str] = getattr(model, "plain_bodies", {})
    return plain.get((content_type or "").partition(";")[0].strip().lower())


def _read_plain(raw: bytes, field: str, model: type[M]) -> M:
    content = {field: raw.decode("utf-8", errors="replace")}
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise refusal(error, content) from error


def read_query(values: Mapping[str, Sequence[str]], model: type[M]) -> M:
    """Parse query parameters. Each may occur once, and unknown ones are refused."""
    repeated = [Problem(name, "is set more than once") for name, texts in values.items() if len(texts) > 1]
    if repeated:
        raise InvalidRequest(repeated)
    flat = {name: texts[0] for name, texts in values.items()}
    try:
        return model.model_validate_strings(flat)
    except ValidationError as error:
        raise refusal(error, flat) from error


def refusal(error: ValidationError, content: object) -> InvalidRequest:
    """Convert Pydantic's errors to problems with field paths."""
    # Invalid JSON is a single problem. Listing thousands of problems costs more than finding them.
    if error.error_count() == 1 and error.errors(include_url=False)[0]["type"] == "json_invalid":
        return MalformedRequest((), "The body is not valid JSON")
    return InvalidRequest([replace(p, field=p.field or "body") for p in validation_problems(error, content=content)])


def _check_count(raw: bytes, limit: int) -> None:
    """Count the values before parsing. Strings are removed only if they could change the result."""
    if _count_signs(raw) <= limit:
        return
    signs = _TEXT.sub(b"", raw)
    if signs.count(b"[") != signs.count(b"]") or signs.count(b"{") != signs.count(b"}"):
        raise MalformedRequest((), "The body is not valid JSON: its brackets do not match")
    if (count := _count_signs(signs)) > limit:
        raise invalid("body", f"has more values than any such object: about {count:,}, the limit is {limit:,}")


def _count_signs(raw: bytes) -> int:
    return sum(map(raw.count, (b",", b"[", b"{")))


class _Repeated(ValueError):
    """A JSON object contains a field twice."""


def _read_json(raw: bytes) -> object:
    if _REPLACED in raw:
        raise MalformedRequest((), "The body is not valid UTF-8")
    try:
        content: object = json.loads(raw.decode("utf-8"), object_pairs_hook=_object, parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise MalformedRequest((), f"The body is not valid UTF-8 (at byte {error.start})") from error
    except json.JSONDecodeError as error:
        raise MalformedRequest((), f"The body is not valid JSON: {error.msg} (line {error.lineno})") from error
    except RecursionError as error:
        raise MalformedRequest((), f"The body is nested deeper than {MAX_DEPTH}") from error
    except ValueError as error:
        raise MalformedRequest((), f"The body is not valid JSON: {error}") from error
    _check_values(content)
    return content


def _object(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    content = dict(pairs)
    if len(content) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        raise _Repeated(f"the field {counts.most_common(1)[0][0][:64]!r} appears twice in one object")
    return content


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not a number in JSON")


def _check_values(content: object) -> None:
    """Refuse JSON that no route accepts: too deep, infinite numbers, control characters."""
    problems: list[Problem] = []
    waiting: list[tuple[tuple[str | int, ...], object]] = [((), content)]
    while waiting:
        path, value = waiting.pop()
        if len(path) > MAX_DEPTH:
            raise MalformedRequest((), f"The body is nested deeper than {MAX_DEPTH}")
        if isinstance(value, dict):
            waiting.extend(((*path, name), inner) for name, inner in value.items())
            problems.extend(
                Problem(field_path(path), "has a control character in a name") for n in value if _CONTROL.search(n)
            )
        elif isinstance(value, list):
            waiting.extend(((*path, index), inner) for index, inner in enumerate(value))
        elif isinstance(value, str) and _CONTROL.search(value):
            problems.append(Problem(field_path(path), "has a control character other than tab and line ends"))
        elif value in (float("inf"), float("-inf")):
            raise MalformedRequest((), f"The number at {field_path(path)} is too large")
    if problems:
        raise InvalidRequest(problems)
