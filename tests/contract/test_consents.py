"""Contract of `ports.Consents`, and of consent records that are stored with a contact."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.aws.consents import DynamoConsents
from chalicelib.aws.contacts import DynamoContacts
from chalicelib.errors import Conflict, InvalidRequest
from chalicelib.model.consent import ConsentRecord
from chalicelib.model.contact import ConsentState, Contact
from chalicelib.model.ids import ContactUid, WorkspaceUid
from chalicelib.model.message import MessageType
from chalicelib.ports import Consents, Contacts
from tests.contract.conftest import Backend
from tests.memory.consents import MemoryConsents
from tests.memory.contacts import MemoryContacts

W1, W2 = WorkspaceUid("w1"), WorkspaceUid("w2")
ANNA = ContactUid("anna")
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@dataclass
class Stores:
    consents: Consents
    contacts: Contacts


@pytest.fixture
def stores(backend: Backend) -> Iterator[Stores]:
    if not backend.aws:
        consents = MemoryConsents()
        yield Stores(consents, MemoryContacts(consents=consents))
        return
    client, table = backend.client("dynamodb"), backend.env["CONTACTS_TABLE"]
    yield Stores(DynamoConsents(client, table), DynamoContacts(client, table))


def record(second: int = 0, channel: str = "email", **fields: Any) -> ConsentRecord:
    at = NOON + timedelta(seconds=second)
    given = {"channel_type": channel, "message_type": MessageType.NEWSLETTER, "state": ConsentState.GRANTED, "at": at}
    return ConsentRecord.model_validate({**given, **fields})


def contact(uid: str = "anna", **fields: object) -> Contact:
    return Contact.model_validate({"uid": uid, "created_at": NOON, "updated_at": NOON, **fields})


def said(stores: Stores, workspace: WorkspaceUid = W1, uid: ContactUid = ANNA) -> tuple[ConsentRecord, ...]:
    return stores.consents.page(workspace, uid, 100, None).items


def test_a_word_comes_back_as_it_was_said(stores: Stores) -> None:
    whole = record(source="shop", proof="Ticked the box ☑", collected_at=NOON - timedelta(days=1), state=None)
    stores.contacts.add(W1, contact(), consents=[whole])
    assert said(stores) == (whole,)
    assert said(stores, W2) == ()


def test_words_are_kept_newest_first_page_after_page(stores: Stores) -> None:
    anna = contact()
    stores.contacts.add(W1, anna, consents=[record(0, "email"), record(0, "sms")])
    for second in range(1, 8):
        after = anna.model_copy(update={"first_name": str(second)})
        anna = stores.contacts.save(W1, anna, after, consents=[record(second)])
    pages = [stores.consents.page(W1, ANNA, 4, None)]
    while cursor := pages[-1].cursor:
        pages.append(stores.consents.page(W1, ANNA, 4, cursor))
    assert [len(page.items) for page in pages] == [4, 4, 1]
    found = [each for page in pages for each in page.items]
    assert [each.at for each in found] == sorted((each.at for each in found), reverse=True)
    assert {each.channel_type for each in found[-2:]} == {"email", "sms"}


def test_two_words_of_one_moment_are_both_kept(stores: Stores) -> None:
    anna = contact()
    stores.contacts.add(W1, anna, consents=[record()])
    stores.contacts.save(W1, anna, anna, consents=[record(state=ConsentState.REVOKED)])
    assert [each.state for each in said(stores)] == ["REVOKED", "GRANTED"]


def test_a_change_that_is_refused_leaves_no_word(stores: Stores) -> None:
    anna = contact(email="a@example.org")
    stores.contacts.add(W1, anna)
    with pytest.raises(Conflict):
        stores.contacts.add(W1, contact("ben", email="a@example.org"), consents=[record()])
    with pytest.raises(Conflict):
        stores.contacts.save(W1, anna.model_copy(update={"rev": 7}), anna, consents=[record()])
    assert said(stores) == said(stores, uid=ContactUid("ben")) == ()


def test_many_contacts_are_stored_with_their_words_also_beyond_one_transaction(stores: Stores) -> None:
    many = [contact(f"c{n}", email=f"c{n}@example.org", phone=f"+4915{n}", external_id=f"x{n}") for n in range(25)]
    words = {each.uid: [record(channel="email"), record(channel="sms")] for each in many}
    assert stores.contacts.add_many(W1, many, None, words) == ()
    assert all(len(said(stores, uid=ContactUid(each.uid))) == 2 for each in many)


def test_words_are_removed_whole_and_nobody_elses(stores: Stores) -> None:
    for uid in ("anna", "ben"):
        stores.contacts.add(W1, contact(uid), consents=[record(0, f"channel{n}") for n in range(30)])
    stores.consents.remove_all(W1, ANNA)
    stores.consents.remove_all(W1, ANNA)
    assert (len(said(stores)), len(said(stores, uid=ContactUid("ben")))) == (0, 30)


def test_a_cursor_of_another_list_is_refused(stores: Stores) -> None:
    stores.contacts.add(W1, contact(), consents=[record(0, "email"), record(0, "sms")])
    cursor = stores.consents.page(W1, ANNA, 1, None).cursor
    with pytest.raises(InvalidRequest):
        stores.consents.page(W1, ContactUid("ben"), 1, cursor)


def test_a_lost_answer_of_a_save_with_words_is_a_success(
    stores: Stores, backend: Backend, lose_answer: Callable[[Any, str], None]
) -> None:
    if not backend.aws:
        pytest.skip("memory loses no answers")
    backend.skip_on("moto", "it ignores the token of a transaction")
    client = backend.retrying_client("dynamodb")
    contacts = DynamoContacts(client, backend.env["CONTACTS_TABLE"])
    anna = contact()
    contacts.add(W1, anna)
    lose_answer(client, "TransactWriteItems")
    assert contacts.save(W1, anna, anna, consents=[record()]).rev == 1
    assert said(stores) == (record(),)
