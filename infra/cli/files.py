"""Read and write campaigns as YAML files."""

from pathlib import Path

import typer
import yaml
from pydantic import JsonValue

from infra.cli.output import Exit, Output
from infra.cli.plan import in_camel


def read_file(path: Path, output: Output) -> dict[str, JsonValue]:
    """Read the fields of a file. Ends the command with BAD if it is not a campaign."""
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506  a safe loader
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        output.note(f"{path}: {error}")
        raise typer.Exit(Exit.BAD) from error
    if not isinstance(content, dict) or not all(isinstance(name, str) for name in content):
        output.note(f"{path}: is not a campaign: its fields belong at the top, as name: Welcome")
        raise typer.Exit(Exit.BAD)
    return in_camel(content)


def write_text(fields: dict[str, JsonValue]) -> str:
    """Return the text of a file."""
    return yaml.safe_dump(fields, sort_keys=False, allow_unicode=True, width=120)


class _Loader(yaml.SafeLoader):
    """A YAML loader that reads times and on/off words as texts, as in JSON."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in known if tag != "tag:yaml.org,2002:timestamp"]
    for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
