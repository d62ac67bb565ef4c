"""Contract of `ports.ContactShards`, and of `ports.Events.find_many`."""

from datetime import UTC, datetime, timedelta
from typing import Protocol

import pytest

from chalicelib.aws import key_schema as keys
from chalicelib.aws.events import DynamoEvents
from chalicelib.errors import InvalidRequest
from chalicelib.model.contact import Contact
from chalicelib.model.contact_shards import CONTACT_SHARDS
from chalicelib.model.event import Event, HistoryQuery
from chalicelib.model.ids import ContactUid, WorkspaceUid
from chalicelib.ports import Contacts, ContactShards, Events
from tests.contract.conftest import Backend
from tests.memory.events import MemoryEvents


class ContactStore(Contacts, ContactShards, Protocol):
    """The ports that one adapter implements."""


W1, W2 = WorkspaceUid("w1"), WorkspaceUid("w2")
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def events(backend: Backend) -> Events:
    if not backend.aws:
        return MemoryEvents()
    return DynamoEvents(backend.client("dynamodb"), backend.env["CONTACTS_TABLE"])


def build_contact(uid: str, **fields: object) -> Contact:
    return Contact.model_validate({"uid": uid, "created_at": NOON, "updated_at": NOON, **fields})


def build_event(contact: str, number: int, name: str = "order.placed") -> Event:
    moment = NOON + timedelta(seconds=number)
    return Event(id=f"{contact}{number}", name=name, contact_uid=contact, occurred_at=moment)


def _fill(contacts: ContactStore, count: int) -> dict[str, Contact]:
    stored = {f"c{number}": build_contact(f"c{number}", first_name=f"N{number}") for number in range(count)}
    for contact in stored.values():
        contacts.add(W1, contact)
    return stored


def _read(contacts: ContactStore, shard: int, limit: int) -> list[Contact]:
    found: list[Contact] = []
    cursor = None
    while True:
        page = contacts.page_shard(W1, shard, limit, cursor)
        assert len(page.items) <= limit
        found += page.items
        cursor = page.cursor
        if cursor is None:
            return found


@pytest.mark.parametrize("limit", [1, 3, 1_000])
def test_the_shards_together_are_all_contacts_each_once(contacts: ContactStore, backend: Backend, limit: int) -> None:
    stored = _fill(contacts, backend.many)
    contacts.add(W2, build_contact("stranger"))
    shards = [_read(contacts, shard, limit) for shard in range(CONTACT_SHARDS)]
    assert sorted(contact.uid for shard in shards for contact in shard) == sorted(stored)
    assert all(contact == stored[contact.uid] for shard in shards for contact in shard)
    assert all([contact.uid for contact in shard] == sorted(contact.uid for contact in shard) for shard in shards)


def test_a_survey_counts_each_shard_and_names_places_to_read_from(contacts: ContactStore, backend: Backend) -> None:
    stored = _fill(contacts, backend.many)
    surveys = [contacts.summarise(W1, shard) for shard in range(CONTACT_SHARDS)]
    assert sum(survey.count for survey in surveys) == len(stored)
    for shard, survey in enumerate(surveys):
        assert survey.count == len(_read(contacts, shard, 1_000))
        assert survey.starts[0] is None
    assert contacts.summarise(W2, 0).count == 0


def test_a_survey_of_megabytes_names_a_place_in_each_of_them(contacts: ContactStore, backend: Backend) -> None:
    backend.skip_on("memory", "it counts contacts, not bytes")
    backend.skip_on("moto", "writing megabytes takes it too long")
    uids = [uid for number in range(5_000) if keys.shard_of(uid := f"big{number:05}") == 7][:30]
    attributes = {f"a{number}": "x" * 1_000 for number in range(90)}
    for uid in uids:
        contacts.add(W1, build_contact(uid, attributes=attributes))
    survey = contacts.summarise(W1, 7)
    assert (survey.count, len(uids), len(survey.starts)) == (30, 30, 3)
    found = [contacts.page_shard(W1, 7, 1, start).items[0].uid for start in survey.starts]
    assert found == sorted(set(found))


def test_a_cursor_of_another_shard_is_refused(contacts: ContactStore, backend: Backend) -> None:
    _fill(contacts, backend.many)
    cursors = ((shard, contacts.page_shard(W1, shard, 1, None).cursor) for shard in range(CONTACT_SHARDS))
    shard, cursor = next((shard, cursor) for shard, cursor in cursors if cursor)
    for other, workspace in (((shard + 1) % CONTACT_SHARDS, W1), (shard, W2)):
        with pytest.raises(InvalidRequest):
            contacts.page_shard(workspace, other, 1, cursor)


def test_the_histories_of_many_contacts_are_read_at_once(events: Events) -> None:
    anna, ben, nobody = ContactUid("anna"), ContactUid("ben"), ContactUid("nobody")
    did = [build_event("anna", number, "a" if number % 2 else "b") for number in range(6)]
    events.add_many(W1, [*did, build_event("ben", 1, "b")])
    found = events.find_many(W1, [anna, ben, nobody], HistoryQuery(frozenset({"b"}), 10))
    assert found == {anna: (did[4], did[2], did[0]), ben: (build_event("ben", 1, "b"),), nobody: ()}
    since = NOON + timedelta(seconds=2)
    assert events.find_many(W1, [anna], HistoryQuery(frozenset({"a", "b"}), 10, since)) == {
        anna: tuple(reversed(did[2:]))
    }
    assert events.find_many(W1, [anna], HistoryQuery(frozenset({"a"}), 1)) == {anna: (did[5],)}
    assert events.find_many(W2, [anna], HistoryQuery(frozenset({"a"}), 1)) == {anna: ()}
    assert events.find_many(W1, [], HistoryQuery(frozenset({"a"}), 1)) == {}
