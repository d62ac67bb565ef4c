"""Import one page of rows: create, update, skip and reject contacts."""

from tests.integration.conftest import Api, World
from tests.integration.contacts.import_helpers import numbers, rejected, run


def test_rows_of_existing_contacts_update_them_or_are_skipped(api: Api, world: World) -> None:
    api.post("/v1/contacts", {"email": "ada@example.com", "lastName": "Lovelace"})
    text = "email,firstName\nada@example.com,Ada\nbob@example.com,Bob\n"
    skipped = run(api, world, text, onExisting="skip")
    assert numbers(skipped) == {"rows": 2, "created": 1, "updated": 0, "skipped": 1, "rejected": 0}
    updated = run(api, world, text)
    assert numbers(updated) == {"rows": 2, "created": 0, "updated": 2, "skipped": 0, "rejected": 0}
    ada = api.post("/v1/contacts", {"email": "ada@example.com"}).data
    assert (ada["firstName"], ada["lastName"]) == ("Ada", "Lovelace")


def test_the_second_of_two_rows_for_one_contact_wins(api: Api, world: World) -> None:
    progress = run(api, world, "email,firstName\nada@example.com,A\nADA@example.com,B\n")
    assert numbers(progress) == {"rows": 2, "created": 1, "updated": 1, "skipped": 0, "rejected": 0}
    assert [contact["firstName"] for contact in api.get("/v1/contacts").json["data"]] == ["B"]


def test_invalid_rows_are_rejected_with_line_reason_and_cells(api: Api, world: World) -> None:
    text = (
        "email,phone,firstName,status\n"
        "good@example.com,,Ok,\n"
        "nobody,+12,Two,\n"
        ",,=1+1,\n"
        "a@example.com,+4915123456789,Four\n"
        "b@example.com,,,SLEEPING\n"
        'c@example.com,,"open,\n'
        "d@example.com,,last,\n"
    )
    progress = run(api, world, text)
    assert numbers(progress) == {"rows": 7, "created": 2, "updated": 0, "skipped": 0, "rejected": 5}
    header, *rows = rejected(api, progress)
    assert header == ["rejectedLine", "rejectedReason", "email", "phone", "firstName", "status"]
    assert [row[0] for row in rows] == ["3", "4", "5", "6", "7"]
    assert "email is not an e-mail address" in rows[0][1]
    assert "phone is not a phone number" in rows[0][1]
    assert rows[0][2:] == ["nobody", "+12", "Two", ""]
    assert rows[1][4] == "'=1+1"
    assert "cells" in rows[2][1]
    assert "status must be one of" in rows[3][1]
    assert "quote" in rows[4][1]


def test_a_row_with_a_unique_field_of_another_contact_is_rejected(api: Api, world: World) -> None:
    text = "externalId,email\n1,ada@example.com\n2,bob@example.com\n1,bob@example.com\n"
    progress = run(api, world, text)
    assert numbers(progress) == {"rows": 3, "created": 2, "updated": 0, "skipped": 0, "rejected": 1}
    assert "belongs to contact" in rejected(api, progress)[1][1]
