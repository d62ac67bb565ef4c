"""The OpenAPI 3.1 document, generated from the registered routes and the models that validate.

https://spec.openapis.org/oas/v3.1.0
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from pydantic.alias_generators import to_camel
from pydantic.json_schema import models_json_schema

from chalicelib.api.http.call import NoBody, NoData
from chalicelib.api.http.descriptions import DescribedSchema
from chalicelib.api.http.parse import MAX_BODY_BYTES
from chalicelib.api.http.routes import MAX_PATH_VALUE, PATH_VALUE, ROUTES, ResponseForm, ResponseSpec, Route
from chalicelib.api.http.schemas import REF, Json, normalise_schema, rename, titles_without_suffix
from chalicelib.core.workspaces.idempotency import MAX_KEY
from chalicelib.model.base import StrictModel
from chalicelib.model.ids import UID_PATTERN
from chalicelib.nodes.registry import NODE_TYPES

#: Examples, recorded from the running API by a test that fails when they are outdated.
EXAMPLES = Path(__file__).with_name("examples.json")
_ABOUT = """Multi-channel messaging campaigns: every contact passes the steps of a campaign at their own pace.

Every body is JSON with camelCase names; snake_case is understood, unknown fields are refused. Times are RFC 3339 in
UTC, money is a decimal string. Lists are read by `nextCursor`. Errors have one shape, with every problem at once.
Text has no control characters but tab and line ends. `/flows…` and `/campaigns…` answer without `/v1`, too."""
#: Status → description. `_failures` selects those of a route.
_FAILURES = {
    400: "The request or its body cannot be read",
    401: "No key, or one that opens nothing",
    402: "The balance is too small: `balance` and `requiredAmount` state the amounts",
    403: "The key's scope is too small",
    404: "There is no such thing in the key's workspace",
    409: "Not possible in the state `current`, only in `allowed`; or a call with this Idempotency-Key is still running",
    413: "The body is too large",
    415: "The Content-Type is not one that is read",
    422: "Something is not valid; `details` name every field",
    429: "Too many calls by this key; come again after `retryAfter` seconds",
    500: "A fault of ours; the request id finds it in our log",
    503: "Away for a moment; come again after `retryAfter` seconds",
}
#: Routes that start sends, for which the balance may be too small.
_PAYING = frozenset(
    {
        "POST /v1/flows",
        "PATCH /v1/flows/{uid}",
        "POST /v1/flows/{uid}/retry",
        "POST /v1/campaigns/{uid}/launch",
        "POST /v1/campaigns/{uid}/trigger",
        "POST /v1/campaigns/{uid}/resume",
    }
)
#: Routes with a uid that has several parts.
_LONG_UIDS = ("/v1/messages/", "/v1/hooks/")
_NEXT = "Cursor of the next page for the query parameter `cursor`; null on the last page."
_PREVIOUS = "Cursor of the previous page for the query parameter `cursor`; null on the first page."
_PATH_PARAMETERS = {
    "uid": "Identifier of the object that the path names.",
    "contact_uid": "Identifier of the contact whose execution is read.",
    "delivery_uid": "Identifier of the delivery, which the webhook received as `webhook-id`.",
    "version": "Number of the published version, from 1.",
    "name": "File name of the page's script or style.",
    "token": "Signed token from a link in a message.",
}
_HEADERS: Json = {
    "X-Request-Id": {"description": "Names this call in our log", "schema": {"type": "string"}},
    "Idempotent-Replayed": {
        "description": "`true` where the answer is that of an earlier call with this Idempotency-Key",
        "schema": {"const": "true"},
    },
    "Retry-After": {"description": "Seconds to wait", "schema": {"type": "integer", "minimum": 0}},
}


class ErrorDetail(StrictModel):
    """A problem. `field` is a path such as `steps[2].for`."""

    field: str
    """Path to the field in the request, for example `steps[2].for`."""
    message: str
    """What is wrong with the field, in English."""


class Error(StrictModel):
    """An error. `error` is a stable code."""

    error: str
    """Stable error code for programs."""
    message: str
    """Description of the error, in English."""
    details: tuple[ErrorDetail, ...]
    """Problems of the request, at most 1,000."""
    request_id: str
    """Identifier of the call in the log."""
    current: str | None = None
    """409: current state of the object."""
    allowed: tuple[str, ...] = ()
    """409: states that the object may take."""
    balance: str = ""
    """402: available balance, as a decimal string."""
    required_amount: str = ""
    """402: amount that the call needs, as a decimal string."""
    retry_after: int = 0
    """429 and 503: number of seconds to wait."""


@cache
def text() -> str:
    """Return the document as JSON text."""
    return json.dumps(build(ROUTES), ensure_ascii=False, separators=(",", ":"))


def build(routes: Sequence[Route]) -> Json:
    """Build the document for these routes."""
    examples = json.loads(EXAMPLES.read_text(encoding="utf-8"))
    schemas, refs = _schemas(routes)
    paths: dict[str, Json] = {}
    for route in sorted(routes, key=lambda each: (each.path, each.method)):
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, routes, refs, examples)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Carillon", "version": "1", "description": _ABOUT, "license": _license()},
        "servers": [{"url": "{url}", "variables": {"url": {"default": "http://127.0.0.1:8000"}}}],
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "headers": _HEADERS,
            "responses": {str(status): _failure(status, refs) for status in _FAILURES},
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "`cln_live_…`; scopes read, write, admin"}
            },
        },
    }


def _license() -> Json:
    return {"name": "Apache-2.0", "identifier": "Apache-2.0"}


Refs = Mapping[Any, Json]


def _schemas(routes: Sequence[Route]) -> tuple[Json, Refs]:
    """Return the schemas of all models by name, and the reference of each model."""
    bodies = {(route.body, "validation") for route in routes if route.body is not NoBody}
    models = {each for route in routes for each in (route.response.model, route.response.replayed) if each}
    answers = {(each, "serialization") for each in models - {NoData}}
    steps = {(each, "validation") for each in NODE_TYPES}
    wanted: Any = sorted(
        {*bodies, *answers, *steps, (Error, "serialization")}, key=lambda pair: (pair[0].__name__, pair[1])
    )
    refs, found = models_json_schema(wanted, by_alias=True, ref_template=REF, schema_generator=DescribedSchema)
    schemas = {name: _with_steps(_without_rev(schema)) for name, schema in found["$defs"].items()}
    schemas["Step"] = _step(refs)
    names = titles_without_suffix(schemas)
    return normalise_schema(schemas, names), {model: rename(ref, names) for model, ref in refs.items()}


def _step(refs: Refs) -> Json:
    """Return the schema of a step: one of the node types."""
    known = {str(each.model_fields["type"].default): refs[each, "validation"] for each in NODE_TYPES}
    mapping = {name: ref["$ref"] for name, ref in known.items()}
    return {"oneOf": list(known.values()), "discriminator": {"propertyName": "type", "mapping": mapping}}


def _with_steps(schema: Json) -> Json:
    """Describe the steps of drafts. Drafts are stored as written, with all their problems."""
    steps = schema.get("properties", {}).get("steps")
    if steps is None:
        return schema
    lists = steps.get("anyOf", [steps])
    meant = [{**each, "items": {"$ref": REF.format(model="Step")}} if "items" in each else each for each in lists]
    shown = {**steps, "anyOf": meant} if "anyOf" in steps else meant[0]
    return {**schema, "properties": {**schema["properties"], "steps": shown}}


def _without_rev(schema: Json) -> Json:
    """Remove `rev`, which responses do not contain."""
    properties = schema.get("properties", {})
    # The response of a campaign contains it on purpose, as a field without a default.
    if "default" not in properties.get("rev", {}) or "createdAt" not in properties:
        return schema
    shown = {name: value for name, value in properties.items() if name != "rev"}
    return {**schema, "properties": shown, "required": [name for name in schema.get("required", []) if name != "rev"]}


def _operation(route: Route, routes: Sequence[Route], refs: Refs, examples: Mapping[str, Json]) -> Json:
    first, _, rest = route.sentence.partition(". ")
    example = examples.get(route.name, {})
    operation: Json = {
        "operationId": _operation_id(route),
        "tags": [_tag(route)],
        "summary": first.rstrip("."),
        "description": _description(route, rest),
        "x-scope": route.scope.value if route.scope else None,
        "parameters": [*_parameters(route)],
        "responses": _responses(route, refs, example, _links(route, routes)),
    }
    if route.scope is None:
        operation["security"] = []
    if route.body is not NoBody:
        operation["requestBody"] = _request_body(route, refs, example)
    return operation


def _operation_id(route: Route) -> str:
    """Return the operation id, such as `postFlowsUidContacts`. Stable, because generated clients use it."""
    words = re.findall(r"[a-z0-9]+", route.path.removeprefix("/v1").lower())
    return to_camel("_".join((route.method.lower(), *words)))


def _tag(route: Route) -> str:
    return route.path.removeprefix("/v1").strip("/").partition("/")[0] or "page"


def _description(route: Route, rest: str) -> str:
    needs = f"Needs a key of scope `{route.scope}`." if route.scope else "Needs no key."
    bare = f"Also answers as `{route.path.removeprefix('/v1')}`." if route.is_bare else ""
    return " ".join(filter(None, (rest.strip(), needs, bare)))


def _parameters(route: Route) -> Iterable[Json]:
    for name in re.findall(r"{(\w+)}", route.path):
        schema: Json = {"type": "string", "minLength": 1, "maxLength": MAX_PATH_VALUE, "pattern": PATH_VALUE}
        if name.endswith("uid") and not route.path.startswith(_LONG_UIDS):
            schema = {"type": "string", "pattern": UID_PATTERN}
        about = _PATH_PARAMETERS[name]
        yield {"name": name, "in": "path", "description": about, "required": True, "schema": schema}
    if route.takes_idempotency_key:
        schema = {"type": "string", "minLength": 1, "maxLength": MAX_KEY, "pattern": "^[ -~]*$"}
        about = "The same key and body get the first call's answer, for 24 hours; another body is refused"
        yield {"name": "Idempotency-Key", "in": "header", "description": about, "schema": schema}
    found = route.query.model_json_schema(by_alias=True, ref_template=REF, schema_generator=DescribedSchema)
    for name, schema in found.get("properties", {}).items():
        known: Json = {"name": name, "in": "query", "required": name in found.get("required", [])}
        if "description" in schema:
            known["description"] = schema.pop("description")
        yield {**known, "schema": _inline(schema, found.get("$defs", {}))}


def _inline(schema: Json, definitions: Mapping[str, Json]) -> Json:
    """Return the schema of a parameter without references and without null, which a query cannot express."""
    if "$ref" in schema:
        return dict(definitions[schema["$ref"].rpartition("/")[2]])
    if "anyOf" in schema:
        (schema_without_null,) = [each for each in schema["anyOf"] if each.get("type") != "null"]
        return _inline(schema_without_null, definitions)
    return {name: value for name, value in schema.items() if name not in {"default", "title"} or value is not None}


def _request_body(route: Route, refs: Refs, example: Json) -> Json:
    content: Json = {"application/json": {"schema": refs[route.body, "validation"]}}
    if hasattr(route.body, "raw_body"):
        content = {"*/*": {"schema": {"type": "string"}}}
    if "request" in example:
        content["application/json"]["examples"] = {"recorded": {"value": example["request"]}}
    plain: Mapping[str, str] = getattr(route.body, "plain_bodies", {})
    content.update({kind: {"schema": {"type": "string"}} for kind in plain})
    limit = getattr(route.body, "max_bytes", MAX_BODY_BYTES)
    needed = bool(route.body.model_json_schema().get("required"))
    return {"required": needed, "description": f"At most {limit:,} bytes.", "content": content}


def _responses(route: Route, refs: Refs, example: Json, links: Json) -> Json:
    shown = route.response
    success = {"description": "Done", "headers": _headers(route), "content": _content(shown, refs, example)}
    if shown.status == 201 and links:
        success["links"] = links
    answers: Json = {str(status): success for status in (shown.status, shown.also_status) if status}
    if shown.also_status == 303:
        answers["303"] = {"description": "By a link: `Location`", "headers": _headers(route)}
    for status in _failures(route):
        answers[str(status)] = {"$ref": f"#/components/responses/{status}"}
    if "{token}" in route.path:
        # Pages also report a wrong or expired link in HTML.
        answers |= {str(status): _page_failure(status, refs) for status in (404, 410)}
    return answers


def _page_failure(status: int, refs: Refs) -> Json:
    content: Json = {"text/html": {"schema": {"type": "string"}}}
    if status == 404:
        # Paths that cannot be a link do not reach the page.
        content["application/json"] = {"schema": refs[Error, "serialization"]}
    return {"description": {404: "No such link", 410: "The link is too old"}[status], "content": content}


def _failure(status: int, refs: Refs) -> Json:
    names = ["X-Request-Id", "Retry-After"] if status in {429, 503} else ["X-Request-Id"]
    return {
        "description": _FAILURES[status],
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in names},
        "content": {"application/json": {"schema": refs[Error, "serialization"]}},
    }


def _content(shown: ResponseSpec, refs: Refs, example: Json) -> Json:
    if shown.media_type != "application/json":
        return {shown.media_type: {"schema": {"type": "string"}}}
    data: Json = {"type": "object"} if shown.model is NoData else dict(refs[shown.model, "serialization"])
    if shown.replayed:
        data = {"anyOf": [data, refs[shown.replayed, "serialization"]]}
    content: Json = {"schema": _wrapped(shown, data)}
    if "answer" in example:
        content["examples"] = {"recorded": {"value": example["answer"]}}
    return {"application/json": content}


def _wrapped(shown: ResponseSpec, data: Json) -> Json:
    if shown.form is ResponseForm.BARE:
        return data
    if shown.form is ResponseForm.ENVELOPE:
        properties: Json = {"message": {"type": "string", "description": "What the call did, in English."}}
        if shown.model is not NoData:
            properties["data"] = {**data, "description": "The object that the call created, changed or read."}
        return {"type": "object", "required": list(properties), "properties": properties}
    cursor = {"type": ["string", "null"]}
    total = "Number of items on all pages; only for lists that are counted."
    properties = {
        "data": {"type": "array", "items": data, "description": "Items of this page."},
        "nextCursor": {**cursor, "description": _NEXT},
        "prevCursor": {**cursor, "description": _PREVIOUS},
        "total": {"type": "integer", "minimum": 0, "description": total},
    }
    return {"type": "object", "required": ["data", "nextCursor", "prevCursor"], "properties": properties}


def _headers(route: Route) -> Json:
    names = ["X-Request-Id", "Idempotent-Replayed"] if route.takes_idempotency_key else ["X-Request-Id"]
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _failures(route: Route) -> Sequence[int]:
    # A query may also name an object that does not exist.
    found = {400, 404, 422, 500, 503}
    if route.scope is not None:
        found |= {401, 403, 429}
    if route.path.startswith("/v1/hooks/"):
        found.add(403)
    if route.name in _PAYING:
        found.add(402)
    if route.method not in {"GET", "DELETE"}:
        found |= {413, 415}
    if route.method != "GET":
        found.add(409)
    return sorted(found)


def _links(route: Route, routes: Sequence[Route]) -> Json:
    """Return the links from a created object to its other operations."""
    below = [each for each in routes if each.path.startswith(f"{route.path}/{{uid}}") and each.path.count("{") == 1]
    parameters = {"uid": "$response.body#/data/uid"}
    return {_operation_id(each): {"operationId": _operation_id(each), "parameters": parameters} for each in below}
