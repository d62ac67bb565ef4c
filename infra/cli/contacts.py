"""`carillon contacts`: imports with their progress."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from chalicelib.api.responses.files import ImportResponse
from infra.cli.context import Chosen, chosen
from infra.cli.output import Exit, answering, dump, facts

app = typer.Typer(no_args_is_help=True, help="Contacts.")
POLL_SECONDS = 0.5


@app.callback()
def _group() -> None:
    """Group the commands for contacts."""


@app.command("import")
def import_contacts(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV with a header, or .jsonl.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check every row without storing it.")] = False,
) -> None:
    """Import a file of any size. Exit code 1 if rows were rejected."""
    ready = chosen(context)
    with answering(ready.output):
        task = ready.client.contacts.begin_import(file.read_bytes(), _plain_name(file), dry_run=dry_run)
        done = watch_import(ready, task, time.sleep)
    told = ("status", "rows", "created", "updated", "skipped", "rejected", "fault", "rejectedUrl")
    shown = dump(done)
    ready.output.show(shown, facts("Import", {name: shown[name] for name in told if shown[name] is not None}))
    is_good = done.status == "completed" and not done.rejected
    raise typer.Exit(Exit.GOOD if is_good else Exit.BAD)


def watch_import(ready: Chosen, task: ImportResponse, sleep: Callable[[float], None]) -> ImportResponse:
    """Wait for the end of the import. The progress bar goes to standard error."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("bytes"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("Importing", total=task.total_bytes or None)
        while task.status not in {"completed", "failed"}:
            sleep(POLL_SECONDS)
            task = ready.client.contacts.get_import(task.uid)
            progress.update(bar, completed=task.offset, total=task.total_bytes or None)
    return task


def _plain_name(file: Path) -> str:
    """Return a file name that the API accepts."""
    name = "".join(each if each.isascii() and (each.isalnum() or each in "._-") else "_" for each in file.name)
    return name.lstrip(".")[-128:] or "contacts.csv"
