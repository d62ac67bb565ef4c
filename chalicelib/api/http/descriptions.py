"""Descriptions of the properties in the OpenAPI document: the string after a field of a model.

They are read from the source when the document is built. `use_attribute_docstrings` of Pydantic would read the source
of every model at each cold start.
"""

import ast
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from inspect import cleandoc, getsource
from typing import Any, cast

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema


@cache
def field_descriptions(model: type[BaseModel]) -> Mapping[str, str]:
    """Return the descriptions of a model's fields by name, inherited ones included."""
    found: dict[str, str] = {}
    for base in reversed(model.__mro__):
        if issubclass(base, BaseModel) and base is not BaseModel:
            found |= _of_module(base.__module__).get(base.__qualname__, {})
    return found


@cache
def _of_module(name: str) -> Mapping[str, Mapping[str, str]]:
    tree = ast.parse(getsource(sys.modules[name]))
    return {node.name: dict(_of_class(node)) for node in tree.body if isinstance(node, ast.ClassDef)}


def _of_class(node: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for field, text in zip(node.body, node.body[1:], strict=False):
        match field, text:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(description))):
                yield name, " ".join(cleandoc(description).split())


class DescribedSchema(GenerateJsonSchema):
    """JSON Schemas whose properties have the descriptions that follow the fields in the source."""

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        """Return the schema of a model with its descriptions."""
        made = super().model_schema(schema)
        model = cast("type[BaseModel]", schema["cls"])
        properties: dict[str, dict[str, Any]] = made.get("properties", {})
        for name, text in field_descriptions(model).items():
            field = model.model_fields.get(name)
            shown = properties.get((field.alias or name) if field else name)
            if shown is not None:
                shown["description"] = text
        return made
