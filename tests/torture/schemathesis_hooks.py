"""What schemathesis runs beside its own: counts requests, and asks of every refusal whether the schema could say it.

Loaded by `SCHEMATHESIS_HOOKS`; leaves its figures in the file `API_FIGURES`.
"""

import atexit
import json
import os
import re
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Any

import schemathesis
from schemathesis.specs.openapi.schemas import OpenApiSchema

#: Filters and steps are recursive, and the cases that cover a recursive schema never end.
MOST_COVERAGE_CASES = 1_000
#: How pydantic refuses what its own JSON Schema forbids. What the document allows must never be refused in these
#: words; our validators have others, and what they ask for no JSON Schema can say.
SCHEMA_WORDS = re.compile(
    r"(Input|String|List|Dictionary|Value|Tuple|Decimal|URL|Bytes) should |is required$|is not a known field$|Unable to"
)
#: Which fields a content or settings has goes by the type of the channel; 1.0 is an integer to JSON Schema.
EXCEPTIONS = (
    (re.compile(r"(content|settings)\b|channelUid$"), re.compile(r"is required$|is not a known field$")),
    (re.compile(""), re.compile(r"Input should be a valid integer$")),
)
#: How the document tells of the limit of a body.
LIMIT = re.compile(r"At most ([\d,]+) bytes")
KEY = "Idempotency-Key"
counts: Counter[str] = Counter()


def _limited(self: Any, *arguments: Any, **named: Any) -> Any:
    return islice(_all_cases(self, *arguments, **named), MOST_COVERAGE_CASES)


_all_cases = OpenApiSchema.iter_coverage_cases
OpenApiSchema.iter_coverage_cases = _limited  # type: ignore[method-assign]  # there is no setting for it


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """Send each valid Idempotency-Key once, because a repeated request returns data that may be deleted since."""
    key = (case.headers or {}).get(KEY)
    if key is not None and case.meta is not None and case.meta.generation.mode.is_positive:
        counts["keys"] += 1
        case.headers[KEY] = f"{key[:200]}.{counts['keys']}"


@schemathesis.hook
def after_call(context: Any, case: Any, response: Any) -> None:
    counts["requests"] += 1
    counts[f"{response.status_code // 100}xx"] += 1


@schemathesis.check
def refused_by_a_rule(ctx: Any, response: Any, case: Any) -> None:
    """Stands in for positive_data_acceptance where that would have to be let pass 422 as a whole."""
    if (
        case.meta is None
        or not case.meta.generation.mode.is_positive
        or response.status_code not in {400, 413, 415, 422}
    ):
        return
    counts["refused by a rule"] += 1
    answer = response.json()
    problems = [(each["field"], said) for each in answer["details"] for said in each["message"].split("; ")]
    found = [problem for problem in problems if _could_be_said(*problem)]
    assert response.status_code == 422, f"refused although the document allows it: {response.text[:300]}"
    assert not found, f"refused although the document allows it: {found[:5]}"


@schemathesis.check
def refused_for_its_size(ctx: Any, response: Any, case: Any) -> None:
    """A 413 for what the document forbids is right where the body is larger than the document says, not else."""
    if case.meta is None or not case.meta.generation.mode.is_negative or response.status_code != 413:
        return
    said = LIMIT.search(case.operation.definition.raw["requestBody"]["description"])
    assert said, f"413, and the document names no limit: {response.text[:300]}"
    sent = len(response.request.body or b"")
    assert sent > int(said[1].replace(",", "")), f"{sent} bytes are no more than the limit: {response.text[:300]}"


def _could_be_said(field: str, message: str) -> bool:
    """Return whether a JSON Schema could have expressed this problem."""
    is_excepted = any(fields.match(field) and words.search(message) for fields, words in EXCEPTIONS)
    return bool(SCHEMA_WORDS.match(message)) and not is_excepted


@atexit.register
def _leave_figures() -> None:
    if path := os.environ.get("API_FIGURES"):
        Path(path).write_text(json.dumps(counts), encoding="utf-8")
