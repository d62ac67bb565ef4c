"""Compare the file of a campaign with its draft. Pure: it computes only."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pydantic import JsonValue
from pydantic.alias_generators import to_camel

Fields = Mapping[str, JsonValue]
#: Fields of a file that are compared as wholes: what is left out in them means something.
_WHOLE = frozenset({"steps", "audience", "parameters", "parameterDefaults"})
#: Fields of a response that a file may have, in the order of the file.
WRITABLE = (
    "uid", "name", "description", "availability", "trigger", "audience", "entry", "startGrace", "configuration",
    "channelUid", "templateUid", "templateName", "parameterStrategy", "parameters", "parameterDefaults", "steps",
)  # fmt: skip
_SHORT = frozenset(
    {"channelUid", "templateUid", "templateName", "parameterStrategy", "parameters", "parameterDefaults"}
)


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that would change."""

    field: str
    before: JsonValue
    after: JsonValue


def in_camel(fields: Fields) -> dict[str, JsonValue]:
    """Return the top-level names of the file as the API has them. snake_case is accepted too."""
    return {to_camel(name) if "_" in name else name: value for name, value in fields.items()}


def compare(file: Fields, there: Fields) -> tuple[Difference, ...]:
    """Return the differences. Fields that are absent in the file stay as they are."""
    wanted = {name: value for name, value in file.items() if name != "uid"}
    return tuple(each for name, value in wanted.items() for each in _compare(name, value, there.get(name)))


def _compare(name: str, wanted: JsonValue, there: JsonValue) -> Iterator[Difference]:
    if name in _WHOLE or not isinstance(wanted, dict) or not isinstance(there, dict):
        if wanted != there:
            yield Difference(name, there, wanted)
        return
    for inner, value in wanted.items():
        for each in _compare(inner, value, there.get(inner)):
            yield Difference(f"{name}.{each.field}", each.before, each.after)


def as_file(shown: Fields) -> dict[str, JsonValue]:
    """Return a campaign as the content of a file, in its short form if it was written so."""
    is_short = shown.get("channelUid") is not None
    left_out = {"steps"} if is_short else _SHORT
    return {
        name: shown[name]
        for name in WRITABLE
        if name not in left_out and shown.get(name) not in (None, "", [], {}) and name in shown
    }
