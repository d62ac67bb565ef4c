"""Contacts and executions as lines of a file: CSV that a spreadsheet may open, or JSON Lines that import as is."""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from datetime import date

from chalicelib.core.contacts.csv_reader import escape_formula
from chalicelib.model.base import rfc3339
from chalicelib.model.contact import PLAIN_FIELDS, Contact
from chalicelib.model.execution import Execution
from chalicelib.model.import_job import Format

CONTACT_COLUMNS = (
    "uid", "externalId", "email", "phone", "firstName", "lastName", "locale", "timezone", "status", "tags",
    "createdAt", "updatedAt",
)  # fmt: skip
EXECUTION_COLUMNS = (
    "contactUid", "entry", "status", "reason", "nodeId", "attempt", "createdAt", "updatedAt", "dueAt", "messages",
)  # fmt: skip
#: Not for others to read, or made anew by an import.
_OWN = {"rev", "created_at", "updated_at", "suppressed"}


def write_header(columns: Sequence[str]) -> bytes:
    """The first line of a CSV."""
    return _write_csv([list(columns)])


def write_contacts(contacts: Iterable[Contact], file_format: Format, columns: Sequence[str]) -> bytes:
    """`columns` are those of the header; JSON Lines have all that there is."""
    if file_format is Format.JSON_LINES:
        return b"".join(
            each.model_dump_json(by_alias=True, exclude=_OWN, exclude_defaults=True).encode() + b"\n"
            for each in contacts
        )
    return _write_csv([[_cell(each, column) for column in columns] for each in contacts])


def extra_columns(contacts: Iterable[Contact]) -> set[str]:
    """Columns that only some contacts have: attributes and consent."""
    found: set[str] = set()
    for contact in contacts:
        found.update(f"attributes.{name}" for name in contact.attributes)
        found.update(f"consent.{channel}.{kind}" for channel, said in contact.consent.items() for kind in said)
    return found


def write_executions(rows: Iterable[Execution]) -> bytes:
    """Messages in one cell: `hello=sent; remind=skipped(no_consent)`."""
    return _write_csv([_execution_cells(row) for row in rows])


def _execution_cells(row: Execution) -> list[str]:
    messages = (
        f"{node}={result.outcome}{f'({result.reason})' if result.reason else ''}"
        for node, result in row.results.items()
    )
    return [
        escape_formula(row.key.contact),
        str(row.key.entry),
        row.status,
        escape_formula(row.reason or ""),
        row.node or "",
        str(row.attempt),
        rfc3339(row.created),
        rfc3339(row.updated),
        rfc3339(row.due) if row.due else "",
        escape_formula("; ".join(messages)),
    ]


def _cell(contact: Contact, column: str) -> str:
    root, _, rest = column.partition(".")
    if root == "attributes":
        return _attribute(contact.attributes.get(rest))
    if root == "consent":
        channel, _, kind = rest.partition(".")
        return next((state for name, state in contact.consent.get(channel, {}).items() if name == kind), "")
    if column == "phone":
        return contact.phone or ""
    if column == "tags":
        return escape_formula(";".join(contact.tags))
    if column in {"createdAt", "updatedAt"}:
        return rfc3339(contact.created_at if column == "createdAt" else contact.updated_at)
    return escape_formula(str(getattr(contact, PLAIN_FIELDS[column]) or ""))


def _attribute(value: object) -> str:
    if isinstance(value, str):
        return escape_formula(value)
    if isinstance(value, date):
        return value.isoformat()
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def _write_csv(rows: Iterable[Sequence[str]]) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out).writerows(rows)
    return out.getvalue().encode()
