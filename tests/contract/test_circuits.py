"""Contract of `ports.Circuits`."""

from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from chalicelib.aws.catalog import DynamoCatalog
from chalicelib.aws.circuits import DynamoCircuits
from chalicelib.core.channels.circuit_breaker import reset
from chalicelib.model.channel import Channel
from chalicelib.model.circuit import ChannelFailureRecord, Circuit, CircuitState
from chalicelib.model.ids import WorkspaceUid
from chalicelib.ports import Catalog, ChannelStatus, Circuits
from tests.builders import NOW, build_channel
from tests.contract.emulators import PLACES, ProvisionedAws
from tests.memory.catalog import MemoryCatalog
from tests.memory.circuits import MemoryCircuits

W = WorkspaceUid("w1")
OPEN = Circuit(
    CircuitState.OPEN,
    NOW,
    "suspended",
    NOW + timedelta(seconds=60),
    (ChannelFailureRecord(NOW, "a"), ChannelFailureRecord(NOW, "suspended")),
)


@dataclass
class Stores:
    catalog: Catalog
    circuits: Circuits


@pytest.fixture(params=PLACES)
def stores(request: pytest.FixtureRequest) -> Stores:
    if request.param == "memory":
        catalog = MemoryCatalog()
        return Stores(catalog, MemoryCircuits(catalog))
    aws = ProvisionedAws(request.param)
    client, table = aws.client("dynamodb"), aws.names["CATALOG_TABLE"]
    return Stores(DynamoCatalog(client, table), DynamoCircuits(client, table))


def test_a_channel_that_never_failed_has_a_closed_circuit_that_is_stored_nowhere(stores: Stores) -> None:
    stores.catalog.add(W, build_channel())
    assert stores.circuits.find_channel(W, "mail") == ChannelStatus(build_channel(), Circuit())
    assert stores.circuits.get(W, "mail") == Circuit()


def test_a_channel_comes_with_its_circuit(stores: Stores) -> None:
    stores.catalog.add(W, build_channel())
    changed = stores.catalog.save(W, build_channel(name="Changed"))
    assert stores.circuits.save(W, "mail", OPEN)
    stored = replace(OPEN, rev=1)
    assert stores.circuits.find_channel(W, "mail") == ChannelStatus(changed, stored)
    assert stores.circuits.get(W, "mail") == stored
    assert stores.circuits.save(W, "mail", reset(stored, NOW))
    assert stores.circuits.get(W, "mail") == replace(reset(OPEN, NOW), rev=2)


def test_there_is_no_circuit_without_its_channel(stores: Stores) -> None:
    assert stores.circuits.find_channel(W, "mail") is None
    stores.catalog.add(W, build_channel())
    stores.circuits.save(W, "mail", OPEN)
    stores.catalog.remove(W, Channel, "mail")
    assert stores.circuits.find_channel(W, "mail") is None


@pytest.mark.parametrize("rev", [0, 1])
def test_of_two_writers_one_wins(stores: Stores, rev: int) -> None:
    if rev:
        stores.circuits.save(W, "mail", Circuit())
    assert stores.circuits.save(W, "mail", replace(OPEN, rev=rev))
    assert not stores.circuits.save(W, "mail", Circuit(rev=rev))
    assert stores.circuits.get(W, "mail") == replace(OPEN, rev=rev + 1)


def test_the_same_save_again_counts_as_saved(stores: Stores) -> None:
    assert stores.circuits.save(W, "mail", OPEN)
    assert stores.circuits.save(W, "mail", OPEN)
    assert stores.circuits.get(W, "mail").rev == 1


def test_channels_and_workspaces_do_not_share_a_circuit(stores: Stores) -> None:
    stores.circuits.save(W, "mail", OPEN)
    assert stores.circuits.get(W, "sms") == Circuit()
    assert stores.circuits.get(WorkspaceUid("w2"), "mail") == Circuit()
