"""Contract of `ports.Contacts`."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.aws.contacts import DynamoContacts
from chalicelib.errors import Conflict, InvalidRequest, RetryLater, TooLarge
from chalicelib.model.contact import ConsentState, Contact
from chalicelib.model.ids import ContactUid, WorkspaceUid
from chalicelib.model.message import MessageType
from chalicelib.ports import Contacts
from tests.contract.conftest import Backend

W1, W2 = WorkspaceUid("w1"), WorkspaceUid("w2")
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def build_contact(uid: str, **fields: object) -> Contact:
    return Contact.model_validate({"uid": uid, "created_at": NOON, "updated_at": NOON, **fields})


def find(contacts: Contacts, uid: str, workspace: WorkspaceUid = W1) -> Contact | None:
    return contacts.find_many(workspace, [ContactUid(uid)], strong=True).get(ContactUid(uid))


# ---- add, find ----


def test_a_contact_comes_back_as_it_was_stored(contacts: Contacts) -> None:
    anna = build_contact(
        "anna",
        email="Anna@example.org",
        phone="+4915112345678",
        external_id="A-1",
        first_name="Anna",
        tags=("vip", "news"),
        attributes={"size": 42, "ratio": 1.5, "on": True, "none": None, "list": (1, "two")},
        consent={"email": {MessageType.NEWSLETTER: ConsentState.GRANTED}},
        push_tokens=("t1",),
    )
    contacts.add(W1, anna)
    contacts.add(W1, build_contact("bare"))
    assert find(contacts, "anna") == anna
    assert find(contacts, "bare") == build_contact("bare")


def test_many_are_found_at_once_and_those_that_are_missing_are_left_out(contacts: Contacts, backend: Backend) -> None:
    for number in range(backend.many):
        contacts.add(W1, build_contact(f"c{number}"))
    wanted = [ContactUid(f"c{number}") for number in range(0, 500, 2)]
    found = contacts.find_many(W1, [*wanted, *wanted], strong=False)
    assert set(found) == {ContactUid(f"c{number}") for number in range(0, backend.many, 2)}
    assert all(uid == contact.uid for uid, contact in found.items())
    assert contacts.find_many(W1, [], strong=True) == {}


def test_contacts_are_found_by_their_lookups(contacts: Contacts) -> None:
    contacts.add(W1, build_contact("anna", email="Anna@Example.org", phone="+4915112345678", external_id="A-1"))
    asked = ["email:anna@example.org", "phone:+4915112345678", "externalId:A-1", "email:nobody@example.org"]
    assert contacts.find_by(W1, asked) == dict.fromkeys(asked[:3], "anna")
    assert contacts.find_by(W2, asked) == {}
    assert contacts.find_by(W1, []) == {}


def test_a_taken_uid_is_a_conflict_even_for_the_same_contact(contacts: Contacts) -> None:
    anna = build_contact("anna", email="anna@example.org")
    contacts.add(W1, anna)
    for again in (anna, build_contact("anna", email="other@example.org")):
        with pytest.raises(Conflict, match="Contact anna already exists"):
            contacts.add(W1, again)
    assert contacts.find_by(W1, ["email:other@example.org"]) == {}


@pytest.mark.parametrize(
    ("field", "name", "value"),
    [("email", "email", "a@example.org"), ("phone", "phone", "+491511"), ("external_id", "externalId", "A-1")],
)
def test_a_taken_lookup_is_named_with_its_holder_but_without_the_address(
    contacts: Contacts, field: str, name: str, value: str
) -> None:
    contacts.add(W1, build_contact("anna", **{field: value}))
    free = {"email": "free@example.org", "phone": "+492222", "external_id": "B-2", field: value}
    with pytest.raises(Conflict, match=rf"^{name} is already used by contact anna$"):
        contacts.add(W1, build_contact("berta", **free))
    assert find(contacts, "berta") is None
    assert set(contacts.find_by(W1, build_contact("berta", **free).lookups()).values()) == {"anna"}
    contacts.add(W2, build_contact("berta", **free))


def test_of_contacts_added_together_only_those_in_conflict_are_kept_out(contacts: Contacts) -> None:
    contacts.add(W1, build_contact("ann", email="ann@example.com"))
    many = [build_contact(f"c{n}", email=f"c{n}@example.com", external_id=f"x{n}") for n in range(23)]
    taken = [build_contact("ann"), build_contact("other", email="ann@example.com")]
    assert contacts.add_many(W1, many[:12]) == ()
    assert contacts.add_many(W1, [*many[12:], *taken]) == ("ann", "other")
    uids = [ContactUid(contact.uid) for contact in many]
    assert contacts.find_many(W1, uids, strong=True) == {contact.uid: contact for contact in many}
    assert contacts.find_by(W1, ["email:c3@example.com", "externalId:x22"]) == {
        "email:c3@example.com": "c3",
        "externalId:x22": "c22",
    }
    assert find(contacts, "other") is None


def test_of_many_racing_adds_with_one_email_one_wins(contacts: Contacts, backend: Backend) -> None:
    backend.skip_on("moto", "it is not safe for threads: a failing transaction loses concurrent writes")

    def add(number: int) -> str | None:
        try:
            contacts.add(W1, build_contact(f"c{number}", email="same@example.org"))
        except (Conflict, RetryLater):
            return None
        return f"c{number}"

    with ThreadPoolExecutor(8) as pool:
        winners = [uid for uid in pool.map(add, range(8)) if uid]
    assert len(winners) == 1
    assert contacts.find_by(W1, ["email:same@example.org"]) == {"email:same@example.org": winners[0]}
    assert [contact.uid for contact in contacts.page(W1, 10, None).items] == winners


def test_a_contact_that_no_item_can_hold_is_too_large(contacts: Contacts) -> None:
    attributes = {f"a{number}": ("x" * 1024,) * 50 for number in range(8)}
    with pytest.raises(TooLarge):
        contacts.add(W1, build_contact("anna", email="anna@example.org", attributes=attributes))
    assert contacts.find_by(W1, ["email:anna@example.org"]) == {}


# ---- save ----


def test_each_save_returns_the_next_rev(contacts: Contacts) -> None:
    anna = build_contact("anna", email="anna@example.org")
    contacts.add(W1, anna)
    first = contacts.save(W1, anna, anna.with_fields({"first_name": "Anna"}))
    second = contacts.save(W1, first, first.with_fields({"email": "new@example.org"}))
    assert (first.rev, second.rev) == (1, 2)
    assert find(contacts, "anna") == second


def test_a_save_moves_the_lookups(contacts: Contacts) -> None:
    anna = build_contact("anna", email="old@example.org", phone="+491511")
    contacts.add(W1, anna)
    contacts.save(W1, anna, anna.with_fields({"email": "new@example.org", "phone": None, "external_id": "A-1"}))
    asked = ["email:old@example.org", "email:new@example.org", "phone:+491511", "externalId:A-1"]
    assert contacts.find_by(W1, asked) == {"email:new@example.org": "anna", "externalId:A-1": "anna"}
    contacts.add(W1, build_contact("berta", email="old@example.org", phone="+491511"))


def test_a_save_that_takes_anothers_email_changes_nothing(contacts: Contacts) -> None:
    anna, berta = build_contact("anna", email="anna@example.org"), build_contact("berta", email="berta@example.org")
    contacts.add(W1, anna)
    contacts.add(W1, berta)
    with pytest.raises(Conflict, match=r"^email is already used by contact anna$"):
        contacts.save(W1, berta, berta.with_fields({"email": "anna@example.org", "phone": "+491511"}))
    assert find(contacts, "berta") == berta
    held = contacts.find_by(W1, ["email:anna@example.org", "email:berta@example.org", "phone:+491511"])
    assert held == {"email:anna@example.org": "anna", "email:berta@example.org": "berta"}


@pytest.mark.parametrize("fields", [{"first_name": "Anna"}, {"email": "new@example.org"}])
def test_of_two_writers_one_wins(contacts: Contacts, fields: dict[str, object]) -> None:
    anna = build_contact("anna", email="anna@example.org")
    contacts.add(W1, anna)
    contacts.save(W1, anna, anna.with_fields({"last_name": "Mine"}))
    with pytest.raises(Conflict, match="Contact anna was changed by another request"):
        contacts.save(W1, anna, anna.with_fields(fields))
    stored = find(contacts, "anna")
    assert stored
    assert (stored.last_name, stored.rev) == ("Mine", 1)
    assert contacts.find_by(W1, ["email:new@example.org"]) == {}


@pytest.mark.parametrize("fields", [{"first_name": "Anna"}, {"email": "new@example.org"}])
def test_a_removed_contact_cannot_be_saved(contacts: Contacts, fields: dict[str, object]) -> None:
    anna = build_contact("anna", email="anna@example.org")
    with pytest.raises(Conflict):
        contacts.save(W1, anna, anna.with_fields(fields))
    assert find(contacts, "anna") is None
    assert contacts.find_by(W1, ["email:new@example.org"]) == {}


@pytest.mark.parametrize("fields", [{"first_name": "Anna"}, {"email": "new@example.org"}])
def test_a_save_repeated_after_a_lost_answer_counts_as_held(contacts: Contacts, fields: dict[str, object]) -> None:
    anna = build_contact("anna", email="anna@example.org")
    contacts.add(W1, anna)
    changed = anna.with_fields(fields)
    assert contacts.save(W1, anna, changed) == contacts.save(W1, anna, changed)
    assert find(contacts, "anna") == changed.model_copy(update={"rev": 1})


def test_of_contacts_saved_together_only_those_in_conflict_are_kept_as_they_were(contacts: Contacts) -> None:
    many = [build_contact(f"c{n}", email=f"c{n}@example.com") for n in range(30)]
    for contact in many:
        contacts.add(W1, contact)
    contacts.save(W1, many[3], many[3].with_fields({"first_name": "Somebody else's"}))
    changes = [(contact, contact.with_fields({"tags": ("vip",)})) for contact in [*many, build_contact("gone")]]
    assert contacts.save_many(W1, changes) == tuple(before.uid not in {"c3", "gone"} for before, _ in changes)
    found = contacts.find_many(W1, [ContactUid(before.uid) for before, _ in changes], strong=True)
    assert {uid: (contact.tags, contact.rev) for uid, contact in found.items()} == {
        contact.uid: ((), 1) if contact.uid == "c3" else (("vip",), 1) for contact in many
    }
    assert contacts.save_many(W1, []) == ()


@pytest.mark.parametrize("count", [1, 2])
def test_saves_together_repeated_after_a_lost_answer_count_as_held(contacts: Contacts, count: int) -> None:
    many = [build_contact(f"c{n}") for n in range(count)]
    assert contacts.add_many(W1, many) == ()
    changes = [(contact, contact.with_fields({"tags": ("vip",)})) for contact in many]
    assert all(contacts.save_many(W1, changes))
    assert all(contacts.save_many(W1, changes))
    assert [find(contacts, contact.uid) for contact in many] == [
        after.model_copy(update={"rev": 1}) for _, after in changes
    ]


def test_an_add_whose_answer_was_lost_is_repeated_by_the_client_without_a_conflict(
    backend: Backend, lose_answer: Callable[[Any, str], None]
) -> None:
    backend.skip_on("memory", "there is no answer to lose")
    backend.skip_on("moto", "it ignores ClientRequestToken")
    client = backend.retrying_client("dynamodb")
    contacts = DynamoContacts(client, backend.env["CONTACTS_TABLE"])
    lose_answer(client, "TransactWriteItems")
    contacts.add(W1, build_contact("anna", email="anna@example.org"))
    assert find(contacts, "anna")


# ---- remove ----


def test_removal_frees_the_lookups_and_can_be_repeated(contacts: Contacts) -> None:
    anna = build_contact("anna", email="anna@example.org", phone="+491511")
    contacts.add(W1, anna)
    contacts.add(W2, anna)
    for _ in range(2):
        contacts.remove(W1, anna)
    assert find(contacts, "anna") is None
    assert contacts.find_by(W1, anna.lookups()) == {}
    assert find(contacts, "anna", W2) == anna
    contacts.add(W1, build_contact("berta", email="anna@example.org"))


def test_removal_of_a_contact_read_long_ago_frees_what_it_holds_now(contacts: Contacts) -> None:
    anna = build_contact("anna", email="old@example.org")
    contacts.add(W1, anna)
    contacts.save(W1, anna, anna.with_fields({"email": "new@example.org"}))
    contacts.add(W1, build_contact("berta", email="old@example.org"))
    contacts.remove(W1, anna)
    assert find(contacts, "anna") is None
    asked = ["email:old@example.org", "email:new@example.org"]
    assert contacts.find_by(W1, asked) == {"email:old@example.org": "berta"}


def test_removal_of_what_is_gone_leaves_anothers_lookups_alone(contacts: Contacts) -> None:
    anna = build_contact("anna", email="anna@example.org")
    contacts.add(W1, anna)
    contacts.remove(W1, anna)
    contacts.add(W1, build_contact("berta", email="anna@example.org"))
    contacts.remove(W1, anna)
    assert contacts.find_by(W1, ["email:anna@example.org"]) == {"email:anna@example.org": "berta"}


# ---- page ----


@pytest.mark.parametrize("limit", [1, 7, 100, 250])
def test_pages_hold_every_contact_once(contacts: Contacts, backend: Backend, limit: int) -> None:
    count = 20 if limit == 1 else backend.many
    for number in range(count):
        contacts.add(W1, build_contact(f"c{number}"))
    contacts.add(W2, build_contact("foreign"))
    pages = [contacts.page(W1, limit, None)]
    while cursor := pages[-1].cursor:
        pages.append(contacts.page(W1, limit, cursor))
    assert {len(page.items) for page in pages[:-1]} <= {limit}
    uids = [contact.uid for page in pages for contact in page.items]
    assert len(uids) == count
    assert set(uids) == {f"c{number}" for number in range(count)}
    assert contacts.page(WorkspaceUid("empty"), limit, None).items == ()


@pytest.mark.parametrize(
    "cursor", ["", "x", "!!!", "bm90IGpzb24", "W10", "eyJzayI6IDF9", "e30", "eyJzayI6eyJTIjoiXHVkODAwIn19"]
)
def test_a_cursor_that_is_none_is_an_invalid_request(contacts: Contacts, cursor: str) -> None:
    with pytest.raises(InvalidRequest):
        contacts.page(W1, 10, cursor)


def test_a_cursor_of_another_workspace_is_an_invalid_request(contacts: Contacts) -> None:
    for number in range(3):
        contacts.add(W1, build_contact(f"c{number}"))
    with pytest.raises(InvalidRequest):
        contacts.page(W2, 1, contacts.page(W1, 1, None).cursor)
