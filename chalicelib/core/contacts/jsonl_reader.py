"""Read contacts from JSON Lines: one object per line, with the fields of a contact."""

import json
import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping

from pydantic import ValidationError

from chalicelib.core.contacts.csv_reader import (
    IDENTIFYING,
    MAX_RECORD_BYTES,
    Columns,
    CsvRecord,
    Row,
    read_bounded_line,
)
from chalicelib.model.base import Uid
from chalicelib.model.contact import ContactFields
from chalicelib.model.validation_problems import validation_problems

#: Rejected rows are written as CSV, with the original line in one cell.
COLUMNS = Columns(",", ("row",), (None,))
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class _Line(ContactFields):
    uid: Uid | None = None


def read_lines(lines: Iterable[bytes], first_line: int) -> Iterator[CsvRecord]:
    """Yield one record per line. A very long line may come in pieces."""
    source, number = iter(lines), first_line
    while (line := read_bounded_line(source, deque())) is not None:
        raw, size, is_cut = line
        yield CsvRecord(number, 1, size, raw, f"is longer than {MAX_RECORD_BYTES} bytes" if is_cut else None)
        number += 1


def read_json_line(record: CsvRecord, mapping: Mapping[str, str | None]) -> Row | None:
    """Parse the contact of one line. None for an empty line."""
    text = record.raw.decode("utf-8", errors="replace").strip().removeprefix("\ufeff")
    if not text and record.fault is None:
        return None
    fault = record.fault or ("is not valid UTF-8" if "\N{REPLACEMENT CHARACTER}" in text else None)
    cells = (_CONTROL.sub(" ", text),)
    if fault:
        return Row(record.line, cells, {}, fault)
    try:
        values = _read(text, mapping)
    except ValidationError as error:
        problems = validation_problems(error)
        return Row(record.line, cells, {}, "; ".join(f"{each.field} {each.message}" for each in problems))
    except (ValueError, RecursionError) as error:
        return Row(record.line, cells, {}, "is nested too deep" if isinstance(error, RecursionError) else str(error))
    known = any(values.get(name) is not None for name in IDENTIFYING)
    return Row(record.line, cells, values, None if known else "has no uid, externalId, email or phone")


def _read(text: str, mapping: Mapping[str, str | None]) -> Mapping[str, object]:
    try:
        found: object = json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise ValueError(f"is not valid JSON: {error.msg}") from error
    if not isinstance(found, dict):
        raise ValueError("is not a JSON object")  # noqa: TRY004 - all faults of a line are one kind of error
    if _CONTROL.search(json.dumps(found, ensure_ascii=False).replace("\\u00", "\x00")):
        raise ValueError("has a control character")
    line = _Line.model_validate_json(json.dumps(_renamed(found, mapping)))
    return {name: getattr(line, name) for name in line.model_fields_set}


def _no_constant(name: str) -> object:
    raise ValueError(f"has {name}, which is not a number in JSON")


def _renamed(found: Mapping[str, object], mapping: Mapping[str, str | None]) -> Mapping[str, object]:
    """Apply the mapping: each name becomes a field or `attributes.<name>`, or is removed."""
    fields: dict[str, object] = {}
    attributes: dict[str, object] = {}
    for name, value in found.items():
        wanted = mapping.get(name, name)
        if wanted is None:
            continue
        root, _, attribute = wanted.partition(".")
        if root == "attributes" and attribute:
            attributes[attribute] = value
        elif wanted == "attributes" and isinstance(value, dict):
            attributes |= value
        else:
            fields[wanted] = value
    return {**fields, "attributes": attributes} if attributes else fields
