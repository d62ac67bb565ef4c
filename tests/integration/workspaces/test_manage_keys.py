"""Test API keys: shown once, use recorded, replaced, expired and revoked."""

from datetime import timedelta

from chalicelib.core.workspaces.api_key import parse_api_key
from chalicelib.core.workspaces.manage_keys import record_key_use
from chalicelib.model.idempotency_record import IdempotencyRecord
from chalicelib.model.workspace import Key
from tests.integration.conftest import Api, World
from tests.integration.harness import Story, story

__all__ = ["story"]
REQUEST = {"name": "CI", "scope": "write"}


def uid_of(api: Api) -> str:
    presented = parse_api_key(api.key or "")
    assert presented is not None
    return presented.uid


def test_a_key_is_shown_once_and_limited_to_its_scope(api: Api) -> None:
    made = api.post("/v1/keys", REQUEST)
    assert made.status == 201
    assert set(made.data) == {"uid", "name", "scope", "createdAt", "expiresAt", "lastUsedAt", "key"}
    new = Api(made.data["key"], api.workspace)
    assert new.post("/v1/contacts", {"externalId": "1"}).status == 201
    assert new.get("/v1/keys").status == 403
    listed = api.get("/v1/keys").text
    assert made.data["uid"] in listed
    assert made.data["key"] not in listed
    assert "digest" not in listed


def test_a_repeated_call_does_not_show_the_key_again(api: Api, world: World) -> None:
    headers = {"Idempotency-Key": "k1"}
    first, again = (api.post("/v1/keys", REQUEST, headers=headers) for _ in range(2))
    assert again.data == {**first.data, "key": None}
    (record,) = world.ports.catalog.page(api.workspace, IdempotencyRecord, {}, 10, None).items
    assert first.data["key"] not in record.model_dump_json()
    assert len(api.get("/v1/keys").json["data"]) == 2


def test_a_revoked_key_stops_working_within_a_minute(story: Story) -> None:
    made = story.expect(201, story.api.post("/v1/keys", REQUEST))
    new = Api(made["key"], story.api.workspace)
    assert new.get("/v1/workspace").status == 200
    story.expect(200, story.api.delete(f"/v1/keys/{made['uid']}"))
    story.time_travel.shift(timedelta(seconds=60))
    assert new.get("/v1/workspace").status == 401
    assert story.api.delete(f"/v1/keys/{made['uid']}").status == 404


def test_two_keys_work_during_a_replacement(story: Story) -> None:
    old, new = (Api(story.expect(201, story.api.post("/v1/keys", REQUEST))["key"], story.api.workspace) for _ in "12")
    assert (old.get("/v1/contacts").status, new.get("/v1/contacts").status) == (200, 200)
    story.expect(200, story.api.delete(f"/v1/keys/{uid_of(old)}"))
    story.time_travel.shift(timedelta(seconds=60))
    assert (old.get("/v1/contacts").status, new.get("/v1/contacts").status) == (401, 200)


def test_a_key_cannot_revoke_itself(api: Api) -> None:
    assert api.delete(f"/v1/keys/{uid_of(api)}").status == 409


def test_a_key_expires_on_time_and_an_expired_one_is_refused(story: Story) -> None:
    soon = (story.now + timedelta(minutes=5)).isoformat()
    made = story.expect(201, story.api.post("/v1/keys", {**REQUEST, "expiresAt": soon}))
    new = Api(made["key"], story.api.workspace)
    assert new.get("/v1/workspace").status == 200
    story.time_travel.shift(timedelta(minutes=5))
    assert new.get("/v1/workspace").status == 401
    reply = story.api.post("/v1/keys", {**REQUEST, "expiresAt": soon})
    assert (reply.status, reply.json["details"][0]["field"]) == (422, "expiresAt")


def test_the_last_use_is_stored_once_an_hour(story: Story) -> None:
    def noted() -> Key:
        return story.world.ports.catalog.get(story.api.workspace, Key, uid_of(story.api))

    assert noted().last_used_at is None
    story.api.get("/v1/workspace")
    first = noted()
    assert first.last_used_at == story.now
    story.time_travel.shift(timedelta(minutes=59))
    story.api.get("/v1/workspace")
    assert noted() == first
    story.time_travel.shift(timedelta(minutes=2))
    story.api.get("/v1/workspace")
    assert noted().last_used_at == story.now


def test_recording_a_use_does_not_restore_a_revoked_key(story: Story) -> None:
    made = story.expect(201, story.api.post("/v1/keys", REQUEST))
    ports, workspace = story.world.ports, story.api.workspace
    key = ports.catalog.get(workspace, Key, made["uid"])
    ports.catalog.remove(workspace, Key, key.uid)
    record_key_use(ports, workspace, key, story.now)
    assert ports.catalog.find(workspace, Key, key.uid) is None
