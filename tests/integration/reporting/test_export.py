"""Test exports, and that their files can be imported again; uploads, JSON Lines and consent in imports."""

import csv
import io
import json
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.core.reporting import export
from chalicelib.core.reporting.export import run_export
from chalicelib.model.queue_messages import Export
from tests.integration.conftest import Api, World
from tests.integration.contacts.test_import_contacts import IMPORT, minutes, numbers, rejected, run
from tests.integration.harness import Story, story

__all__ = ["story"]


def export_all(api: Api, world: World, **request: Any) -> str:
    """Export and return the text of the file."""
    uid = api.post("/v1/exports", {"of": "contacts", **request}).data["uid"]
    world.drain("JobQueue")
    found = api.get(f"/v1/exports/{uid}").data
    assert found["status"] == "completed", found
    assert found["url"]
    return world.ports.files.get(
        f"{api.workspace}/exports/{uid}/{found['request']['of']}.{found['request']['format']}"
    ).decode()


def comparable(contact: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in contact.items() if name not in {"createdAt", "updatedAt"}}


PEOPLE: list[dict[str, Any]] = [
    {"uid": "ada", "email": "ada@example.com", "phone": "+4915123456789", "tags": ["vip", "new"],
     "attributes": {"born": "1815-12-10", "size": 42, "member": True, "likes": ["tea", 7], "city": "London"},
     "consent": {"email": {"NEWSLETTER": "GRANTED", "MESSAGE": "REVOKED"}}, "timezone": "Europe/London"},
    {"uid": "bob", "externalId": "B-1", "firstName": "=1+1", "lastName": "Böb \"x\", y", "status": "BLOCKED"},
]  # fmt: skip


def test_exported_json_lines_can_be_imported_unchanged(api: Api, world: World) -> None:
    before = {body["uid"]: comparable(api.post("/v1/contacts", body).data) for body in PEOPLE}
    text = export_all(api, world, format="jsonl")
    other = world.new_caller()
    reply = other.post(IMPORT, text.encode(), headers={"Content-Type": "application/x-ndjson"})
    assert reply.status == 202, reply.text
    world.drain("JobQueue")
    assert numbers(other.get(f"/v1/imports/{reply.data['uid']}").data)["created"] == 2
    after = {contact["uid"]: comparable(contact) for contact in other.all_pages("/v1/contacts")}
    assert after == before


def test_a_csv_export_is_safe_to_open_and_can_be_imported(api: Api, world: World) -> None:
    for body in PEOPLE:
        api.post("/v1/contacts", body)
    text = export_all(api, world)
    rows = {row["uid"]: row for row in csv.DictReader(io.StringIO(text))}
    assert (rows["bob"]["firstName"], rows["ada"]["phone"]) == ("'=1+1", "+4915123456789")
    assert (rows["ada"]["consent.email.NEWSLETTER"], rows["ada"]["attributes.born"]) == ("GRANTED", "1815-12-10")
    other = world.new_caller()
    assert numbers(run(other, world, text))["created"] == 2
    bob = other.get("/v1/contacts/bob").data
    assert (bob["firstName"], bob["lastName"], bob["status"]) == ("=1+1", 'Böb "x", y', "BLOCKED")
    ada = other.get("/v1/contacts/ada").data
    assert ada["consent"] == PEOPLE[0]["consent"]
    assert ada["tags"] == ["vip", "new"]


def test_an_export_filters_by_tag_and_status(api: Api, world: World) -> None:
    for body in PEOPLE:
        api.post("/v1/contacts", body)
    assert "ada" in export_all(api, world, tag="vip", format="jsonl")
    assert "bob" not in export_all(api, world, tag="vip", format="jsonl")
    assert export_all(api, world, tag="nobody", format="jsonl") == ""


def test_executions_are_exported_with_their_messages(story: Story) -> None:
    story.set_up(3)
    flow = story.start(story.campaign(story.send("hello")))
    story.advance(timedelta(seconds=2))
    uid = story.expect(202, story.api.post("/v1/exports", {"of": "executions", "flowUid": flow}))["uid"]
    story.run()
    text = story.world.ports.files.get(f"{story.api.workspace}/exports/{uid}/executions.csv").decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert {row["contactUid"] for row in rows} == set(story.contacts)
    assert {(row["status"], row["messages"]) for row in rows} == {("completed", "hello=sent")}


def test_an_export_in_parts_continues_after_a_crash(api: Api, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "PAGE_ROWS", 50)
    lines = "".join(
        json.dumps({"email": f"u{n}@example.com", "attributes": {"a": "x" * 1000}}) + "\n" for n in range(120)
    )
    api.post(IMPORT, {"jsonLines": lines})
    world.drain("JobQueue")
    monkeypatch.setattr(export, "PART_BYTES", 40_000)
    uid = api.post("/v1/exports", {"of": "contacts", "format": "jsonl"}).data["uid"]
    remaining = iter([timedelta(seconds=60), timedelta(seconds=9)])
    run_export(world.ports, Export(workspace=api.workspace, uid=uid), lambda: next(remaining))
    assert api.get(f"/v1/exports/{uid}").data["rows"] == 50
    run_export(world.ports, Export(workspace=api.workspace, uid=uid), minutes)
    run_export(world.ports, Export(workspace=api.workspace, uid=uid), minutes)
    found = api.get(f"/v1/exports/{uid}").data
    assert (found["status"], found["rows"]) == ("completed", 120)


@pytest.mark.parametrize(
    "body",
    [{}, {"of": "flows"}, {"of": "executions"}, {"of": "contacts", "flowUid": "x"},
     {"of": "executions", "flowUid": "x", "format": "jsonl"}],
)  # fmt: skip
def test_an_invalid_export_is_refused(api: Api, body: dict[str, str]) -> None:
    assert api.post("/v1/exports", body).status == 422


def test_an_export_of_an_unknown_flow_or_another_workspace_is_not_found(api: Api, world: World) -> None:
    assert api.post("/v1/exports", {"of": "executions", "flowUid": "x"}).status == 404
    uid = api.post("/v1/exports", {"of": "contacts"}).data["uid"]
    assert world.new_caller().get(f"/v1/exports/{uid}").status == 404


# ---- uploads and JSON Lines ----


def test_an_uploaded_file_is_imported_by_its_name(api: Api, world: World) -> None:
    upload = api.post("/v1/uploads", {"fileName": "people.jsonl"}).data
    assert (upload["method"], upload["fileName"]) == ("PUT", "people.jsonl")
    assert f"{api.workspace}/uploads/people.jsonl" in upload["url"]
    world.ports.files.put(f"{api.workspace}/uploads/people.jsonl", b'{"email": "ada@example.com", "tags": ["a"]}\n')
    uid = api.post(IMPORT, {"fileName": upload["fileName"]}).data["uid"]
    world.drain("JobQueue")
    assert numbers(api.get(f"/v1/imports/{uid}").data)["created"] == 1
    assert api.post("/v1/uploads", {"fileName": "../x"}).status == 422


def test_json_lines_keep_types_and_bad_lines_are_rejected_with_their_reasons(api: Api, world: World) -> None:
    good = {"mail": "ada@example.com", "city": "Köln", "attributes": {"size": 42, "born": "1815-12-10"}, "note": "x"}
    bad = [
        "[1]",
        "{",
        '{"email": "nobody"}',
        '{"firstName": "x"}',
        '{"email": 5, "shoe": 1}',
        '{"email": "a@example.com", "firstName": "\\u0000"}',
        '{"attributes": {"a": NaN}, "email": "a@b.de"}',
    ]
    text = "\n".join([json.dumps(good), "", *bad])
    mapping = {"mail": "email", "city": "attributes.city", "note": None}
    reply = api.post(IMPORT, {"jsonLines": text, "mapping": mapping})
    world.drain("JobQueue")
    progress = api.get(f"/v1/imports/{reply.data['uid']}").data
    assert numbers(progress) == {"rows": 8, "created": 1, "updated": 0, "skipped": 0, "rejected": 7}
    (ada,) = api.get("/v1/contacts").json["data"]
    assert ada["attributes"] == {"size": 42, "born": "1815-12-10", "city": "Köln"}
    header, *rows = rejected(api, progress)
    assert header == ["rejectedLine", "rejectedReason", "row"]
    assert [row[0] for row in rows] == ["3", "4", "5", "6", "7", "8", "9"]
    assert [row[2] for row in rows[:2]] == ["[1]", "{"]
    for row, reason in zip(rows, ("object", "JSON", "e-mail", "has no", "email", "control", "NaN"), strict=True):
        assert reason in row[1], row


# ---- consent in imports ----


def test_consent_columns_are_stored_with_the_import_as_their_source(api: Api, world: World) -> None:
    text = "uid,consent.email.newsletter,consent.sms.MESSAGE\nann,yes,\nben,REVOKED,no\ncat,maybe,\n"
    progress = run(api, world, text, consentSource="fair 2026", consentProof="Signed list, page 3")
    assert numbers(progress) == {"rows": 3, "created": 2, "updated": 0, "skipped": 0, "rejected": 1}
    assert "consent.email.NEWSLETTER must be one of" in rejected(api, progress)[1][1]
    assert api.get("/v1/contacts/ann").data["consent"] == {"email": {"NEWSLETTER": "GRANTED"}}
    (record,) = api.get("/v1/contacts/ann/consent").json["data"]
    assert (record["source"], record["proof"]) == ("fair 2026", "Signed list, page 3")
    assert len(api.get("/v1/contacts/ben/consent").json["data"]) == 2


def test_an_import_does_not_restore_a_revoked_consent(api: Api, world: World) -> None:
    body = {"uid": "ann", "consent": {"email": {"NEWSLETTER": "REVOKED"}, "sms": {"MESSAGE": "GRANTED"}}}
    api.post("/v1/contacts", body)
    run(api, world, "uid,firstName,consent.email.NEWSLETTER,consent.push.MESSAGE\nann,Ann,yes,yes\n")
    ann = api.get("/v1/contacts/ann").data
    assert ann["firstName"] == "Ann"
    assert ann["consent"] == {
        "email": {"NEWSLETTER": "REVOKED"}, "sms": {"MESSAGE": "GRANTED"}, "push": {"MESSAGE": "GRANTED"},
    }  # fmt: skip


def test_a_repeated_import_stores_each_consent_once(api: Api, world: World) -> None:
    text = "uid,consent.email.NEWSLETTER\nann,yes\n"
    run(api, world, text)
    run(api, world, text)
    assert len(api.get("/v1/contacts/ann/consent").json["data"]) == 1
