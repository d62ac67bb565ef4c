"""Output of the command line: tables, JSON, and exit codes for CI."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum

import typer
from pydantic import BaseModel, JsonValue
from rich.console import Console
from rich.table import Table

from infra.client import Refused, Unreachable


class Exit(IntEnum):
    """Exit codes. Typer uses 2 for an invalid command."""

    GOOD = 0
    #: What was looked at is not as it should be: an invalid campaign, rejected rows, a flow that failed.
    BAD = 1
    #: `plan --detect` found differences.
    DIFFERENT = 3
    #: The API refused.
    REFUSED = 4
    #: The API could not be reached.
    UNREACHABLE = 5


@dataclass(frozen=True, slots=True)
class Output:
    """The output. With `is_json` only JSON goes to standard output."""

    is_json: bool

    def show(self, data: JsonValue, people: Table | str) -> None:
        """Print a result as JSON or as a table."""
        if self.is_json:
            sys.stdout.write(json.dumps(data, ensure_ascii=False) + "\n")
        else:
            Console().print(people)

    def note(self, text: str) -> None:
        """Print a note to standard error."""
        Console(stderr=True).print(text, markup=False)


def dump(model: BaseModel) -> dict[str, JsonValue]:
    """Return a model as the API writes it."""
    shown: dict[str, JsonValue] = model.model_dump(mode="json", by_alias=True)
    return shown


def build_table(title: str, heads: Sequence[str], rows: Sequence[Sequence[object]]) -> Table:
    """Build a table of texts without markup."""
    table = Table(title=title, title_justify="left")
    for head in heads:
        table.add_column(head, overflow="fold")
    for row in rows:
        table.add_row(*(_plain("" if cell is None else str(cell)) for cell in row))
    return table


def _plain(text: str) -> str:
    return text.replace("[", "\\[")


def facts(title: str, of: Mapping[str, object]) -> Table:
    """Build a table of names and values."""
    return build_table(title, ("", ""), [(name, value) for name, value in of.items()])


@contextmanager
def answering(output: Output) -> Iterator[None]:
    """Print an error of the API and return its exit code."""
    try:
        yield
    except Refused as refused:
        lines = "".join(f"\n  {each.get('field')}: {each.get('message')}" for each in refused.details)
        if output.is_json:
            sys.stdout.write(json.dumps(refused.content, ensure_ascii=False) + "\n")
        output.note(f"{refused.code}: {refused}{lines}\n(request {refused.request_id})")
        raise typer.Exit(Exit.REFUSED) from refused
    except Unreachable as error:
        output.note(str(error))
        raise typer.Exit(Exit.UNREACHABLE) from error
