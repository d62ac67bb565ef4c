"""The context of every command: client and output."""

from dataclasses import dataclass
from typing import cast

import typer

from infra.cli.output import Output
from infra.client import Client


@dataclass(frozen=True, slots=True)
class Chosen:
    """The options before the command."""

    client: Client
    output: Output


def chosen(context: typer.Context) -> Chosen:
    """Return the options of this run."""
    return cast("Chosen", context.obj)
