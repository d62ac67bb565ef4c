"""Read contacts from CSV: the meaning of the columns, and each row with its line number or its fault."""

import csv
import io
import re
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from chalicelib.errors import InvalidRequest, Problem
from chalicelib.model.contact import ConsentState, ContactStatus
from chalicelib.model.ids import is_uid
from chalicelib.model.message import MessageType

#: Lines of one record. A longer record has a quote that is never closed.
MAX_LINES = 32
#: Largest row, in bytes. The limits of all fields are far below it.
MAX_RECORD_BYTES = 65_536
#: Added columns of the file of rejected rows. The file can be corrected and imported again.
LINE_COLUMN, REASON_COLUMN = "rejectedLine", "rejectedReason"
_FIELDS = {
    "uid": "uid",
    "externalid": "external_id",
    "email": "email",
    "phone": "phone",
    "firstname": "first_name",
    "lastname": "last_name",
    "locale": "locale",
    "timezone": "timezone",
    "status": "status",
    "tags": "tags",
}
#: A spreadsheet runs a cell that begins with one of these as a formula.
_RUNS = ("=", "+", "-", "@", "\t", "\r")
#: Columns of exported files that an import ignores.
_IGNORED = frozenset({LINE_COLUMN.casefold(), REASON_COLUMN.casefold(), "createdat", "updatedat"})
IDENTIFYING = ("uid", "external_id", "email", "phone")
_ATTRIBUTE = re.compile(r"attributes\.([A-Za-z_][A-Za-z0-9_]{0,63})")
_CONSENT = re.compile(r"consent\.([a-z][a-z0-9_]{0,39})\.(MESSAGE|NEWSLETTER|CONVERSATION)", re.IGNORECASE)
#: Accepted values of a consent column, in lower case.
_STATES = {
    **{state.casefold(): state for state in ConsentState},
    **dict.fromkeys(("yes", "true", "1"), ConsentState.GRANTED),
    **dict.fromkeys(("no", "false", "0"), ConsentState.REVOKED),
}
#: Control characters, and U+FFFD, which replaces invalid UTF-8 when a file is converted.
_UNREADABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\N{REPLACEMENT CHARACTER}]")


@dataclass(frozen=True, slots=True)
class Columns:
    """The header: delimiter, names, and the field of each column. None: the column is ignored."""

    delimiter: str
    names: tuple[str, ...]
    fields: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class CsvRecord:
    """One row as bytes, with the number of its first line and of its lines. `fault`: the reason it cannot be read."""

    line: int
    lines: int
    size: int
    raw: bytes
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One parsed row: its values by Python names, or its fault. `cells` are unchanged."""

    line: int
    cells: tuple[str, ...]
    values: Mapping[str, object]
    fault: str | None = None


def read_header(raw: bytes, mapping: Mapping[str, str | None]) -> Columns:
    """Read the header. Raises InvalidRequest with every column that is unknown, duplicate or mapped to no field."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidRequest([Problem("csv", "the header is not valid UTF-8")]) from error
    delimiter = max(",;\t", key=text.count)
    names = tuple(name.strip() for name in _cells(text, delimiter))
    problems = [Problem(f"mapping.{name}", "is not a column of the file") for name in mapping if name not in set(names)]
    fields = tuple(_field_of(name, mapping, problems) for name in names)
    known = Counter(field for field in fields if field)
    problems += [Problem("csv", f"{field} is in two columns") for field, count in sorted(known.items()) if count > 1]
    if not set(IDENTIFYING) & set(known):
        problems.append(Problem("csv", "the header needs a column uid, externalId, email or phone"))
    if problems:
        raise InvalidRequest(problems)
    return Columns(delimiter, names, fields)


def _field_of(name: str, mapping: Mapping[str, str | None], problems: list[Problem]) -> str | None:
    wanted = mapping.get(name, name)
    if not wanted or wanted.casefold() in _IGNORED:
        return None
    plain = re.sub(r"[\s_-]", "", wanted).casefold()
    if plain in _FIELDS:
        return _FIELDS[plain]
    if _ATTRIBUTE.fullmatch(wanted):
        return wanted
    if match := _CONSENT.fullmatch(wanted):
        return f"consent.{match[1].lower()}.{match[2].upper()}"
    if name in mapping:
        problems.append(Problem(f"mapping.{name}", f"{wanted!r} is not a field; write an attribute as attributes.name"))
    else:
        advice = f"map it to a field, to attributes.{re.sub(r'[^A-Za-z0-9_]', '_', name) or 'name'}, or to null"
        problems.append(Problem("csv", f"the column {name[:64]!r} is not known: {advice}"))
    return None


def read_records(lines: Iterable[bytes], first_line: int) -> Iterator[CsvRecord]:
    """Join the lines of quoted cells. `lines` keep their line ends; a very long line may come in pieces."""
    source = iter(lines)
    ahead: deque[tuple[bytes, int, bool]] = deque()
    number = first_line
    while (line := read_bounded_line(source, ahead)) is not None:
        parts = [line]
        while _is_open(parts) and len(parts) < MAX_LINES and (more := read_bounded_line(source, ahead)) is not None:
            parts.append(more)
        fault = None
        if _is_open(parts):
            ahead.extendleft(reversed(parts[1:]))
            parts, fault = parts[:1], "has a quote that is not closed"
        if any(cut for _, _, cut in parts):
            fault = f"is longer than {MAX_RECORD_BYTES} bytes"
        yield CsvRecord(number, len(parts), sum(p[1] for p in parts), b"".join(p[0] for p in parts), fault)
        number += len(parts)


def read_bounded_line(source: Iterator[bytes], ahead: deque[tuple[bytes, int, bool]]) -> tuple[bytes, int, bool] | None:
    """Return a line, its size in bytes, and whether it was cut because it is too long."""
    if ahead:
        return ahead.popleft()
    text, size = b"", 0
    for piece in source:
        size += len(piece)
        text = text if len(text) > MAX_RECORD_BYTES else text + piece
        if piece.endswith(b"\n"):
            break
    if not size:
        return None
    return (text[:1_024], size, True) if size > MAX_RECORD_BYTES else (text, size, False)


def _is_open(parts: Sequence[tuple[bytes, int, bool]]) -> bool:
    return sum(part[0].count(b'"') for part in parts) % 2 == 1


def read_row(record: CsvRecord, columns: Columns) -> Row | None:
    """Parse a row. None for an empty line."""
    text = record.raw.decode("utf-8", errors="replace").rstrip("\r\n")
    if not text.strip():
        return None
    fault = record.fault
    cells: tuple[str, ...] = (text,)
    if fault is None and _UNREADABLE.search(text):
        fault = "is not valid UTF-8" if "\N{REPLACEMENT CHARACTER}" in text else "has a control character"
    try:
        cells = tuple(_cells(text, columns.delimiter))
    except csv.Error:
        fault = fault or "has quotes in the wrong places"
    if fault is None and len(cells) != len(columns.names):
        fault = f"has {len(cells)} cells; the header has {len(columns.names)}"
    if fault:
        return Row(record.line, cells, {}, fault)
    return _parse_cells(record.line, cells, columns)


def _cells(text: str, delimiter: str) -> list[str]:
    return next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True), [])


def _parse_cells(line: int, cells: tuple[str, ...], columns: Columns) -> Row:
    """Convert cells to values. An empty cell neither sets nor clears a value."""
    values: dict[str, object] = {}
    attributes: dict[str, object] = {}
    consent: dict[str, dict[MessageType, ConsentState]] = {}
    fault = None
    for field, cell in zip(columns.fields, cells, strict=True):
        value = _unescape(cell.strip())
        if field is None or not value:
            continue
        if match := _ATTRIBUTE.fullmatch(field):
            attributes[match[1]] = value
        elif match := _CONSENT.fullmatch(field):
            state = _STATES.get(value.casefold())
            fault = fault if state else f"{field} must be one of {', '.join(ConsentState)}, yes or no"
            if state:
                consent.setdefault(match[1], {})[MessageType(match[2])] = state
        elif field == "tags":
            values[field] = tuple(dict.fromkeys(tag.strip() for tag in value.split(";") if tag.strip()))
        else:
            values[field] = value.upper() if field == "status" else value
    values |= {name: group for name, group in (("attributes", attributes), ("consent", consent)) if group}
    return Row(line, cells, _typed(values), _fault_of(values) or fault)


def _typed(values: Mapping[str, object]) -> Mapping[str, object]:
    status = values.get("status")
    known = next((each for each in ContactStatus if each == status), None)
    return {**values, "status": known} if known else values


def _fault_of(values: Mapping[str, object]) -> str | None:
    status, uid = values.get("status"), values.get("uid")
    if not any(name in values for name in IDENTIFYING):
        return "has no uid, externalId, email or phone"
    if status is not None and status not in set(ContactStatus):
        return f"status must be one of {', '.join(ContactStatus)}"
    if isinstance(uid, str) and not is_uid(uid):
        return "uid may have letters, digits, - and _, 64 at most"
    return None


def write_rejected(rows: Sequence[tuple[Row, str]], columns: Columns) -> str:
    """Return rejected rows as CSV without header: line, reason and original row, safe to open in a spreadsheet."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=columns.delimiter)
    phones = {index for index, field in enumerate(columns.fields) if field == "phone"}
    for row, reason in rows:
        cells = [cell if index in phones else escape_formula(cell) for index, cell in enumerate(row.cells)]
        writer.writerow([str(row.line), escape_formula(reason), *cells])
    return out.getvalue()


def write_rejected_header(columns: Columns) -> str:
    """Return the header of the file of rejected rows."""
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=columns.delimiter).writerow(
        [LINE_COLUMN, REASON_COLUMN, *map(escape_formula, columns.names)]
    )
    return out.getvalue()


def escape_formula(cell: str) -> str:
    """Put a quote before a cell that a spreadsheet would run as a formula."""
    return f"'{cell}" if cell.startswith(_RUNS) else cell


def _unescape(cell: str) -> str:
    """Remove the quote that `escape_formula` has put before a cell of an exported file."""
    return cell[1:] if cell[:1] == "'" and cell[1:].startswith(_RUNS) else cell
