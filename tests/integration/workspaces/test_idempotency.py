"""Test that a call with an Idempotency-Key happens once, in spite of repetition and crashes."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

import app
from chalicelib.api.http.routes import ROUTES
from chalicelib.core.flows import create_flow as create_flow_module
from chalicelib.core.workspaces.idempotency import (
    LEASE,
    MAX_INLINE,
    IdempotencyClaim,
    begin_call,
    complete_call,
    read_body,
    release_call,
)
from chalicelib.errors import Conflict, RetryLater
from chalicelib.model.idempotency_record import IdempotencyRecord, StoredResponse
from chalicelib.model.ids import WorkspaceUid
from chalicelib.model.workspace import Scope
from chalicelib.wiring import use_ports
from tests.integration.conftest import Api, World
from tests.integration.harness import Story, story

__all__ = ["story"]
CHANNEL = {"name": "Console", "type": "console"}


def with_key(key: str) -> dict[str, Any]:
    return {"headers": {"Idempotency-Key": key}}


def test_every_post_route_declares_whether_it_accepts_a_key() -> None:
    assert app.app.routes
    undecided = [route.name for route in ROUTES if route.method == "POST" and route.idempotent is None]
    assert undecided == []
    assert not [route.name for route in ROUTES if route.method != "POST" and route.idempotent is not None]


def test_routes_that_change_data_accept_a_key() -> None:
    without = {route.path.rpartition("/")[2] for route in ROUTES if route.idempotent is False and route.scope}
    assert without <= {"validate", "estimate", "test-run", "preview", "search"}


def test_a_repeated_call_gets_the_stored_response(api: Api) -> None:
    first = api.post("/v1/channels", CHANNEL, **with_key("k1"))
    again = api.post("/v1/channels", CHANNEL, **with_key("k1"))
    assert (first.status, again.status) == (201, 201)
    assert again.json == first.json
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert len(api.get("/v1/channels").json["data"]) == 1


def test_another_body_or_route_with_the_same_key_is_a_422(api: Api) -> None:
    api.post("/v1/channels", CHANNEL, **with_key("k1"))
    other = api.post("/v1/channels", {**CHANNEL, "name": "Other"}, **with_key("k1"))
    assert (other.status, other.json["details"][0]["field"]) == (422, "Idempotency-Key")
    assert api.post("/v1/contacts", {"externalId": "1"}, **with_key("k1")).status == 422
    assert api.get("/v1/contacts").json["data"] == []


def test_a_key_belongs_to_its_workspace(api: Api, world: World) -> None:
    api.post("/v1/channels", CHANNEL, **with_key("k1"))
    stranger = world.new_caller().post("/v1/channels", CHANNEL, **with_key("k1"))
    assert (stranger.status, "idempotent-replayed" in stranger.headers) == (201, False)


def test_another_api_key_of_the_workspace_repeats_the_same_call(api: Api, world: World) -> None:
    first = api.post("/v1/channels", CHANNEL, **with_key("k1"))
    renewed = world.key_for(api.workspace, Scope.WRITE)
    assert renewed.post("/v1/channels", CHANNEL, **with_key("k1")).json == first.json


@pytest.mark.parametrize("key", ["", "x" * 256, "ä", "a\tb"])
def test_an_invalid_key_is_refused(api: Api, key: str) -> None:
    reply = api.post("/v1/channels", CHANNEL, headers={"Idempotency-Key": key})
    assert (reply.status, reply.json["details"][0]["field"]) == (422, "Idempotency-Key")


def test_a_key_of_255_characters_is_accepted(api: Api) -> None:
    assert api.post("/v1/channels", CHANNEL, **with_key("x" * 255)).status == 201


def test_a_refused_call_releases_its_key_for_a_corrected_request(api: Api) -> None:
    assert api.post("/v1/channels", {"name": "C", "type": "pigeon"}, **with_key("k1")).status == 422
    assert api.post("/v1/channels", CHANNEL, **with_key("k1")).status == 201


def test_after_a_day_the_key_is_forgotten(story: Story) -> None:
    story.expect(201, story.api.post("/v1/channels", CHANNEL, **with_key("k1")))
    story.time_travel.shift(timedelta(hours=23, minutes=59))
    assert story.api.post("/v1/channels", CHANNEL, **with_key("k1")).headers["idempotent-replayed"] == "true"
    story.time_travel.shift(timedelta(minutes=1))
    late = story.api.post("/v1/channels", {**CHANNEL, "name": "New"}, **with_key("k1"))
    assert (late.status, "idempotent-replayed" in late.headers) == (201, False)


def test_with_and_without_v1_is_the_same_call(story: Story) -> None:
    story.set_up()
    body = {"channelUid": story.channel, "campaignUid": story.short_campaign(), "contactUids": story.contacts}
    first = story.expect(201, story.api.post("/flows", body, **with_key("k1")))
    assert story.expect(201, story.api.post("/v1/flows", body, **with_key("k1")))["uid"] == first["uid"]


def test_a_flow_is_created_once_even_if_the_first_call_crashes(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process crashes after it has stored the flow. The claim expires, and the repeated call finds the flow."""
    story.set_up()
    body = {"channelUid": story.channel, "campaignUid": story.short_campaign(), "contactUids": story.contacts}

    class Killed(BaseException):
        """Simulates the end of a Lambda process. No handler catches it."""

    def crash(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(create_flow_module, "enqueue_enrolment", crash)
        with pytest.raises(Killed):
            story.api.post("/flows", body, **with_key("k1"))
    busy = story.api.post("/flows", body, **with_key("k1"))
    assert (busy.status, busy.json["error"]) == (409, "conflict")
    story.time_travel.shift(LEASE)
    made = story.expect(201, story.api.post("/flows", body, **with_key("k1")))
    assert [flow["uid"] for flow in story.api.all_pages("/v1/flows")] == [made["uid"]]
    assert story.api.post("/flows", body, **with_key("k1")).headers["idempotent-replayed"] == "true"


def test_trigger_accepts_the_header_in_place_of_the_body_field(story: Story) -> None:
    story.set_up()
    campaign = story.short_campaign(trigger={"type": "api"}, audience={"contactUids": story.contacts})
    url = f"/v1/campaigns/{campaign}/trigger"
    first = story.expect(202, story.api.post(url, **with_key("k1")))
    own = story.expect(202, story.api.post(url, {"idempotencyKey": "k1"}))
    assert first["flowUid"] == own["flowUid"]
    assert story.api.post(url).status == 409


def test_events_without_ids_are_the_same_events_when_the_call_is_repeated(story: Story) -> None:
    story.set_up(1)
    body = {"events": [{"name": "order.placed", "contactUid": story.contacts[0]}]}
    first = story.expect(202, story.api.post("/v1/events", body, **with_key("k1")))
    known = story.world.ports.catalog.page(story.api.workspace, IdempotencyRecord, {}, 10, None).items[0]
    assert first["results"][0]["id"].startswith(known.reserved_uid)


class TestClaims:
    """Claims on DynamoDB."""

    def test_one_of_two_hundred_concurrent_calls_gets_the_claim(self, world: World) -> None:
        workspace = WorkspaceUid("w")

        def claim(_: int) -> str:
            try:
                found = begin_call(world.ports, workspace, "k1", "f")
            except Conflict:
                return "busy"
            return "claimed" if isinstance(found, IdempotencyClaim) else "answered"

        with ThreadPoolExecutor(20) as pool:
            results = list(pool.map(claim, range(200)))
        assert (results.count("claimed"), results.count("busy")) == (1, 199)

    def test_after_an_internal_error_only_the_same_request_may_use_the_key(self, world: World) -> None:
        workspace = WorkspaceUid("w")
        claim = begin_call(world.ports, workspace, "k1", "f")
        assert isinstance(claim, IdempotencyClaim)
        release_call(world.ports, workspace, claim, nothing_done=False)
        with pytest.raises(Exception, match="another request"):
            begin_call(world.ports, workspace, "k1", "other")
        again = begin_call(world.ports, workspace, "k1", "f")
        assert isinstance(again, IdempotencyClaim)
        assert again.is_taken_over
        assert again.call.reserved_uid == claim.call.reserved_uid

    def test_a_long_response_is_stored_too(self, world: World) -> None:
        workspace, text = WorkspaceUid("w"), '"' + "é" * MAX_INLINE + '"'
        claim = begin_call(world.ports, workspace, "k1", "f")
        assert isinstance(claim, IdempotencyClaim)
        complete_call(world.ports, workspace, claim, 200, text)
        stored = begin_call(world.ports, workspace, "k1", "f")
        assert isinstance(stored, StoredResponse)
        assert read_body(world.ports, stored) == text


def test_a_call_with_a_key_is_not_made_while_the_table_is_unavailable(story: Story) -> None:
    """A repeated call could not be recognised, so the first one is refused."""

    class UnavailableCatalog:
        def find(self, *_: object) -> None:
            raise RetryLater("DynamoDB is throttled")

        def __getattr__(self, name: str) -> Any:
            return getattr(story.world.ports.catalog, name)

    assert story.api.get("/v1/workspace").status == 200  # from now on the API key is cached
    use_ports(replace(story.world.ports, catalog=UnavailableCatalog()))  # type: ignore[arg-type]  # it replaces one method
    assert story.api.post("/v1/channels", CHANNEL, **with_key("k1")).status == 503
    use_ports(story.world.ports)
    assert story.api.get("/v1/channels").json["data"] == []
