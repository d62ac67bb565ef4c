"""Who may call: keys, their scopes, their end, and the walls between workspaces."""

from datetime import timedelta

import pytest

from chalicelib.core.workspaces.api_key import parse_api_key
from chalicelib.model.workspace import Key, Scope
from tests.integration.conftest import Api, World


def assert_unauthorized(api: Api) -> None:
    reply = api.get("/v1/workspace")
    assert reply.status == 401
    assert (reply.json["error"], reply.json["message"]) == ("unauthorized", "User not authenticated")


def test_without_a_key_nothing_opens(api: Api) -> None:
    api.key = None
    assert_unauthorized(api)


@pytest.mark.parametrize("key", ["x", "cln_live_", "Bearer", "cln_live_w_01J_" + "a" * 49, "ä" * 60])
def test_what_is_no_key_opens_nothing(api: Api, key: str) -> None:
    api.key = key
    assert_unauthorized(api)


def test_a_mistyped_key_is_refused_without_a_look_into_the_table(api: Api) -> None:
    assert api.key is not None
    assert parse_api_key(api.key) is not None
    swapped = api.key[:-1] + ("0" if api.key[-1] != "0" else "1")
    assert parse_api_key(swapped) is None


def test_a_well_formed_key_that_nobody_made_opens_nothing(api: Api, world: World) -> None:
    other = world.new_caller()
    presented = parse_api_key(other.key or "")
    assert presented is not None
    world.ports.catalog.remove(presented.workspace, Key, presented.uid)
    assert_unauthorized(other)


def test_another_scheme_than_bearer_opens_nothing(api: Api) -> None:
    reply = api.get("/v1/workspace", headers={"Authorization": f"Basic {api.key}"})
    assert reply.status == 401


def test_an_expired_key_opens_nothing_even_if_it_did_a_moment_ago(world: World) -> None:
    now = world.ports.clock.real()
    assert_unauthorized(world.new_caller(Scope.READ, expires_at=now - timedelta(seconds=1)))
    assert world.new_caller(Scope.READ, expires_at=now + timedelta(hours=1)).get("/v1/workspace").status == 200


def test_strangers_learn_nothing_from_a_malformed_body(api: Api) -> None:
    api.key = None
    assert api.post("/v1/contacts", b"{").status == 401


def test_a_scope_opens_what_it_covers_and_no_more(api: Api, world: World) -> None:
    reader, writer = (world.key_for(api.workspace, scope) for scope in (Scope.READ, Scope.WRITE))
    assert reader.get("/v1/contacts").status == 200
    reply = reader.post("/v1/contacts", {"externalId": "1"})
    assert (reply.status, reply.json["error"]) == (403, "forbidden")
    assert writer.post("/v1/contacts", {"externalId": "1"}).status == 201
    assert writer.patch("/v1/workspace", {"name": "Mine"}).status == 403
    assert api.patch("/v1/workspace", {"name": "Mine"}).data["name"] == "Mine"


def test_what_belongs_to_another_workspace_is_not_found(api: Api, world: World) -> None:
    uid = api.post("/v1/contacts", {"email": "ada@example.com"}).data["uid"]
    stranger = world.new_caller()
    for method in ("GET", "PATCH", "DELETE"):
        body: object = {} if method == "PATCH" else None
        assert stranger.call(method, f"/v1/contacts/{uid}", body).status == 404, method
    assert stranger.get("/v1/contacts").json["data"] == []
    assert stranger.post("/v1/contacts", {"email": "ada@example.com"}).status == 201
    assert api.get(f"/v1/contacts/{uid}").status == 200


def test_a_key_is_stored_as_a_hash_only(api: Api, world: World) -> None:
    presented = parse_api_key(api.key or "")
    assert presented is not None
    stored = world.ports.catalog.get(api.workspace, Key, presented.uid)
    assert presented.text not in stored.model_dump_json()
    assert stored.digest == presented.digest(world.ports.secret())
