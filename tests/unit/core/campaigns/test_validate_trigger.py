"""Test which triggers and audiences cannot be launched, and the field that each problem names."""

from typing import Any

import pytest
from pydantic import TypeAdapter

from chalicelib.core.campaigns.validate_trigger import BUILT_IN, check_trigger
from chalicelib.core.workspaces.create_workspace import create_workspace
from chalicelib.model.campaign import Audience, Campaign
from chalicelib.model.event import RESERVED
from chalicelib.model.ids import WorkspaceUid
from chalicelib.model.segment import Segment
from chalicelib.model.trigger import Trigger
from chalicelib.ports import Ports
from tests.builders import NOW
from tests.memory.clock import VirtualClock
from tests.memory.ports import memory_ports

_TRIGGER: TypeAdapter[Trigger] = TypeAdapter(Trigger)
TWO = Audience(contact_uids=("ann", "ben"))
ORDER = {"type": "event", "event": "order.placed"}


@pytest.fixture
def ports() -> Ports:
    return memory_ports(clock=VirtualClock(NOW))


def _problems(ports: Ports, trigger: dict[str, Any], audience: Audience | None = None) -> dict[str, str]:
    workspace = WorkspaceUid(create_workspace(ports, "Acme")[0].uid)
    campaign = Campaign(
        uid="camp",
        created_at=NOW,
        updated_at=NOW,
        name="Camp",
        trigger=_TRIGGER.validate_python(trigger, strict=False),
        audience=audience,
    )
    return {problem.field: problem.message for problem in check_trigger(ports, workspace, campaign)}


@pytest.mark.parametrize(
    ("trigger", "audience"),
    [
        ({"type": "manual"}, None),
        ({"type": "api"}, TWO),
        ({"type": "scheduled", "at": "2026-03-02T12:00"}, TWO),
        (ORDER, None),
        ({**ORDER, "until": "2026-03-02T09:00:01Z", "when": {"tag": "vip"}}, None),
        *(({"type": "event", "event": name}, None) for name in sorted(BUILT_IN)),
    ],
)
def test_a_good_trigger_has_no_problems(ports: Ports, trigger: dict[str, Any], audience: Audience | None) -> None:
    assert _problems(ports, trigger, audience) == {}


@pytest.mark.parametrize(
    ("trigger", "audience", "fields"),
    [
        ({"type": "scheduled", "at": "2026-03-02T12:00"}, None, {"audience"}),
        (
            {"type": "scheduled", "at": "2026-03-01T12:00", "timezone": "Mars/Base"},
            None,
            {"audience", "trigger.timezone"},
        ),
        (ORDER, TWO, {"audience"}),
        ({**ORDER, "until": "2026-03-02T09:00:00Z"}, None, {"trigger.until"}),
        ({**ORDER, "when": {"message": "hello", "is": "opened"}}, None, {"trigger.when"}),
        ({"type": "event", "event": f"{min(RESERVED)}exploded"}, None, {"trigger.event"}),
    ],
)
def test_each_problem_names_its_field(
    ports: Ports, trigger: dict[str, Any], audience: Audience | None, fields: set[str]
) -> None:
    assert set(_problems(ports, trigger, audience)) == fields


@pytest.mark.parametrize("kind", ["manual", "api", "scheduled"])
def test_a_missing_segment_is_a_problem_of_every_trigger_with_an_audience(ports: Ports, kind: str) -> None:
    trigger = {"type": kind, **({"at": "2026-03-02T12:00"} if kind == "scheduled" else {})}
    assert _problems(ports, trigger, Audience(segment_uid="gone")) == {
        "audience.segmentUid": "Segment gone was not found"
    }


def test_the_segment_of_another_workspace_is_not_found(ports: Ports) -> None:
    stamps = {"createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z"}
    segment = Segment.model_validate({"uid": "vips", "name": "VIPs", "filter": {"tag": "vip"}, **stamps}, strict=False)
    ports.catalog.add(WorkspaceUid("other"), segment)
    assert set(_problems(ports, {"type": "manual"}, Audience(segment_uid="vips"))) == {"audience.segmentUid"}
