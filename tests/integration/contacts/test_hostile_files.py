"""Hostile files: bad rows are rejected, good rows are imported, and nothing is unpacked or run."""

import csv
import io
from typing import Any

import pytest

from chalicelib.model.contact import Contact
from tests.hostile import files
from tests.hostile.request import Ask, ask
from tests.integration.conftest import Api, World
from tests.integration.reporting.test_export import export_all

CSV, LINES = {"Content-Type": "text/csv"}, {"Content-Type": "application/x-ndjson"}
#: What a spreadsheet runs, or takes for an equals sign.
RUNS = ("=", "+", "-", "@", "\t", "\r")
FORMULAS = (
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(A1)",
    '=HYPERLINK("http://x")',
    "=cmd|' /C calc'!A0",
    "\t=1",
    "-2+3+cmd|' /C'!A0",
)


def read(api: Api, world: World, content: bytes, headers: dict[str, str]) -> Any:
    """The import when it is over."""
    reply = api.post(files.IMPORT, content, headers=headers)
    assert reply.status == 202, reply.text[:300]
    world.drain("JobQueue")
    return api.get(f"/v1/imports/{reply.data['uid']}").data


@pytest.mark.parametrize(("content", "rows"), [each[1:] for each in files.taken()], ids=[e[0] for e in files.taken()])
def test_a_bad_row_of_a_csv_is_rejected_alone(api: Api, world: World, content: bytes, rows: tuple[int, int]) -> None:
    _check(api, read(api, world, content, CSV), rows)


@pytest.mark.parametrize(("content", "rows"), [each[1:] for each in files.lines()], ids=[e[0] for e in files.lines()])
def test_a_bad_line_of_json_is_rejected_alone(api: Api, world: World, content: bytes, rows: tuple[int, int]) -> None:
    _check(api, read(api, world, content, LINES), rows)


def _check(api: Api, done: Any, rows: tuple[int, int]) -> None:
    assert done["status"] == "completed", done
    assert (done["rows"], done["rejected"]) == rows
    found = api.all_pages("/v1/contacts")
    assert {each["email"] for each in found} == {"good@example.com"}
    if done["rejected"]:
        shown = list(csv.reader(io.StringIO(api.get(done["rejectedUrl"]).text)))
        assert len(shown) == 1 + done["rejected"]
        assert all(reason for _, reason, *_ in shown[1:])


@pytest.mark.parametrize("encoding", ["", "gzip"])
@pytest.mark.parametrize("name", ["bomb.csv", "bomb.zip"])
def test_what_is_compressed_is_not_unpacked(api: Api, world: World, name: str, encoding: str) -> None:
    """An object is not unpacked even if its metadata says that it is compressed."""
    content = files.bombs()[name]
    assert len(content) < 3_000_000
    bucket = world.ports.files._bucket  # type: ignore[attr-defined]  # the adapter's, to put an object with a header
    place = {"Bucket": bucket, "Key": f"{api.workspace}/uploads/{name}"}
    world.aws.client("s3").put_object(**place, Body=content, ContentEncoding=encoding)
    asked = ask(api, Ask(name, files.IMPORT, {"fileName": name}, ("csv",)))
    assert asked.faults() == []
    assert asked.reply.status == 422
    assert world.drain("JobQueue") == 0


def test_a_large_upload_is_not_read_by_the_request(api: Api, world: World) -> None:
    content = b"email\n" + b"a@example.com\n" * 4_000_000
    world.ports.files.put(f"{api.workspace}/uploads/large.csv", content)
    asked = ask(api, Ask("large", files.IMPORT, {"fileName": "large.csv"}))
    assert asked.faults() == []
    assert asked.reply.data["totalBytes"] == len(content)


def test_no_cell_of_an_export_runs_and_phones_stay_whole(api: Api, world: World) -> None:
    for number, formula in enumerate(FORMULAS):
        said = {"firstName": formula, "lastName": formula, "attributes": {"note": formula, "list": [formula]}}
        body = {"externalId": f"{formula[:20]}{number}", "tags": [formula[:60]], "phone": f"+49151234567{number:02d}"}
        assert api.post("/v1/contacts", {**body, **said}).status == 201
    now = world.ports.clock.now()
    dashed = Contact(uid="-1-2", email="dash@example.com", created_at=now, updated_at=now)
    world.ports.contacts.add(api.workspace, dashed)
    text = export_all(api, world)
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == len(FORMULAS) + 1
    running = {(name, cell) for row in rows for name, cell in row.items() if cell.startswith(RUNS) and name != "phone"}
    assert running == set()
    assert {row["phone"] for row in rows} == {"", *(f"+49151234567{n:02d}" for n in range(len(FORMULAS)))}
    before = {each["uid"]: each["firstName"] for each in api.all_pages("/v1/contacts")}
    other = world.new_caller()
    done = read(other, world, text.encode(), CSV)
    assert (done["created"], done["rejected"]) == (len(rows), 0)
    assert {each["uid"]: each["firstName"] for each in other.all_pages("/v1/contacts")} == before
