"""The command `carillon`, its options and its groups."""

from collections.abc import Sequence
from typing import Annotated

import typer

from infra.cli import campaigns, contacts, flows
from infra.cli.context import Chosen
from infra.cli.output import Output
from infra.client import Client

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Campaigns of Carillon from the command line. Exit codes: 0 success, 1 problems found, 2 invalid command, "
    "3 differences found by plan --detect, 4 refused by the API, 5 API not reachable.",
)
app.add_typer(campaigns.app, name="campaign")
app.add_typer(contacts.app, name="contacts")
app.add_typer(flows.app, name="flow")
app.add_typer(flows.executions, name="execution")


def run(arguments: Sequence[str]) -> None:
    """Run the command line and exit with the code of the command. `--json` may stand anywhere."""
    rest = [each for each in arguments if each != "--json"]
    app([*(["--json"] if len(rest) < len(arguments) else []), *rest], prog_name="carillon")


@app.callback()
def choose(
    context: typer.Context,
    url: Annotated[str, typer.Option(envvar="CARILLON_URL", help="URL of the API.")] = "http://127.0.0.1:8000",
    key: Annotated[str, typer.Option(envvar="CARILLON_KEY", help="An API key.", show_default=False)] = "",
    is_json: Annotated[bool, typer.Option("--json", help="Write JSON to standard output.")] = False,
) -> None:
    """Read the options before the command."""
    if context.obj is None:
        context.obj = Chosen(Client(url, key), Output(is_json))
