"""From a CSV file to mails: one mail per contact, and the same statistics in every route."""

import json
import re

from tests.e2e.stack import Stack, check_accounts

GOOD = [f"csv-{n},csv{n}@example.com,Person {n}" for n in range(300)]
BAD = ["bad-1,not an address,Nobody", "bad-2,@example.com,Nobody", ",,"]


def test_a_csv_becomes_mails(shared: Stack) -> None:
    rows = [*GOOD[:100], BAD[0], *GOOD[100:200], BAD[1], *GOOD[200:], BAD[2]]

    done = shared.import_contacts("\n".join(["externalId,email,firstName", *rows, ""]))

    assert (done["created"], done["rejected"]) == (300, 3)
    assert shared.get_with_key(done["rejectedUrl"]).decode().count("\n") == 4
    known = {each["externalId"]: each["uid"] for each in shared.every("/v1/contacts")}
    contacts = [known[row.partition(",")[0]] for row in GOOD]
    assert not {"bad-1", "bad-2"} & known.keys()

    flow = shared.start_flow(contacts)
    ended = shared.await_end(flow, 30)

    assert (ended["status"], ended["stats"]["sent"]) == ("completed", 300)
    assert len(check_accounts(shared, flow, contacts)) == 300
    newest = shared.get("/outbox?limit=500")[1].decode()
    assert {f"csv{n}@example.com" for n in range(300)} <= set(re.findall(r"csv\d+@example\.com", newest))
    link = re.search(r"href='(/outbox/[^']+\.eml)'>Hi Person 299<", newest)
    assert link is not None
    assert "Hello Person 299" in shared.get(link[1])[1].decode()


def test_the_log_has_one_timestamp_per_line_and_no_personal_data(shared: Stack) -> None:
    log = shared.read_log()

    assert "steps.done records=" in log
    assert re.search(r"^\d\d:\d\d:\d\d .*\d\d:\d\d:\d\d", log, re.MULTILINE) is None
    assert "@example.com" not in log
    assert "Person" not in log
    assert ("Dashboard" in log) == ("/" in json.loads((shared.data / "sources.json").read_text())["routes"])
