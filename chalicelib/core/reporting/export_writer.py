"""Write contacts and executions as CSV that is safe in a spreadsheet, or as JSON Lines that can be imported."""

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
#: Internal fields, and fields that an import sets itself.
_OMITTED = {"rev", "created_at", "updated_at", "suppressed"}


def write_header(columns: Sequence[str]) -> bytes:
    """Return the header line of a CSV file."""
    return _write_csv([list(columns)])


def write_contacts(contacts: Iterable[Contact], file_format: Format, columns: Sequence[str]) -> bytes:
    """Return one line per contact. CSV has the given columns; JSON Lines have all fields."""
    if file_format is Format.JSON_LINES:
        return b"".join(
            each.model_dump_json(by_alias=True, exclude=_OMITTED, exclude_defaults=True).encode() + b"\n"
            for each in contacts
        )
    return _write_csv([[_cell(each, column) for column in columns] for each in contacts])


def extra_columns(contacts: Iterable[Contact]) -> set[str]:
    """Return the columns of the contacts' attributes and consent."""
    found: set[str] = set()
    for contact in contacts:
        found.update(f"attributes.{name}" for name in contact.attributes)
        found.update(f"consent.{channel}.{kind}" for channel, states in contact.consent.items() for kind in states)
    return found


def write_executions(executions: Iterable[Execution]) -> bytes:
    """Return one CSV line per execution. All messages are in one cell: `hello=sent; remind=skipped(no_consent)`."""
    return _write_csv([_execution_cells(execution) for execution in executions])


def _execution_cells(execution: Execution) -> list[str]:
    messages = (
        f"{node}={result.outcome}{f'({result.reason})' if result.reason else ''}"
        for node, result in execution.results.items()
    )
    return [
        escape_formula(execution.key.contact),
        str(execution.key.entry),
        execution.status,
        escape_formula(execution.reason or ""),
        execution.node or "",
        str(execution.attempt),
        rfc3339(execution.created),
        rfc3339(execution.updated),
        rfc3339(execution.due) if execution.due else "",
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
