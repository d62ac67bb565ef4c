"""Test that each problem of a draft is reported at its step, in spite of other problems."""

from types import SimpleNamespace
from typing import cast

import pytest
from pydantic import JsonValue

from chalicelib.core.campaigns.validate_campaign import validate_campaign
from chalicelib.model.campaign import Campaign
from chalicelib.model.ids import WorkspaceUid
from chalicelib.ports import Ports
from tests.builders import NOW, build_template, build_version, send, wait
from tests.memory.catalog import MemoryCatalog
from tests.memory.clock import VirtualClock

WORKSPACE = WorkspaceUid("ws")


@pytest.fixture
def ports() -> Ports:
    """Return ports of a workspace with the published template `hello` and no channel."""
    catalog = MemoryCatalog()
    template = build_template(latest_version=0)
    catalog.add(WORKSPACE, template)
    catalog.add_version(WORKSPACE, template.model_copy(update={"latest_version": 1}), 1, build_version())
    return cast(Ports, SimpleNamespace(catalog=catalog, versions=catalog, clock=VirtualClock(NOW)))


def _fields(ports: Ports, *steps: JsonValue) -> set[str]:
    campaign = Campaign(uid="camp", created_at=NOW, updated_at=NOW, name="Camp", steps=steps)
    return {problem.field for problem in validate_campaign(ports, WORKSPACE, campaign, "gone").problems}


def test_a_missing_channel_is_reported_at_its_step(ports: Ports) -> None:
    assert _fields(ports, wait("pause"), send("hello")) == {"steps[1].channelUid"}


def test_a_missing_channel_is_reported_after_an_unreadable_step(ports: Ports) -> None:
    assert _fields(ports, {"id": "bad", "type": "SMOKE"}, send("hello")) == {"steps[0]", "steps[1].channelUid"}


def test_a_missing_channel_is_reported_if_an_unreadable_step_has_the_same_id(ports: Ports) -> None:
    fields = _fields(ports, send("hello"), wait("pause"), {"id": "hello", "type": "WAIT", "for": "soon"})
    assert "steps[0].channelUid" in fields


def test_both_steps_with_the_same_id_are_checked(ports: Ports) -> None:
    fields = _fields(ports, send("hello", templateUid="gone"), wait("pause"), send("hello"))
    assert {"steps[2].id", "steps[0].templateUid"} <= fields
