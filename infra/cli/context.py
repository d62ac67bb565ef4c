"""What every command is given: the client and the way of talking."""

from dataclasses import dataclass
from typing import cast

import typer

from infra.cli.output import Output
from infra.client import Client


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the options before the command have chosen."""

    client: Client
    output: Output


def chosen(context: typer.Context) -> Chosen:
    """The choice of this run."""
    return cast("Chosen", context.obj)
