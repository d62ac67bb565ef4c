"""Contract of `ports.Events` and `ports.EventQueue`, and of events that are stored with a contact."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.aws.contacts import DynamoContacts
from chalicelib.aws.events import DynamoEvents
from chalicelib.aws.queues import SqsEventQueue
from chalicelib.errors import Conflict, InvalidRequest
from chalicelib.model.contact import Contact
from chalicelib.model.event import Event
from chalicelib.model.ids import ContactUid, WorkspaceUid
from chalicelib.model.queue_messages import EventBatch
from chalicelib.ports import Contacts, EventQueue, Events
from tests.contract.conftest import Backend
from tests.contract.test_queues import bodies
from tests.memory.contacts import MemoryContacts
from tests.memory.events import MemoryEvents
from tests.memory.queues import MemoryEventQueue

W1, W2 = WorkspaceUid("w1"), WorkspaceUid("w2")
ANNA = ContactUid("anna")
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@dataclass
class Stores:
    events: Events
    contacts: Contacts


@pytest.fixture
def stores(backend: Backend) -> Iterator[Stores]:
    if not backend.aws:
        events = MemoryEvents()
        yield Stores(events, MemoryContacts(events))
        return
    client, table = backend.client("dynamodb"), backend.env["CONTACTS_TABLE"]
    yield Stores(DynamoEvents(client, table), DynamoContacts(client, table))


def event(number: int, contact: str = "anna", name: str = "order.placed", **fields: object) -> Event:
    given = {"id": f"e{number}", "name": name, "contact_uid": contact, "occurred_at": NOON + timedelta(seconds=number)}
    return Event.model_validate({**given, **fields})


def contact(uid: str, **fields: object) -> Contact:
    return Contact.model_validate({"uid": uid, "created_at": NOON, "updated_at": NOON, **fields})


def test_a_history_is_read_newest_first_page_by_page_and_by_name(stores: Stores) -> None:
    events = [event(number, name="a" if number % 2 else "b", properties={"n": number}) for number in range(7)]
    stores.events.add_many(W1, events)
    stores.events.add_many(W1, [event(50, contact="ben")])
    first = stores.events.page(W1, ANNA, None, 3, None)
    rest = stores.events.page(W1, ANNA, None, 10, first.cursor)
    assert (*first.items, *rest.items) == tuple(reversed(events))
    assert rest.cursor is None
    assert [each.properties["n"] for each in stores.events.page(W1, ANNA, frozenset({"a"}), 2, None).items] == [5, 3]
    assert stores.events.page(W2, ANNA, None, 10, None).items == ()


def test_a_cursor_of_another_contact_is_refused(stores: Stores) -> None:
    stores.events.add_many(W1, [event(1), event(2)])
    cursor = stores.events.page(W1, ANNA, None, 1, None).cursor
    with pytest.raises(InvalidRequest):
        stores.events.page(W1, ContactUid("ben"), None, 1, cursor)


def test_an_event_is_unprocessed_until_it_is_finished_however_often_it_is_reported(stores: Stores) -> None:
    assert [each.is_unprocessed for each in stores.events.add_many(W1, [event(1)])] == [True]
    assert [each.is_unprocessed for each in stores.events.add_many(W1, [event(1), event(2)])] == [True, True]
    stores.events.finish(W1, [event(1)])
    assert [each.is_unprocessed for each in stores.events.add_many(W1, [event(1), event(2)])] == [False, True]
    assert len(stores.events.page(W1, ANNA, None, 10, None).items) == 2


def test_another_event_under_the_same_id_is_not_kept(stores: Stores) -> None:
    stores.events.add_many(W1, [event(1)])
    other = event(1, contact="ben")
    later = event(1, occurred_at=NOON + timedelta(days=1))
    assert [each.is_unprocessed for each in stores.events.add_many(W1, [other, later])] == [False, False]
    assert stores.events.page(W1, ContactUid("ben"), None, 10, None).items == ()
    assert [each.is_unprocessed for each in stores.events.add_many(W2, [other])] == [True]


def test_an_event_of_a_contact_change_is_unpublished_until_it_is_reported(stores: Stores) -> None:
    created, tagged = event(1, name="contact.created"), event(2, name="contact.tagged")
    anna = contact("anna")
    stores.contacts.add(W1, anna, [created])
    stores.contacts.save(W1, anna, anna.model_copy(update={"tags": ("vip",)}), [tagged])
    late = NOON + timedelta(minutes=5)
    unpublished = sorted(stores.events.find_unpublished(late), key=lambda entry: entry[1].id)
    assert unpublished == [(W1, created), (W1, tagged)]
    assert list(stores.events.find_unpublished(NOON)) == []
    assert stores.events.page(W1, ANNA, None, 10, None).items == (tagged, created)
    stores.events.add_many(W1, [created])
    assert list(stores.events.find_unpublished(late)) == [(W1, tagged)]


def test_a_change_that_is_refused_tells_nothing(stores: Stores) -> None:
    anna = contact("anna", email="a@example.org")
    stores.contacts.add(W1, anna)
    with pytest.raises(Conflict):
        stores.contacts.add(W1, contact("ben", email="a@example.org"), [event(1, contact="ben")])
    with pytest.raises(Conflict):
        stores.contacts.save(W1, anna.model_copy(update={"rev": 7}), anna, [event(2)])
    assert list(stores.events.find_unpublished(NOON + timedelta(days=1))) == []


def test_many_contacts_are_stored_with_their_news(stores: Stores) -> None:
    lookups = [contact(f"c{n}", email=f"c{n}@example.org", phone=f"+4915{n}", external_id=f"x{n}") for n in range(25)]
    news = {each.uid: [event(n, contact=each.uid)] for n, each in enumerate(lookups)}
    assert stores.contacts.add_many(W1, lookups, news) == ()
    assert {each.contact_uid for _, each in stores.events.find_unpublished(NOON + timedelta(days=1))} == set(news)


def test_a_history_is_removed_whole(stores: Stores) -> None:
    stores.events.add_many(W1, [event(number) for number in range(40)])
    stores.events.add_many(W1, [event(50, contact="ben")])
    stores.events.remove_all(W1, ANNA)
    stores.events.remove_all(W1, ANNA)
    assert stores.events.page(W1, ANNA, None, 10, None).items == ()
    assert len(stores.events.page(W1, ContactUid("ben"), None, 10, None).items) == 1


def test_events_arrive_in_their_queue_also_when_they_are_many_and_large(backend: Backend) -> None:
    sent = [event(number, properties={"text": "x" * 4_000}) for number in range(60)]
    queue: EventQueue
    if not backend.aws:
        queue = memory = MemoryEventQueue()
        queue.send(W1, sent)
        assert memory.entries == [(W1, each) for each in sent]
        return
    client, url = backend.client("sqs"), backend.env["EVENT_QUEUE_URL"]
    queue = SqsEventQueue(client, url)
    queue.send(W1, sent)
    arrived = [EventBatch.model_validate_json(body) for body in bodies(client, url)]
    assert {each.workspace for each in arrived} == {W1}
    assert {each.id for part in arrived for each in part.events} == {each.id for each in sent}


def test_a_history_is_blanked_in_its_place_and_nobody_is_told_of_it(stores: Stores) -> None:
    told = [event(number, properties={"to": "anna@example.org"}) for number in range(30)]
    stores.events.add_many(W1, told)
    stores.contacts.add(W1, contact("anna"), [event(40, properties={"to": "anna@example.org"})])
    stores.events.add_many(W1, [event(50, contact="ben", properties={"a": 1})])
    for _ in range(2):
        stores.events.anonymise_all(W1, ANNA)
    after = stores.events.page(W1, ANNA, None, 100, None).items
    assert [(each.name, each.occurred_at) for each in reversed(after)] == [
        (each.name, each.occurred_at) for each in (*told, event(40))
    ]
    assert "anna@" not in str(after)
    assert {each.id for each in told} & {each.id for each in after} == set()
    assert list(stores.events.find_unpublished(NOON + timedelta(days=1))) == []
    assert [each.properties for each in stores.events.page(W1, ContactUid("ben"), None, 10, None).items] == [{"a": 1}]
