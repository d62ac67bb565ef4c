"""Test that every change through the API stores an audit entry: author, change, before and after."""

import inspect
from typing import Any

import pytest

from chalicelib.api.http.routes import ROUTES
from chalicelib.core.workspaces import record_audit
from chalicelib.core.workspaces.api_key import parse_api_key
from chalicelib.errors import RetryLater
from chalicelib.model.circuit import Circuit, CircuitState
from chalicelib.ports import Balances, Catalog, Circuits, Contacts, DocumentVersions, ListChunks
from tests.integration.conftest import Api, World
from tests.integration.example_recorder import record
from tests.integration.harness import Story, story

__all__ = ["story"]
#: Methods that are not recorded: reads, and writes that are part of a recorded change.
UNRECORDED = {
    Catalog: set(),
    DocumentVersions: {"find_version", "list_versions"},
    ListChunks: {"put_chunk", "get_chunk"},
    # Only flow steps save several contacts. A TAG step is not a call.
    Contacts: {"find_many", "find_by", "page", "save_many"},
    Balances: {"mark_low", "reload", "list_entries"},
    Circuits: {"find_channel"},
}
#: Routes that change no stored settings, and the reason.
WITHOUT_AN_ENTRY = {
    "POST /v1/channels/{uid}/test": "sends a test message",
    "POST /v1/templates/{uid}/test": "the same",
    "POST /v1/events": "tells what happened",
    "POST /v1/uploads": "makes a link",
    "POST /v1/channels/{uid}/circuit/close": "the example's was never open",
}


@pytest.mark.parametrize(
    ("port", "recorded"),
    [
        (Catalog, record_audit.CATALOG),
        (DocumentVersions, record_audit.VERSIONS),
        (ListChunks, record_audit.CHUNKS),
        (Contacts, record_audit.CONTACTS),
        (Balances, record_audit.BALANCES),
        (Circuits, record_audit.CIRCUITS),
    ],
)
def test_every_store_method_is_recorded_or_listed(port: Any, recorded: Any) -> None:
    methods = {name for name, _ in inspect.getmembers(port, inspect.isfunction) if not name.startswith("_")}
    assert methods == set(recorded) | UNRECORDED[port]


def test_every_route_that_changes_data_stores_an_entry(story: Story) -> None:
    record(story)
    recorded_routes = {each["route"] for each in story.api.all_pages("/v1/audit?limit=100")}
    changing = {each.name for each in ROUTES if each.scope and each.method != "GET" and each.idempotent is not False}
    assert changing - recorded_routes == set(WITHOUT_AN_ENTRY)


def newest(api: Api) -> Any:
    return api.get("/v1/audit?limit=1").json["data"][0]


def test_an_entry_names_the_author_and_the_values_before_and_after(api: Api) -> None:
    api.patch("/v1/workspace", {"timezone": "Europe/Berlin"})
    entry = newest(api)
    presented = parse_api_key(api.key or "")
    assert presented is not None
    assert (entry["keyUid"], entry["keyName"], entry["route"]) == (presented.uid, "first key", "PATCH /v1/workspace")
    assert entry["status"] == 200
    assert entry["requestId"]
    assert entry["changes"] == [
        {
            "kind": "WORKSPACE",
            "uid": api.workspace,
            "action": "changed",
            "before": {"timezone": "UTC"},
            "after": {"timezone": "Europe/Berlin"},
        }
    ]


def test_a_call_without_a_change_stores_no_entry(api: Api) -> None:
    api.get("/v1/workspace")
    api.post("/v1/channels", {"name": "x", "type": "pigeon"})
    api.patch("/v1/workspace", {})
    assert api.get("/v1/audit").json["data"] == []


def test_an_entry_contains_no_personal_data_and_no_secrets(api: Api) -> None:
    contact = api.post("/v1/contacts", {"email": "canary@example.com", "firstName": "Canary"}).data["uid"]
    api.patch(f"/v1/contacts/{contact}", {"phone": "+4915123456789"})
    key = api.post("/v1/keys", {"name": "CI", "scope": "read"}).data
    api.delete(f"/v1/contacts/{contact}")
    text = api.get("/v1/audit").text
    assert "anary" not in text
    assert "4915123456789" not in text
    assert key["key"] not in text
    entries = api.get("/v1/audit").json["data"]
    changes = [(change["kind"], change["action"]) for entry in entries for change in entry["changes"]]
    assert changes[-3:] == [("KEY", "created"), ("CONTACT", "changed"), ("CONTACT", "created")]
    assert ("CONTACT", "removed") in changes
    changes = [entry["changes"][0] for entry in api.get(f"/v1/audit?objectUid={contact}").json["data"]]
    assert changes[1]["after"] == {"phone": "(personal)"}


def test_starting_and_pausing_a_flow_are_recorded(story: Story) -> None:
    story.set_up()
    flow = story.start(story.short_campaign())
    story.set_status(flow, "paused")
    entries = story.api.get(f"/v1/audit?objectUid={flow}").json["data"]
    change = next(each for each in entries[0]["changes"] if each["uid"] == flow)
    assert (change["before"]["status"], change["after"]["status"]) == ("queued", "paused")
    assert entries[1]["route"] == "POST /v1/flows"


def test_changes_of_the_balance_are_recorded(api: Api) -> None:
    api.put("/v1/balance/auto-reload", {"enabled": True, "threshold": "10.00", "amount": "50.00"})
    (change,) = newest(api)["changes"]
    assert (change["kind"], change["before"]["autoReload"]["enabled"]) == ("BALANCE", False)
    assert change["after"]["autoReload"]["amount"] == "50.00"
    for amount in ("100.00", "7.50"):
        api.post("/v1/balance/topup", {"amount": amount})
        (entry,) = (each for each in newest(api)["changes"] if each["kind"] == "BALANCE")
        assert entry["after"]["amount"] == amount


def test_closing_a_circuit_is_recorded(api: Api, world: World) -> None:
    channel = api.post("/v1/channels", {"name": "Console", "type": "console"}).data["uid"]
    now = world.ports.clock.real()
    assert world.ports.circuits.save(api.workspace, channel, Circuit(CircuitState.OPEN, now, "down", now))
    assert api.post(f"/v1/channels/{channel}/circuit/close").status == 200
    assert newest(api)["changes"] == [
        {
            "kind": "CIRCUIT",
            "uid": channel,
            "action": "changed",
            "before": {"state": "open"},
            "after": {"state": "closed"},
        }
    ]


def test_a_repeated_call_is_recorded_once(api: Api) -> None:
    for _ in range(2):
        api.post("/v1/contacts", {"externalId": "1"}, headers={"Idempotency-Key": "k1"})
    assert len(api.get("/v1/audit").json["data"]) == 1


def test_a_long_value_is_replaced_by_its_length(api: Api) -> None:
    body = {"name": "Long", "channelType": "console", "content": {"text": "x" * 10_000}}
    api.post("/v1/templates", body)
    assert "characters)" in newest(api)["changes"][0]["after"]["content"]


def test_entries_are_listed_by_key(api: Api, story: Story) -> None:
    made = story.expect(201, story.api.post("/v1/keys", {"name": "CI", "scope": "write"}))
    Api(made["key"], story.api.workspace).post("/v1/contacts", {"externalId": "1"})
    assert len(story.api.get(f"/v1/audit?keyUid={made['uid']}").json["data"]) == 1
    assert story.api.get("/v1/audit?keyUid=nobody").json["data"] == []


def test_a_change_succeeds_even_if_its_entry_cannot_be_stored(
    api: Api,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RetryLater("DynamoDB is throttled")

    monkeypatch.setattr("chalicelib.api.http.audit.write_audit_entries", fail)
    assert api.patch("/v1/workspace", {"name": "Mine"}).status == 200
    logged = capsys.readouterr()
    assert "audit.lost" in logged.out + logged.err + caplog.text
