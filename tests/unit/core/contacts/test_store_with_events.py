"""Store contacts together with the events of their change."""

from collections.abc import Sequence

from chalicelib.core.contacts.store_with_events import REPUBLISH_AFTER, add_contact, republish_events, update_contact
from chalicelib.core.notifications.manage_subscriptions import get_subscriptions
from chalicelib.errors import RetryLater
from chalicelib.model.event import Event
from chalicelib.model.ids import WorkspaceUid
from chalicelib.ports import Ports
from tests.builders import build_contact
from tests.memory.contacts import MemoryContacts
from tests.memory.events import MemoryEvents
from tests.memory.ports import memory_ports
from tests.memory.queues import MemoryEventQueue

WORKSPACE = WorkspaceUid("ws")


class _Queue(MemoryEventQueue):
    """Records the names of sent events. While `is_down` every send fails."""

    def __init__(self) -> None:
        super().__init__()
        self.is_down = False
        self.names: list[str] = []

    def send(self, workspace: WorkspaceUid, events: Sequence[Event]) -> None:
        if self.is_down:
            raise RetryLater("SQS is unavailable")
        self.names += [event.name for event in events]


def _ports(queue: _Queue, *subscribed: str) -> Ports:
    events = MemoryEvents()
    ports = memory_ports(events=events, contacts=MemoryContacts(events), event_queue=queue)
    before = get_subscriptions(ports, WORKSPACE)
    ports.catalog.save(WORKSPACE, before.model_copy(update={"webhook_events": subscribed}))
    return ports


def test_only_subscribed_events_are_published() -> None:
    queue = _Queue()
    ports = _ports(queue, "contact.tagged")
    contact = build_contact(uid="ann")
    add_contact(ports, WORKSPACE, contact)
    update_contact(ports, WORKSPACE, contact, contact.model_copy(update={"tags": ("vip",), "first_name": "Ann"}))
    assert queue.names == ["contact.tagged"]


def test_events_that_could_not_be_published_are_published_later() -> None:
    queue = _Queue()
    ports = _ports(queue, "contact.created")
    queue.is_down = True
    add_contact(ports, WORKSPACE, build_contact(uid="ann", created_at=ports.clock.now(), updated_at=ports.clock.now()))
    queue.is_down = False
    assert republish_events(ports) == 0  # They may still be on their way.
    ports.clock.sleep(REPUBLISH_AFTER * 2)
    assert (republish_events(ports), queue.names) == (1, ["contact.created"])
