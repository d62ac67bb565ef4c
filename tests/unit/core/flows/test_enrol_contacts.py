"""Enrolment of an audience, chunk by chunk."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from chalicelib.core.flows import enrol_contacts as enrolling
from chalicelib.core.flows.enrol_contacts import enrol_contacts
from chalicelib.model.campaign import Campaign, CampaignVersion
from chalicelib.model.flow import Flow, FlowStatus
from chalicelib.model.ids import FlowUid, WorkspaceUid
from chalicelib.model.queue_messages import EnqueuePending, EnrolContacts
from chalicelib.ports import Ports
from tests.builders import NOW, build_flow, send
from tests.memory.ports import memory_ports

WORKSPACE, FLOW = WorkspaceUid("ws"), FlowUid("flow")
PLENTY = timedelta(minutes=1)


def _queued(*chunks: Sequence[str], version: int = 1) -> Ports:
    """Return ports with a queued flow over these chunks of contacts."""
    ports = memory_ports()
    campaign = Campaign(uid="camp", created_at=NOW, updated_at=NOW, name="Camp")
    published = CampaignVersion(version=1, campaign_uid="camp", name="Camp", steps=(send("hello"),), published_at=NOW)
    ports.catalog.add(WORKSPACE, campaign)
    ports.versions.add_version(WORKSPACE, campaign, 1, published)
    for number, chunk in enumerate(chunks):
        ports.chunks.put_chunk(WORKSPACE, Flow, FLOW, number, chunk)
    fields = {"campaign_version": version, "chunks": len(chunks), "epoch": 1, "queued_at": NOW}
    ports.catalog.add(WORKSPACE, build_flow(FlowStatus.QUEUED, **fields))
    return ports


def _job(chunk: int, **fields: int) -> EnrolContacts:
    return EnrolContacts(workspace=WORKSPACE, flow=FLOW, chunk=chunk, **fields)


def _flow(ports: Ports) -> Flow:
    return ports.catalog.get(WORKSPACE, Flow, FLOW)


def _enrolled(ports: Ports) -> list[str]:
    return [each.key.contact for each in ports.executions.page(WORKSPACE, FLOW, 0, 100, None).items]


def test_the_flow_runs_only_after_its_last_chunk_is_enrolled() -> None:
    ports = _queued(["a", "b"], ["c"])
    enrol_contacts(ports, _job(1), lambda: PLENTY)
    assert (_flow(ports).status, _enrolled(ports), ports.jobs.take()) == (FlowStatus.QUEUED, ["c"], None)
    enrol_contacts(ports, _job(0), lambda: PLENTY)
    assert (_flow(ports).status, _enrolled(ports)) == (FlowStatus.RUNNING, ["a", "b", "c"])
    job, _ = ports.jobs.take()
    assert isinstance(job, EnqueuePending)


def test_a_repeated_job_enrols_and_counts_each_contact_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enrolling, "PAGE", 1)
    ports, spans = _queued(["a", "b", "c"]), iter([PLENTY, timedelta(seconds=1)])
    enrol_contacts(ports, _job(0), lambda: next(spans))
    assert _enrolled(ports) == ["a"]
    for _ in range(2):
        enrol_contacts(ports, _job(0), lambda: PLENTY)
    assert _enrolled(ports) == ["a", "b", "c"]
    assert ports.statistics.read(WORKSPACE, FLOW, 0)["total"] == 3


def test_a_job_without_time_sends_a_job_for_the_rest_of_the_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enrolling, "PAGE", 1)
    ports, spans = _queued(["a", "b", "c"]), iter([PLENTY, timedelta(seconds=1)])
    enrol_contacts(ports, _job(0), lambda: next(spans))
    assert ports.jobs.take() == (_job(0, offset=1), timedelta(0))
    spans = iter([PLENTY, timedelta(seconds=1)])
    enrol_contacts(ports, _job(0, offset=1), lambda: next(spans))
    assert ports.jobs.take() == (_job(0, offset=2), timedelta(0))
    assert _flow(ports).status is FlowStatus.QUEUED


def test_a_missing_campaign_version_stops_the_flow_with_the_reason() -> None:
    ports = _queued(["a"], version=7)
    enrol_contacts(ports, _job(0), lambda: PLENTY)
    assert (_flow(ports).status, _enrolled(ports)) == (FlowStatus.ERROR, [])
    assert "has no version 7" in str(_flow(ports).pause)
