"""Stop of a flow because of a fault of its run."""

import pytest

from chalicelib.core.flows.fail_flow import fail_flow
from chalicelib.errors import RetryLater
from chalicelib.model.flow import Flow, FlowStatus
from chalicelib.model.ids import WorkspaceUid
from tests.builders import build_flow
from tests.memory.ports import memory_ports

WORKSPACE = WorkspaceUid("ws")


@pytest.mark.parametrize("status", [FlowStatus.QUEUED, FlowStatus.RUNNING])
def test_a_fault_stops_the_flow_and_is_shown_to_the_operator(status: FlowStatus) -> None:
    ports = memory_ports()
    ports.catalog.add(WORKSPACE, build_flow(status))
    fail_flow(ports, WORKSPACE, ports.catalog.get(WORKSPACE, Flow, "flow"), "The version is missing")
    stopped = ports.catalog.get(WORKSPACE, Flow, "flow")
    assert (stopped.status, stopped.paused_at) == (FlowStatus.ERROR, ports.clock.now())
    assert "The version is missing" in str(stopped.pause)


def test_a_flow_that_an_operator_paused_at_the_same_time_stays_paused() -> None:
    ports = memory_ports()
    ports.catalog.add(WORKSPACE, build_flow())
    read = ports.catalog.get(WORKSPACE, Flow, "flow")
    ports.catalog.save(WORKSPACE, read.model_copy(update={"status": FlowStatus.PAUSED}))
    with pytest.raises(RetryLater):
        fail_flow(ports, WORKSPACE, read, "The version is missing")
    assert ports.catalog.get(WORKSPACE, Flow, "flow").status is FlowStatus.PAUSED
