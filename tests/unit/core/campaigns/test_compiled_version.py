"""Test loading compiled versions, and the channels that they send with."""

import pytest
from pydantic import JsonValue

from chalicelib.core.campaigns import compiled_version
from chalicelib.core.campaigns.compiled_version import channels_of, graph_of, message_specs, named_channels
from chalicelib.errors import GiveUp
from chalicelib.model.campaign import Campaign, CampaignVersion
from chalicelib.model.ids import WorkspaceUid
from tests.builders import NOW, build_flow, build_graph, condition, send, wait
from tests.memory.ports import memory_ports

WORKSPACE = WorkspaceUid("ws")
UNREADABLE: JsonValue = {"id": "hop", "type": "JUMP"}


def _version(*steps: JsonValue, number: int = 1) -> CampaignVersion:
    return CampaignVersion(version=number, campaign_uid="camp", name="Camp", steps=steps, published_at=NOW)


def test_a_version_is_compiled_once_per_worker() -> None:
    ports = memory_ports()
    first = graph_of(ports, WORKSPACE, _version(send("hello")))
    assert [node.id for node in first] == ["hello"]
    assert graph_of(ports, WORKSPACE, _version(send("hello"))) is first
    assert graph_of(memory_ports(), WORKSPACE, _version(send("hello"))) is not first


def test_versions_and_workspaces_are_kept_apart() -> None:
    ports = memory_ports()
    graph_of(ports, WORKSPACE, _version(send("hello")))
    assert [node.id for node in graph_of(ports, WORKSPACE, _version(send("bye"), number=2))] == ["bye"]
    assert [node.id for node in graph_of(ports, WorkspaceUid("other"), _version(send("theirs")))] == ["theirs"]


def test_an_unreadable_version_is_given_up_and_not_cached() -> None:
    ports = memory_ports()
    for _ in range(2):
        with pytest.raises(GiveUp) as given_up:
            graph_of(ports, WORKSPACE, _version(UNREADABLE))
        assert given_up.value.code == "version_unreadable"


def test_the_cache_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled_version, "GRAPHS_KEPT", 3)
    ports = memory_ports()
    for number in range(1, 20):
        graph_of(ports, WORKSPACE, _version(send("hello"), number=number))
        assert len(ports.memory.graphs) <= 3


def test_messages_are_keyed_by_node_in_every_lane() -> None:
    graph = build_graph(
        send("first"), condition("which", {"tag": "vip"}, [send("vip", channelUid="sms")], []), wait("pause")
    )
    assert {key: spec.channel_uid for key, spec in message_specs(graph).items()} == {"first": None, "vip": "sms"}
    assert named_channels(graph, build_flow(channel_uid="mail")) == {"mail", "sms"}


def test_the_channels_of_a_flow_are_those_of_its_version() -> None:
    ports = memory_ports()
    campaign = Campaign(uid="camp", created_at=NOW, updated_at=NOW, name="Camp")
    ports.catalog.add(WORKSPACE, campaign)
    steps = (send("hello", channelUid="sms"), send("bye"))
    ports.versions.add_version(WORKSPACE, campaign, 1, _version(*steps))
    assert channels_of(ports, WORKSPACE, build_flow(campaign_version=1)) == {"sms", "mail"}


@pytest.mark.parametrize("steps", [None, (UNREADABLE,)])
def test_a_missing_or_unreadable_version_has_no_channels(steps: tuple[JsonValue, ...] | None) -> None:
    ports = memory_ports()
    campaign = Campaign(uid="camp", created_at=NOW, updated_at=NOW, name="Camp")
    ports.catalog.add(WORKSPACE, campaign)
    if steps:
        ports.versions.add_version(WORKSPACE, campaign, 1, _version(*steps))
    assert channels_of(ports, WORKSPACE, build_flow(campaign_version=1)) == set()
