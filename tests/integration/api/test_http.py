"""What every route does with requests that are not what they should be."""

import json

import pytest

from tests.integration.conftest import Api, World

CONTACTS = "/v1/contacts"


def test_an_answer_carries_request_id_cors_and_no_store(api: Api) -> None:
    reply = api.get("/v1/workspace")
    assert reply.status == 200
    assert reply.headers["cache-control"] == "no-store"
    assert reply.headers["access-control-allow-origin"] == "*"
    assert reply.headers["x-request-id"]


def test_an_error_has_the_documented_shape_and_the_same_headers(api: Api) -> None:
    reply = api.get("/v1/contacts/nobody")
    assert reply.status == 404
    assert set(reply.json) == {"error", "message", "details", "requestId"}
    assert reply.json["requestId"] == reply.headers["x-request-id"]
    assert reply.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b'{"firstName": NaN}',
        b'{"attributes": {"x": Infinity}}',
        b'{"attributes": {"x": 1e999}}',
        b'{"email": "a@example.com", "email": "b@example.com"}',
        b'{"attributes": {"x": 1, "x": 2}}',
        b'{"firstName": "\xff\xfe"}',
        b'{"firstName": "\\ud800"}',
        b'{"attributes":' + b"[" * 65 + b"]" * 65 + b"}",
        b"[" * 100_000,
        b'{"attributes": {"x": ' + b"9" * 5_000 + b"}}",
        b'"' + b'\\"' * 200_000,
    ],
    ids=[
        "cut off", "NaN", "infinity", "too large a number", "duplicate key", "nested duplicate key", "not UTF-8",
        "lone surrogate", "65 deep", "100,000 deep", "5,000 digits", "an endless string",
    ],
)  # fmt: skip
def test_a_body_that_is_not_json_is_a_400(api: Api, body: bytes) -> None:
    reply = api.post(CONTACTS, body)
    assert (reply.status, reply.json["error"]) == (400, "malformed_request")


def test_64_levels_are_still_read(api: Api) -> None:
    reply = api.post(CONTACTS, b'{"attributes":' + b"[" * 62 + b"]" * 62 + b"}")
    assert reply.status == 422


@pytest.mark.parametrize(
    "content_type", ["", "text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin-1"]
)
def test_a_wrong_content_type_is_a_415(api: Api, content_type: str) -> None:
    reply = api.post(CONTACTS, b'{"email": "a@example.com"}', headers={"Content-Type": content_type})
    assert (reply.status, reply.json["error"]) == (415, "unsupported_media_type")


def test_a_charset_of_utf_8_may_be_named(api: Api) -> None:
    headers = {"Content-Type": "application/json; charset=utf-8"}
    assert api.post(CONTACTS, b'{"email": "a@example.com"}', headers=headers).status == 201


def test_a_body_over_one_mebibyte_is_a_413_that_names_the_limit(api: Api) -> None:
    reply = api.post(CONTACTS, {"firstName": "x" * 1_048_576})
    assert (reply.status, reply.json["error"]) == (413, "payload_too_large")
    assert "1048576" in reply.json["message"]


def test_every_problem_is_reported_at_once_with_its_path(api: Api) -> None:
    body = {
        "email": "nobody",
        "phone": "+12",
        "timezone": "Mars/Olympus",
        "attributes": {"not a name": 1},
        "tags": ["ok", ""],
        "colour": "red",
    }
    reply = api.post(CONTACTS, body)
    assert (reply.status, reply.json["error"]) == (422, "validation_error")
    fields = {detail["field"] for detail in reply.json["details"]}
    assert fields == {"email", "phone", "timezone", "attributes.not a name", "tags[1]", "colour"}


def test_no_value_is_converted_silently(api: Api) -> None:
    reply = api.patch("/v1/workspace", {"strictConsent": "yes", "name": 3})
    assert {detail["field"] for detail in reply.json["details"]} == {"strictConsent", "name"}


def test_a_list_where_an_object_belongs_is_a_422(api: Api) -> None:
    reply = api.post(CONTACTS, b"[]")
    assert reply.status == 422
    assert reply.json["details"][0]["field"] == "body"


def test_control_characters_are_refused_with_their_field(api: Api) -> None:
    reply = api.post(CONTACTS, {"firstName": "a\x00b", "lastName": "two\nlines"})
    assert [detail["field"] for detail in reply.json["details"]] == ["firstName"]


def test_snake_case_is_understood(api: Api) -> None:
    reply = api.post(CONTACTS, {"external_id": "7", "first_name": "Ada"})
    assert reply.data["externalId"] == "7"
    assert "rev" not in reply.data


def test_an_unknown_query_parameter_is_a_422(api: Api) -> None:
    reply = api.get(f"{CONTACTS}?color=red")
    assert (reply.status, reply.json["details"][0]["field"]) == (422, "color")


def test_a_repeated_query_parameter_is_a_422(api: Api) -> None:
    assert api.get(f"{CONTACTS}?limit=1&limit=2").status == 422


@pytest.mark.parametrize("limit", ["0", "101", "-1", "many", "1.5", ""])
def test_a_limit_out_of_range_is_a_422(api: Api, limit: str) -> None:
    reply = api.get(f"{CONTACTS}?limit={limit}")
    assert (reply.status, reply.json["details"][0]["field"]) == (422, "limit")


@pytest.mark.parametrize("uid", ["%23", "a%2Fb", "x" * 331, "%00", "ä"])
def test_an_id_that_cannot_be_one_is_a_404(api: Api, uid: str) -> None:
    assert api.get(f"{CONTACTS}/{uid}").status == 404


def test_pages_go_forth_and_back(api: Api) -> None:
    uids = {api.post(CONTACTS, {"externalId": str(n)}).data["uid"] for n in range(7)}
    first = api.get(f"{CONTACTS}?limit=2").json
    pages = [first]
    while pages[-1]["nextCursor"]:
        pages.append(api.get(f"{CONTACTS}?limit=2&cursor={pages[-1]['nextCursor']}").json)
    assert [len(page["data"]) for page in pages] == [2, 2, 2, 1]
    assert {contact["uid"] for page in pages for contact in page["data"]} == uids
    assert first["prevCursor"] is None
    page = pages[-1]
    for expected in reversed(pages[:-1]):
        page = api.get(f"{CONTACTS}?limit=2&cursor={page['prevCursor']}").json
        assert page["data"] == expected["data"]
    assert page["prevCursor"] is None


def test_a_cursor_that_was_tampered_with_is_a_422(api: Api) -> None:
    for n in range(2):
        api.post(CONTACTS, {"externalId": str(n)})
    cursor = api.get(f"{CONTACTS}?limit=1").json["nextCursor"]
    changed = ("B" if cursor[0] == "A" else "A") + cursor[1:]
    for bad in ("", "x", changed, cursor[:-4], "%C3%A4", "a" * 9_000):
        reply = api.get(f"{CONTACTS}?cursor={bad}")
        assert (reply.status, reply.json["details"][0]["field"]) == (422, "cursor"), bad


def test_a_cursor_of_another_workspace_is_a_422(api: Api, world: World) -> None:
    for n in range(2):
        api.post(CONTACTS, {"externalId": str(n)})
    cursor = api.get(f"{CONTACTS}?limit=1").json["nextCursor"]
    assert world.new_caller().get(f"{CONTACTS}?cursor={cursor}").status == 422


def test_health_needs_no_key(api: Api) -> None:
    api.key = None
    assert json.loads(api.get("/health").text) == {"status": "ok"}


def test_a_fault_of_ours_shows_nothing_but_the_request_id(api: Api, world: World) -> None:
    table = world.ports.catalog._table  # type: ignore[attr-defined]  # the adapter's, to take its table away
    world.aws.client("dynamodb").delete_table(TableName=table)
    reply = api.get("/health")
    assert reply.status == 500
    assert reply.json["error"] == "internal_error"
    assert table not in reply.text
    assert reply.headers["access-control-allow-origin"] == "*"
