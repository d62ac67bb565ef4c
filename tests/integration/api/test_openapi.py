"""The OpenAPI document: every route, true examples, and the file that is checked in."""

import json
import os
from typing import Any

import pytest

from app import app
from chalicelib.api.http import openapi
from chalicelib.api.http.call import NoData
from chalicelib.api.http.routes import ROUTES, ResponseForm
from infra.openapi import FILE, render
from tests.integration.conftest import Api
from tests.integration.example_recorder import record
from tests.integration.harness import Story, story

__all__ = ["story"]


def test_the_file_is_what_the_code_says() -> None:
    """Run `make openapi` after a change of the API."""
    assert FILE.read_text(encoding="utf-8") == render()


def test_the_api_serves_the_same_document(api: Api) -> None:
    api.key = None
    reply = api.get("/openapi.json")
    assert reply.status == 200
    assert reply.json == json.loads(FILE.read_text(encoding="utf-8"))


def test_every_route_of_chalice_is_in_it_with_its_scope() -> None:
    document = json.loads(render())
    bare = {route.path.removeprefix("/v1"): route.path for route in ROUTES if route.is_bare}
    served = {(bare.get(path, path), method.lower()) for path, methods in app.routes.items() for method in methods}
    told = {(path, method) for path, methods in document["paths"].items() for method in methods}
    unregistered = served - told
    assert {path for path, _ in unregistered} <= {"/", "/preview", "/assets/{name}"}, "routes beside endpoint()"
    assert told <= served
    for route in ROUTES:
        operation = document["paths"][route.path][route.method.lower()]
        assert operation["x-scope"] == (route.scope.value if route.scope else None)
        assert operation["summary"], route.name


#: Routes that need no key, and why.
OPEN = {
    "GET /health": "monitors have none",
    "GET /openapi.json": "it is public",
    "GET /docs": "it shows the public document",
    "GET /docs/{name}": "its script and style",
    "GET /u/{token}": "the recipient of the mail has the link",
    "POST /u/{token}": "the same",
    "GET /c/{token}": "the same",
    "POST /c/{token}": "the same",
    "GET /l/{token}": "the same",
    "GET /o/{token}": "the same",
    "POST /v1/hooks/{uid}": "providers have none: the signature opens",
    "GET /v1/hooks/{uid}": "providers have none: the token that they repeat opens",
}


def test_a_route_without_a_scope_is_meant_to_be_open() -> None:
    assert {route.name for route in ROUTES if route.scope is None} == set(OPEN)


def test_every_operation_has_a_name_of_its_own() -> None:
    document = json.loads(render())
    names = [operation["operationId"] for methods in document["paths"].values() for operation in methods.values()]
    assert len(names) == len(set(names))


def test_every_reference_leads_somewhere() -> None:
    document = json.loads(render())

    def references(value: Any) -> list[str]:
        if isinstance(value, dict):
            own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
            return own + [each for inner in value.values() for each in references(inner)]
        return [each for inner in value for each in references(inner)] if isinstance(value, list) else []

    for reference in set(references({name: document[name] for name in ("paths", "components")})):
        here: Any = document
        for part in reference.removeprefix("#/").split("/"):
            here = here[part]


@pytest.mark.parametrize(
    ("path", "content_type"),
    [("/docs", "text/html"), ("/docs/page.js", "text/javascript"), ("/docs/page.css", "text/css")],
)
def test_the_page_is_served_whole_and_loads_nothing_from_elsewhere(api: Api, path: str, content_type: str) -> None:
    api.key = None
    reply = api.get(path)
    assert (reply.status, reply.headers["content-type"].partition(";")[0]) == (200, content_type)
    assert "http://" not in reply.text.replace("http://127.0.0.1", "")
    assert "https://" not in reply.text
    assert "innerHTML" not in reply.text
    policy = api.get("/docs").headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert api.get("/docs/other.js").status == 404


@pytest.fixture
def examples(story: Story) -> dict[str, Any]:
    return record(story)


def test_the_examples_are_what_the_api_answers(examples: dict[str, Any]) -> None:
    """Run `make openapi` after a change of a response."""
    if os.environ.get("RECORD_EXAMPLES"):
        text = json.dumps(examples, ensure_ascii=False, indent=1, sort_keys=True)
        openapi.EXAMPLES.write_text(text + "\n", encoding="utf-8")
    assert examples == json.loads(openapi.EXAMPLES.read_text(encoding="utf-8"))
    undocumented = {route.name for route in ROUTES if route.scope} - set(examples)
    assert undocumented == set()
    for route in ROUTES:
        answer, spec = examples.get(route.name, {}).get("answer"), route.response
        if spec.model is NoData or answer is None:
            continue
        data = answer if spec.form is ResponseForm.BARE else answer["data"]
        found = data if spec.form is ResponseForm.PAGE else [data]
        for each in found:
            spec.model.model_validate_json(json.dumps(each))


def _words(text: str) -> list[str]:
    separate = "".join(f" {letter}" if letter.isupper() else letter for letter in text)
    return [word.strip(".,;:`") for word in separate.casefold().split()]


def test_every_parameter_is_described() -> None:
    document = json.loads(render())
    operations = [each for methods in document["paths"].values() for each in methods.values()]
    parameters = [each for operation in operations for each in operation["parameters"]]
    assert {each["name"] for each in parameters if not each.get("description")} == set()


def _undescribed(schema: object, path: str) -> list[str]:
    """Return the paths of all properties without a description, also of schemas inside of other schemas."""
    if isinstance(schema, list):
        return [found for each in schema for found in _undescribed(each, path)]
    if not isinstance(schema, dict):
        return []
    properties = schema.get("properties", {})
    own = [f"{path}.{name}" for name, each in properties.items() if not each.get("description")]
    inner = [found for name, each in properties.items() for found in _undescribed(each, f"{path}.{name}")]
    parts = [schema.get(keyword) for keyword in ("anyOf", "oneOf", "allOf", "items", "additionalProperties")]
    return own + inner + [found for each in parts for found in _undescribed(each, path)]


def test_every_property_is_described() -> None:
    schemas = json.loads(render())["components"]["schemas"]
    assert [found for name, each in schemas.items() for found in _undescribed(each, name)] == []


def test_no_description_only_repeats_the_name() -> None:
    for schema in json.loads(render())["components"]["schemas"].values():
        for name, each in schema.get("properties", {}).items():
            words = set(_words(each.get("description", name + " x"))) - {"the", "a", "of", "this"}
            assert not words <= set(_words(name)), (schema["title"], name)
