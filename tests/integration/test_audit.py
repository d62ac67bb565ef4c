"""Every change that is made through the API leaves its trace: who, what, before and after."""

import inspect
from typing import Any

import pytest

from chalicelib.errors import RetryLater
from chalicelib.ports import Catalog, Contacts
from chalicelib.usecases import note_changes
from chalicelib.usecases.make_key import read_key
from tests.integration.conftest import Api
from tests.integration.story import Story, story

__all__ = ["story"]
#: Methods that change nothing which the log would tell: parts of what is told as a whole, and look-ups.
UNNOTED = {
    Catalog: {"find_version", "versions", "put_chunk", "get_chunk", "active", "due"},
    Contacts: {"find_many", "find_by", "page", "page_shard", "survey"},
}


@pytest.mark.parametrize(("port", "noted"), [(Catalog, note_changes.CATALOG), (Contacts, note_changes.CONTACTS)])
def test_every_method_of_the_stores_is_decided_on(port: Any, noted: Any) -> None:
    methods = {name for name, _ in inspect.getmembers(port, inspect.isfunction) if not name.startswith("_")}
    assert methods == set(noted) | UNNOTED[port]


def newest(api: Api) -> Any:
    return api.get("/v1/audit?limit=1").json["data"][0]


def test_a_change_is_told_with_its_author_and_what_it_was_before(api: Api) -> None:
    api.patch("/v1/workspace", {"timezone": "Europe/Berlin"})
    entry = newest(api)
    presented = read_key(api.key or "")
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


def test_what_changes_nothing_leaves_nothing(api: Api) -> None:
    api.get("/v1/workspace")
    api.post("/v1/channels", {"name": "x", "type": "pigeon"})
    api.patch("/v1/workspace", {})
    assert api.get("/v1/audit").json["data"] == []


def test_personal_data_and_secrets_are_not_in_it(api: Api) -> None:
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
    told = [entry["changes"][0] for entry in api.get(f"/v1/audit?objectUid={contact}").json["data"]]
    assert told[1]["after"] == {"phone": "(personal)"}


def test_starting_a_flow_and_pausing_it_are_told(story: Story) -> None:
    story.settle_in()
    flow = story.start(story.short_campaign())
    story.set_status(flow, "paused")
    told = story.api.get(f"/v1/audit?objectUid={flow}").json["data"]
    change = next(each for each in told[0]["changes"] if each["uid"] == flow)
    assert (change["before"]["status"], change["after"]["status"]) == ("queued", "paused")
    assert told[1]["route"] == "POST /v1/flows"


def test_a_repeated_call_is_told_once(api: Api) -> None:
    for _ in range(2):
        api.post("/v1/contacts", {"externalId": "1"}, headers={"Idempotency-Key": "k1"})
    assert len(api.get("/v1/audit").json["data"]) == 1


def test_a_long_value_is_told_by_its_length(api: Api) -> None:
    body = {"name": "Long", "channelType": "console", "content": {"text": "x" * 10_000}}
    api.post("/v1/templates", body)
    assert "characters)" in newest(api)["changes"][0]["after"]["content"]


def test_entries_are_listed_by_key(api: Api, story: Story) -> None:
    made = story.expect(201, story.api.post("/v1/keys", {"name": "CI", "scope": "write"}))
    Api(made["key"], story.api.workspace).post("/v1/contacts", {"externalId": "1"})
    assert len(story.api.get(f"/v1/audit?keyUid={made['uid']}").json["data"]) == 1
    assert story.api.get("/v1/audit?keyUid=nobody").json["data"] == []


def test_a_trace_that_cannot_be_kept_does_not_undo_the_change(
    api: Api,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RetryLater("DynamoDB is throttled")

    monkeypatch.setattr("chalicelib.api._audit.keep_trail", fail)
    assert api.patch("/v1/workspace", {"name": "Mine"}).status == 200
    logged = capsys.readouterr()
    assert "audit.lost" in logged.out + logged.err + caplog.text
