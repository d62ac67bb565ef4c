"""Import CSV files: from the upload to contacts and a file of rejected rows, also when the worker is killed."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.core.contacts.import_contacts import PAGE_ROWS, run_import
from chalicelib.model.queue_messages import Import
from chalicelib.ports import Ports
from tests.integration.conftest import Api, World
from tests.integration.contacts.import_helpers import IMPORT, numbers, rejected, run


def minutes() -> timedelta:
    return timedelta(minutes=1)


def test_each_row_of_a_file_becomes_a_contact(api: Api, world: World) -> None:
    text = (
        "\ufeffExternal ID,E-Mail,phone,First Name,tags,attributes.city\r\n"
        '1,ada@EXAMPLE.com,0151 23456789,"Ada ""the first""\nof many",vip;new,London\r\n'
        "\r\n"
        "2,bob@example.com,,,,\r\n"
    )
    progress = run(api, world, text)
    assert progress["status"] == "completed"
    assert numbers(progress) == {"rows": 2, "created": 2, "updated": 0, "skipped": 0, "rejected": 0}
    assert progress["rejectedUrl"] is None
    assert progress["offset"] == progress["totalBytes"] == len(text.encode())
    ada, bob = sorted(api.get("/v1/contacts").json["data"], key=lambda contact: contact["email"])
    assert (ada["firstName"], ada["tags"], ada["attributes"]) == (
        'Ada "the first"\nof many',
        ["vip", "new"],
        {"city": "London"},
    )
    assert (ada["email"], ada["phone"]) == ("ada@example.com", "+4915123456789")
    assert bob["phone"] is None


def test_rejected_rows_are_downloaded_as_csv(api: Api, world: World) -> None:
    progress = run(api, world, "email\nnobody\n")
    reply = api.get(progress["rejectedUrl"])
    assert reply.headers["content-type"].startswith("text/csv")
    assert "attachment" in reply.headers["content-disposition"]


def test_corrected_rejected_rows_can_be_imported(api: Api, world: World) -> None:
    progress = run(api, world, "email,firstName\nnobody,Ada\n")
    mended = api.get(progress["rejectedUrl"]).text.replace("nobody", "ada@example.com")
    assert numbers(run(api, world, mended))["created"] == 1


def test_a_dry_run_counts_and_changes_nothing(api: Api, world: World) -> None:
    progress = run(api, world, "email\nada@example.com\nada@example.com\nnobody\n", dryRun=True)
    assert numbers(progress) == {"rows": 3, "created": 1, "updated": 1, "skipped": 0, "rejected": 1}
    assert api.get("/v1/contacts").json["data"] == []


def test_a_mapping_assigns_columns_to_fields(api: Api, world: World) -> None:
    mapping = {"Mail": "email", "Ort": "attributes.city", "Notiz": None}
    progress = run(api, world, "Mail;Ort;Notiz\nada@example.com;Köln;x\n", mapping=mapping)
    assert numbers(progress)["created"] == 1
    assert api.get("/v1/contacts").json["data"][0]["attributes"] == {"city": "Köln"}


@pytest.mark.parametrize(
    ("text", "mapping", "said"),
    [
        ("", {}, "empty"),
        ("name,city\nAda,London\n", {}, "'name' is not known"),
        ("firstName\nAda\n", {}, "needs a column"),
        ("email,E-Mail\na@example.com,b@example.com\n", {}, "two columns"),
        ("email\na@example.com\n", {"Mail": "email"}, "is not a column"),
        ("email,x\na@example.com,1\n", {"x": "shoeSize"}, "is not a field"),
        ('"email\na@example.com\n', {}, "quote"),
    ],
)
def test_a_wrong_header_is_a_422_and_nothing_is_queued(
    api: Api, world: World, text: str, mapping: dict[str, str], said: str
) -> None:
    reply = api.post(IMPORT, {"csv": text, "mapping": mapping})
    assert reply.status == 422
    assert any(said in detail["message"] for detail in reply.json["details"]), reply.text
    assert world.drain("JobQueue") == 0


def test_rows_are_sent_inline_or_in_a_file_but_not_both(api: Api) -> None:
    assert api.post(IMPORT, {}).status == 422
    assert api.post(IMPORT, {"csv": "email\n", "fileName": "x.csv"}).status == 422
    assert api.post(IMPORT, {"fileName": "../x.csv"}).status == 422
    reply = api.post(IMPORT, {"fileName": "never.csv"})
    assert (reply.status, reply.json["details"][0]["field"]) == (422, "fileName")


def test_more_than_5_mebibytes_inline_are_refused_with_the_limit(api: Api) -> None:
    reply = api.post(IMPORT, {"csv": "email\n" + "a" * (5 * 1_048_576)})
    assert (reply.status, reply.json["details"][0]["field"]) == (422, "csv")
    assert api.post(IMPORT, {"csv": "email\n" + "a" * (6 * 1_048_576)}).status == 413


def test_an_uploaded_file_with_broken_utf_8_loses_only_the_broken_rows(api: Api, world: World) -> None:
    content = (
        b"email,firstName\nada@example.com,Ada\nbob@example.com,B\xf6b\n" + b"x" * 200_000 + b"\neve@example.com,E\n"
    )
    world.ports.files.put(f"{api.workspace}/uploads/people.csv", content)
    uid = api.post(IMPORT, {"fileName": "people.csv"}).data["uid"]
    world.drain("JobQueue")
    progress = api.get(f"/v1/imports/{uid}").data
    assert numbers(progress) == {"rows": 4, "created": 2, "updated": 0, "skipped": 0, "rejected": 2}
    reasons = [row[1] for row in rejected(api, progress)[1:]]
    assert "not valid UTF-8" in reasons[0]
    assert "longer than" in reasons[1]


def test_a_file_may_be_sent_as_the_body(api: Api, world: World) -> None:
    content = b"email,firstName\nada@example.com,Ada\n" + b"bob@example.com,B\xf6b\n"
    reply = api.post(f"{IMPORT}?dryRun=true", content, headers={"Content-Type": "text/csv"})
    assert reply.status == 202
    world.drain("JobQueue")
    progress = api.get(f"/v1/imports/{reply.data['uid']}").data
    assert (progress["dryRun"], progress["created"], progress["rejected"]) == (True, 1, 1)


class Killed(Exception):
    """The worker died."""


class DyingCatalog:
    """A catalog that kills the worker just before its n-th save."""

    def __init__(self, behind: Any, saves: int) -> None:
        self._behind, self._left = behind, saves

    def __getattr__(self, name: str) -> Any:
        return getattr(self._behind, name)

    def save(self, *arguments: Any) -> Any:
        self._left -= 1
        if self._left == 0:
            raise Killed
        return self._behind.save(*arguments)


def rows_of(count: int) -> str:
    return "email,firstName\n" + "".join(f"user{n}@example.com,User {n}\n" for n in range(count))


@pytest.mark.parametrize("dies_at", [1, 2, 3, 4])
def test_an_import_that_is_killed_anywhere_ends_with_the_same_numbers(api: Api, world: World, dies_at: int) -> None:
    text = rows_of(PAGE_ROWS + 20) + "user1@example.com,Again\nnobody,X\n"
    uid = api.post(IMPORT, {"csv": text}).data["uid"]
    job = Import(workspace=api.workspace, uid=uid)
    dying: Ports = replace(world.ports, catalog=DyingCatalog(world.ports.catalog, dies_at))
    with pytest.raises(Killed):
        run_import(dying, job, minutes)
    run_import(world.ports, job, minutes)
    run_import(world.ports, job, minutes)
    progress = api.get(f"/v1/imports/{uid}").data
    assert progress["status"] == "completed"
    rows = PAGE_ROWS + 22
    expected = {"rows": rows, "created": rows - 2, "updated": 1, "skipped": 0, "rejected": 1}
    assert numbers(progress) == expected
    assert len(rejected(api, progress)) == 2
    assert len(api.all_pages("/v1/contacts?limit=100")) == rows - 2


def test_an_import_continues_in_another_message_when_its_time_is_over(api: Api, world: World) -> None:
    uid = api.post(IMPORT, {"csv": rows_of(PAGE_ROWS * 2)}).data["uid"]
    left = iter([timedelta(seconds=60), timedelta(seconds=9)])
    run_import(world.ports, Import(workspace=api.workspace, uid=uid), lambda: next(left))
    halfway = api.get(f"/v1/imports/{uid}").data
    assert (halfway["status"], halfway["rows"]) == ("running", PAGE_ROWS)
    world.drain("JobQueue")
    assert api.get(f"/v1/imports/{uid}").data["created"] == PAGE_ROWS * 2


def test_an_import_of_another_workspace_is_not_found(api: Api, world: World) -> None:
    uid = api.post(IMPORT, {"csv": "email\n"}).data["uid"]
    stranger = world.new_caller()
    assert stranger.get(f"/v1/imports/{uid}").status == 404
    assert stranger.get(f"/v1/imports/{uid}/rejected").status == 404
