"""Growth of an audience before the flow starts."""

import pytest

from chalicelib.core.flows.add_contacts import add_contacts
from chalicelib.errors import Conflict, InvalidRequest
from chalicelib.model.flow import Flow, FlowStatus
from chalicelib.model.ids import WorkspaceUid
from chalicelib.model.queue_messages import EnrolContacts
from chalicelib.ports import Ports
from tests.builders import build_contact, build_flow
from tests.memory.ports import memory_ports

WORKSPACE = WorkspaceUid("ws")


def _ports(status: FlowStatus = FlowStatus.DRAFT, **fields: object) -> Ports:
    """Return ports with the contacts a, b and c, and a flow with the audience a."""
    ports = memory_ports()
    for uid in "abc":
        ports.contacts.add(WORKSPACE, build_contact(uid=uid, email=None))
    ports.chunks.put_chunk(WORKSPACE, Flow, "flow", 0, ["a"])
    ports.catalog.add(WORKSPACE, build_flow(status, chunks=1, contact_count=1, **fields))
    return ports


def test_contacts_of_the_flow_and_repeated_ones_are_not_added_again() -> None:
    ports = _ports()
    added = add_contacts(ports, WORKSPACE, "flow", ("a", "b", "b", "c"))
    assert (added.added, added.duplicates, added.flow.contact_count) == (2, 2, 3)
    assert ports.chunks.get_chunk(WORKSPACE, Flow, "flow", 1) == ("b", "c")
    assert ports.jobs.take() is None


def test_contacts_added_to_a_queued_flow_are_enrolled_by_a_job() -> None:
    ports = _ports(FlowStatus.QUEUED, expanded_chunks=(0,))
    add_contacts(ports, WORKSPACE, "flow", ("b",))
    job, _ = ports.jobs.take()
    assert job == EnrolContacts(workspace=WORKSPACE, flow="flow", chunk=1)


def test_an_unknown_contact_is_named_and_none_is_added() -> None:
    ports = _ports()
    with pytest.raises(InvalidRequest) as refused:
        add_contacts(ports, WORKSPACE, "flow", ("b", "zoe"))
    assert [problem.message for problem in refused.value.problems] == ["Contact zoe was not found"]
    assert ports.catalog.get(WORKSPACE, Flow, "flow").contact_count == 1


@pytest.mark.parametrize(("status", "fields"), [(FlowStatus.RUNNING, {}), (FlowStatus.DRAFT, {"segment_uid": "vips"})])
def test_a_running_flow_and_a_flow_over_a_segment_take_no_contacts(status: FlowStatus, fields: dict[str, str]) -> None:
    with pytest.raises(Conflict):
        add_contacts(_ports(status, **fields), WORKSPACE, "flow", ("b",))
