"""`carillon campaign`: campaigns as files, compared and applied."""

from pathlib import Path
from typing import Annotated

import typer
from pydantic import JsonValue

from infra.cli.context import Chosen, chosen
from infra.cli.files import read_file, write_text
from infra.cli.output import Exit, answering, build_table, dump
from infra.cli.plan import Difference, as_file, compare
from infra.client import Client

app = typer.Typer(no_args_is_help=True, help="Campaigns as YAML files.")
File = Annotated[Path, typer.Argument(help="A campaign as YAML: the fields of POST /v1/campaigns, and perhaps uid.")]
Uid = Annotated[str, typer.Argument(help="The campaign's uid.")]


@app.command()
def validate(
    context: typer.Context,
    what: Annotated[str, typer.Argument(help="A uid, or a file that was applied.")],
) -> None:
    """Show all problems of the draft. Exit code 1 if there is one."""
    ready = chosen(context)
    with answering(ready.output):
        uid = what if not Path(what).exists() else _find(ready, read_file(Path(what), ready.output))
        if uid is None:
            ready.output.note(f"{what}: no such campaign yet: apply it first, as a draft sends nothing")
            raise typer.Exit(Exit.BAD)
        found = ready.client.campaigns.validate(uid)
    rows = [("error", each.step_id, each.field, each.message) for each in found.errors]
    rows += [("warning", each.step_id, each.field, each.message) for each in found.warnings]
    title = "The draft is valid" if found.valid else "The draft has problems"
    ready.output.show(dump(found), build_table(title, ("", "step", "field", "what"), rows) if rows else title)
    raise typer.Exit(Exit.GOOD if found.valid else Exit.BAD)


@app.command()
def plan(
    context: typer.Context,
    file: File,
    detect: Annotated[bool, typer.Option("--detect", help="Exit with code 3 if something would change.")] = False,
) -> None:
    """Show what apply would change, and how many executions wait at each step."""
    ready = chosen(context)
    with answering(ready.output):
        fields = read_file(file, ready.output)
        uid = _find(ready, fields)
        differences = _differences(ready.client, uid, fields) if uid else ()
        waiting = _waiting(ready.client, uid) if uid else {}
    action = "create" if uid is None else "change" if differences else "nothing"
    rows = [(each.field, _short(each.before), _short(each.after)) for each in differences]
    shown: JsonValue = {
        "action": action,
        "uid": uid,
        "differences": [{"field": d.field, "before": d.before, "after": d.after} for d in differences],
        "waiting": dict(waiting),
    }
    ready.output.show(shown, build_table(f"Would do: {action}", ("field", "there", "in the file"), rows))
    if waiting and not ready.output.is_json:
        ready.output.show(None, build_table("Executions that are under way", ("step", "here"), list(waiting.items())))
    raise typer.Exit(Exit.DIFFERENT if detect and action != "nothing" else Exit.GOOD)


@app.command()
def apply(context: typer.Context, file: File) -> None:
    """Apply a file to the draft. Repeating changes nothing, and running flows keep their version."""
    ready = chosen(context)
    with answering(ready.output):
        fields = read_file(file, ready.output)
        uid = _find(ready, fields)
        body = {name: value for name, value in fields.items() if name != "uid"}
        if uid is None:
            action, campaign = "created", ready.client.campaigns.create(body)
        elif _differences(ready.client, uid, fields):
            action, campaign = "changed", ready.client.campaigns.change(uid, body)
        else:
            action, campaign = "unchanged", ready.client.campaigns.get(uid)
    ready.output.show({"action": action, "uid": campaign.uid}, f"{action} {campaign.uid}")


@app.command()
def export(context: typer.Context, uid: Uid) -> None:
    """Write the campaign as a file."""
    ready = chosen(context)
    with answering(ready.output):
        fields = as_file(_get(ready.client, uid))
    if ready.output.is_json:
        ready.output.show(fields, "")
    else:
        typer.echo(write_text(fields), nl=False)


def _find(ready: Chosen, fields: dict[str, JsonValue]) -> str | None:
    """Find the campaign of a file by its uid or its exact name. Ends the command if it is ambiguous."""
    if "uid" in fields:
        return str(fields["uid"])
    name = fields.get("name")
    if not isinstance(name, str) or not name:
        ready.output.note("The file needs a name or a uid, so that its campaign can be found")
        raise typer.Exit(Exit.BAD)
    named = [each.uid for each in ready.client.campaigns.list(name) if each.name == name]
    if len(named) > 1:
        ready.output.note(f"{len(named)} campaigns are called {name!r}: write the uid of one into the file")
        raise typer.Exit(Exit.BAD)
    return named[0] if named else None


def _get(client: Client, uid: str) -> dict[str, JsonValue]:
    """Return the campaign exactly as the API returns it."""
    data = client.calls.plain(f"GET /v1/campaigns/{uid}").get("data")
    return data if isinstance(data, dict) else {}


def _differences(client: Client, uid: str, fields: dict[str, JsonValue]) -> tuple[Difference, ...]:
    return compare(fields, _get(client, uid))


def _waiting(client: Client, uid: str) -> dict[str, JsonValue]:
    nodes = client.campaigns.status(uid).nodes
    return {name: node["here"] for name, node in nodes.items() if node.get("here")}


def _short(value: JsonValue) -> str:
    text = write_text({"": value}).removeprefix("'':").strip()
    return text if len(text) <= 400 else f"{text[:400]}…"
