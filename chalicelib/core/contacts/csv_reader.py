"""Reads contacts out of CSV: what the columns mean, and each row with its line or with why it cannot be one."""

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

#: A record that spans more lines than this has a quote that was never closed.
MAX_LINES = 32
#: Longer rows are no contacts: every field has a limit far below.
MAX_RECORD_BYTES = 65_536
#: Columns of the file of rejected rows, which may be mended and imported again.
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
#: A cell that begins so is a formula to a spreadsheet.
_RUNS = ("=", "+", "-", "@", "\t", "\r")
#: Columns of our own files that are nobody's to set.
_IGNORED = frozenset({LINE_COLUMN.casefold(), REASON_COLUMN.casefold(), "createdat", "updatedat"})
IDENTIFYING = ("uid", "external_id", "email", "phone")
_ATTRIBUTE = re.compile(r"attributes\.([A-Za-z_][A-Za-z0-9_]{0,63})")
_CONSENT = re.compile(r"consent\.([a-z][a-z0-9_]{0,39})\.(MESSAGE|NEWSLETTER|CONVERSATION)", re.IGNORECASE)
#: What people write into a column of consent, besides the states themselves.
_STATES = {
    **{state.casefold(): state for state in ConsentState},
    **dict.fromkeys(("yes", "true", "1"), ConsentState.GRANTED),
    **dict.fromkeys(("no", "false", "0"), ConsentState.REVOKED),
}
#: U+FFFD stands where bytes were not UTF-8 before somebody converted the file.
_UNREADABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\N{REPLACEMENT CHARACTER}]")


@dataclass(frozen=True, slots=True)
class Columns:
    """The header: how cells are divided, what they are called, and the field of each (None is left out)."""

    delimiter: str
    names: tuple[str, ...]
    fields: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class CsvRecord:
    """One row as bytes: its first line's number, and how many lines it has. `fault` says why it cannot be read."""

    line: int
    lines: int
    size: int
    raw: bytes
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One row read: what it says by python names, or its fault; `cells` as they stood."""

    line: int
    cells: tuple[str, ...]
    given: Mapping[str, object]
    fault: str | None = None


def read_header(raw: bytes, mapping: Mapping[str, str | None]) -> Columns:
    """InvalidRequest with every column that is unknown, doubled or mapped to nothing known."""
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
        problems.append(Problem(f"mapping.{name}", f"{wanted!r} is no field; an attribute is written attributes.name"))
    else:
        advice = f"map it to a field, to attributes.{re.sub(r'[^A-Za-z0-9_]', '_', name) or 'name'}, or to null"
        problems.append(Problem("csv", f"the column {name[:64]!r} is not known: {advice}"))
    return None


def read_records(lines: Iterable[bytes], first_line: int) -> Iterator[CsvRecord]:
    """Joins the lines of quoted cells. `lines` keep their ends; one that is very long may come in pieces."""
    source = iter(lines)
    ahead: deque[tuple[bytes, int, bool]] = deque()
    number = first_line
    while (taken := read_bounded_line(source, ahead)) is not None:
        parts = [taken]
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
    """A whole line: what is kept of it, its size, and whether something was cut off."""
    if ahead:
        return ahead.popleft()
    kept, size = b"", 0
    for piece in source:
        size += len(piece)
        kept = kept if len(kept) > MAX_RECORD_BYTES else kept + piece
        if piece.endswith(b"\n"):
            break
    if not size:
        return None
    return (kept[:1_024], size, True) if size > MAX_RECORD_BYTES else (kept, size, False)


def _is_open(parts: Sequence[tuple[bytes, int, bool]]) -> bool:
    return sum(part[0].count(b'"') for part in parts) % 2 == 1


def read_row(record: CsvRecord, columns: Columns) -> Row | None:
    """None for an empty line."""
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
    return _with_meaning(record.line, cells, columns)


def _cells(text: str, delimiter: str) -> list[str]:
    return next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True), [])


def _with_meaning(line: int, cells: tuple[str, ...], columns: Columns) -> Row:
    """Empty cells say nothing: they neither set nor clear."""
    given: dict[str, object] = {}
    attributes: dict[str, object] = {}
    consent: dict[str, dict[MessageType, ConsentState]] = {}
    fault = None
    for field, cell in zip(columns.fields, cells, strict=True):
        value = _unguard(cell.strip())
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
            given[field] = tuple(dict.fromkeys(tag.strip() for tag in value.split(";") if tag.strip()))
        else:
            given[field] = value.upper() if field == "status" else value
    given |= {name: said for name, said in (("attributes", attributes), ("consent", consent)) if said}
    return Row(line, cells, _typed(given), _fault_of(given) or fault)


def _typed(given: Mapping[str, object]) -> Mapping[str, object]:
    status = given.get("status")
    known = next((each for each in ContactStatus if each == status), None)
    return {**given, "status": known} if known else given


def _fault_of(given: Mapping[str, object]) -> str | None:
    status, uid = given.get("status"), given.get("uid")
    if not any(name in given for name in IDENTIFYING):
        return "has no uid, externalId, email or phone"
    if status is not None and status not in set(ContactStatus):
        return f"status must be one of {', '.join(ContactStatus)}"
    if isinstance(uid, str) and not is_uid(uid):
        return "uid may have letters, digits, - and _, 64 at most"
    return None


def write_rejected(rows: Sequence[tuple[Row, str]], columns: Columns) -> str:
    """Rejected rows as CSV without its header: line, reason, and the row as it stood, safe to open in a spreadsheet."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=columns.delimiter)
    phones = {index for index, field in enumerate(columns.fields) if field == "phone"}
    for row, reason in rows:
        cells = [cell if index in phones else escape_formula(cell) for index, cell in enumerate(row.cells)]
        writer.writerow([str(row.line), escape_formula(reason), *cells])
    return out.getvalue()


def write_rejected_header(columns: Columns) -> str:
    """Its header."""
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=columns.delimiter).writerow(
        [LINE_COLUMN, REASON_COLUMN, *map(escape_formula, columns.names)]
    )
    return out.getvalue()


def escape_formula(cell: str) -> str:
    """A spreadsheet would run a cell that begins like a formula."""
    return f"'{cell}" if cell.startswith(_RUNS) else cell


def _unguard(cell: str) -> str:
    """What was guarded in a file of ours is read as it was."""
    return cell[1:] if cell[:1] == "'" and cell[1:].startswith(_RUNS) else cell
