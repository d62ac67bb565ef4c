"""A test run for one contact, nothing sent."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.core.campaigns.compiled_version import message_specs
from chalicelib.core.campaigns.validate_campaign import NO_CHANNEL, ValidationReport, validate_campaign
from chalicelib.core.contacts.load_history import load_event_history
from chalicelib.core.steps.interpreter import advance, leave_tag_node
from chalicelib.core.steps.prepare_message import traversal_context
from chalicelib.core.steps.send_plan import SendPlan, build_plan
from chalicelib.errors import InvalidRequest, invalid
from chalicelib.model.campaign import Campaign
from chalicelib.model.contact import Contact
from chalicelib.model.execution import (
    Execution,
    ExecutionKey,
    ExecutionStatus,
    MessageOutcome,
    MessageResult,
    NodeVisit,
)
from chalicelib.model.flow import Flow
from chalicelib.model.ids import ContactUid, FlowUid, NodeId, WorkspaceUid
from chalicelib.model.message import OutgoingMessage
from chalicelib.ports import Ports

_NOBODY = FlowUid("rehearsal")
#: api.md: a campaign has at most 200 nodes, so a walk has no more stations, besides one look at the history.
_MAX_STATIONS = 202


@dataclass(frozen=True, slots=True)
class TestRun:
    """The walk of one contact with the moments it would have if it started now."""

    path: tuple[NodeVisit, ...]
    results: Mapping[NodeId, MessageResult]
    letters: Mapping[NodeId, OutgoingMessage]
    status: ExecutionStatus
    ends_at: datetime


def start_test_run(
    ports: Ports, workspace: WorkspaceUid, uid: str, contact_uid: str, channel_uid: str | None = None
) -> TestRun:
    """Walks the draft: messages are sent at once, waits pass at their moment. InvalidRequest as launching would."""
    campaign = ports.catalog.get(workspace, Campaign, uid)
    contact = ports.contacts.find_many(workspace, [ContactUid(contact_uid)], strong=True).get(ContactUid(contact_uid))
    if contact is None:
        raise invalid("contactUid", f"Contact {contact_uid} was not found")
    return _walk(plan_draft(ports, workspace, campaign, channel_uid), contact, ports)


def plan_draft(ports: Ports, workspace: WorkspaceUid, campaign: Campaign, channel_uid: str | None) -> SendPlan:
    """The draft as a flow would run it now; InvalidRequest as launching it would."""
    examination = validate_campaign(ports, workspace, campaign, channel_uid)
    if examination.problems:
        raise InvalidRequest(examination.problems, "The campaign has problems; fix them first")
    if message_specs(examination.graph) and examination.default_channel is None:
        raise InvalidRequest([NO_CHANNEL])
    flow = _flow(ports.clock.now(), campaign, examination)
    return build_plan(ports, workspace, flow, examination.graph, examination.pins)


def _flow(now: datetime, campaign: Campaign, examination: ValidationReport) -> Flow:
    """A flow that is stored nowhere."""
    return Flow(
        uid=_NOBODY,
        created_at=now,
        updated_at=now,
        channel_uid=examination.default_channel or "",
        campaign_uid=campaign.uid,
        configuration=campaign.configuration,
    )


def _walk(plan: SendPlan, contact: Contact, ports: Ports) -> TestRun:
    scene = traversal_context(plan, contact, ports.clock.now())
    row = build_first_row(plan, contact, scene.now)
    letters: dict[NodeId, OutgoingMessage] = {}
    for _ in range(_MAX_STATIONS):
        walked = advance(row, scene)
        row = walked.execution
        if not row.is_open:
            break
        if walked.needs_events:
            history = load_event_history(ports, WorkspaceUid(plan.workspace.uid), contact, walked.needs_events)
            scene = replace(scene, history=history)
            continue
        if walked.change_tags:
            tags = walked.change_tags.of(scene.contact.tags)
            scene = replace(scene, contact=scene.contact.model_copy(update={"tags": tags}))
            row = leave_tag_node(row, scene)
        elif walked.message and row.node:
            letters[row.node] = walked.message
            row = row.with_result(
                row.node, MessageResult(MessageOutcome.SENT, scene.now, channel=walked.message.channel.uid)
            )
        elif row.due:
            scene = replace(scene, now=row.due)
    return TestRun(row.path, row.results, letters, row.status, scene.now)


def build_first_row(plan: SendPlan, contact: Contact, now: datetime) -> Execution:
    """A row at the start of the walk, stored nowhere."""
    key = ExecutionKey(WorkspaceUid(plan.workspace.uid), _NOBODY, ContactUid(contact.uid))
    return Execution(
        key=key,
        status=ExecutionStatus.PENDING,
        seq=0,
        node=plan.graph.start,
        version=0,
        created=now,
        updated=now,
        entered=now,
    )
