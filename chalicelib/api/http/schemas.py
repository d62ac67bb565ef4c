"""Convert Pydantic's JSON Schemas for readers and client generators: unique names and complete schemas."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

Json = dict[str, Any]
REF = "#/components/schemas/{model}"
#: Keywords that hold schemas by name, one schema, or a list of schemas.
_BY_NAME = frozenset({"properties", "patternProperties"})
_ONE = frozenset({"items", "additionalProperties", "not", "propertyNames", "contains"})
_SEVERAL = frozenset({"anyOf", "oneOf", "allOf", "prefixItems"})


def titles_without_suffix(schemas: Mapping[str, Json]) -> Mapping[str, str]:
    """Return the public name of each component. A suffix separates request and response models of the same name."""
    plain = {name: name.removesuffix("-Input").replace("-Output", "Shown").lstrip("_") for name in schemas}
    if len(set(plain.values())) < len(plain):
        raise ValueError("two models have one name in the OpenAPI document")
    return plain


def normalise_schema(schemas: Mapping[str, Json], names: Mapping[str, str]) -> dict[str, Json]:
    """Return the schemas under their public names."""
    made = {names[name]: _walk(schema, lambda each: _mend(each, names)) for name, schema in schemas.items()}
    for name, tag in {pair for schema in made.values() for pair in discriminated(schema)}:
        made[name] = with_tag(made[name], tag)
    return {name: {"title": name, **schema} for name, schema in sorted(made.items())}


def rename(ref: Json, names: Mapping[str, str]) -> Json:
    """Return a reference by the public name."""
    place, _, name = ref["$ref"].rpartition("/")
    return {**ref, "$ref": f"{place}/{names.get(name, name)}"}


def discriminated(schema: object) -> Iterable[tuple[str, str]]:
    """Return the members of unions with their discriminator fields."""
    if isinstance(schema, dict):
        choice = schema.get("discriminator")
        if isinstance(choice, dict) and isinstance(choice.get("mapping"), dict):
            yield from ((ref.rpartition("/")[2], choice["propertyName"]) for ref in choice["mapping"].values())
    inner = schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ()
    for each in inner:
        yield from discriminated(each)


def with_tag(schema: Json, tag: str) -> Json:
    """Make the discriminator of a union member required."""
    required = schema.get("required", [])
    return {**schema, "required": required if tag in required else [tag, *required]}


def _walk(schema: Any, mend: Callable[[Json], Json]) -> Any:
    """Yield all nested schemas, innermost first."""
    if not isinstance(schema, dict):
        return schema
    found: Json = {}
    for key, value in schema.items():
        if key in _BY_NAME:
            found[key] = {name: _walk(inner, mend) for name, inner in value.items()}
        elif key in _ONE:
            found[key] = _walk(value, mend)
        elif key in _SEVERAL:
            found[key] = [_walk(inner, mend) for inner in value]
        else:
            found[key] = value
    return mend(found)


def _mend(schema: Json, names: Mapping[str, str]) -> Json:
    """Return a schema with public names, without titles that repeat field names, with closed patterns."""
    mended = {key: value for key, value in schema.items() if key != "title"}
    if "$ref" in mended:
        mended = rename(mended, names)
    if "mapping" in mended.get("discriminator", {}):
        mapping = {tag: rename({"$ref": ref}, names)["$ref"] for tag, ref in mended["discriminator"]["mapping"].items()}
        mended["discriminator"] = {**mended["discriminator"], "mapping": mapping}
    if "patternProperties" in mended:
        mended["additionalProperties"] = False
    if isinstance(mended.get("default"), dict) and mended["default"]:
        # Client generators do not support a default that is an object of another model.
        del mended["default"]
    return mended
