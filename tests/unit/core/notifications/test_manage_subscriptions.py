"""Test which campaign an event starts: subscriptions are added, replaced and removed."""

import pytest

from chalicelib.core.notifications.manage_subscriptions import (
    find_subscriptions,
    get_subscriptions,
    unsubscribe_flow,
    update_subscription,
)
from chalicelib.errors import Conflict, RetryLater
from chalicelib.model.event_subscription import EventSubscription
from chalicelib.model.ids import WorkspaceUid
from chalicelib.ports import Ports
from tests.memory.catalog import D, MemoryCatalog
from tests.memory.ports import memory_ports

WORKSPACE = WorkspaceUid("ws")
WELCOME = EventSubscription(campaign_uid="welcome", flow_uid="flow-1", event="contact.created")
ORDERS = EventSubscription(campaign_uid="orders", flow_uid="flow-2", event="order.placed")


class ContestedCatalog(MemoryCatalog):
    """A catalog that makes the first `conflicts` saves lose a race."""

    def __init__(self, conflicts: int) -> None:
        super().__init__()
        self.conflicts = conflicts

    def save(self, workspace: WorkspaceUid, document: D) -> D:
        if self.conflicts:
            self.conflicts -= 1
            raise Conflict("changed by another request")
        return super().save(workspace, document)


def _subscribed(ports: Ports, event: str) -> list[str]:
    found = find_subscriptions(ports, WORKSPACE)
    return [each.campaign_uid for each in found.of(event)] if found else []


def test_reading_stores_nothing_and_getting_creates_the_document_once() -> None:
    ports = memory_ports()
    assert find_subscriptions(ports, WORKSPACE) is None
    assert get_subscriptions(ports, WORKSPACE) == get_subscriptions(ports, WORKSPACE)
    assert find_subscriptions(ports, WORKSPACE) is not None


def test_campaigns_subscribe_to_their_events() -> None:
    ports = memory_ports()
    for subscription in (WELCOME, ORDERS):
        update_subscription(ports, WORKSPACE, subscription)
    assert _subscribed(ports, "contact.created") == ["welcome"]
    assert _subscribed(ports, "order.placed") == ["orders"]
    assert _subscribed(ports, "order.paid") == []


def test_a_campaign_has_one_subscription() -> None:
    ports = memory_ports()
    update_subscription(ports, WORKSPACE, ORDERS)
    update_subscription(ports, WORKSPACE, ORDERS.model_copy(update={"event": "order.paid"}))
    assert (_subscribed(ports, "order.placed"), _subscribed(ports, "order.paid")) == ([], ["orders"])


def test_an_ended_flow_is_removed_and_others_stay() -> None:
    ports = memory_ports()
    for subscription in (WELCOME, ORDERS):
        update_subscription(ports, WORKSPACE, subscription)
    unsubscribe_flow(ports, WORKSPACE, WELCOME.flow_uid)
    assert (_subscribed(ports, "contact.created"), _subscribed(ports, "order.placed")) == ([], ["orders"])


def test_a_lost_race_is_repeated() -> None:
    ports = memory_ports(catalog=ContestedCatalog(conflicts=2))
    update_subscription(ports, WORKSPACE, ORDERS)
    assert _subscribed(ports, "order.placed") == ["orders"]


def test_after_many_lost_races_the_caller_is_asked_to_retry() -> None:
    with pytest.raises(RetryLater):
        update_subscription(memory_ports(catalog=ContestedCatalog(conflicts=100)), WORKSPACE, ORDERS)


def test_removing_a_subscription_may_lose_a_race_without_an_error() -> None:
    catalog = ContestedCatalog(conflicts=0)
    ports = memory_ports(catalog=catalog)
    update_subscription(ports, WORKSPACE, ORDERS)
    catalog.conflicts = 1
    unsubscribe_flow(ports, WORKSPACE, ORDERS.flow_uid)
    assert _subscribed(ports, "order.placed") == ["orders"]
