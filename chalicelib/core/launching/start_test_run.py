"""Simulate the path of one contact through the draft of a campaign. Nothing is sent or stored."""

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

#: Uid of a flow that is not stored.
_TEST_FLOW = FlowUid("rehearsal")
#: A campaign has at most 200 nodes, and each iteration leaves one node or reads the history.
_MAX_ITERATIONS = 202


@dataclass(frozen=True, slots=True)
class TestRun:
    """The path of one contact, with the times of a start now."""

    path: tuple[NodeVisit, ...]
    results: Mapping[NodeId, MessageResult]
    messages: Mapping[NodeId, OutgoingMessage]
    status: ExecutionStatus
    ends_at: datetime


def start_test_run(
    ports: Ports, workspace: WorkspaceUid, uid: str, contact_uid: str, channel_uid: str | None = None
) -> TestRun:
    """Simulate the draft: messages are sent immediately, and waits end on time.

    Raises NotFound, or InvalidRequest for an unknown contact or a draft with problems.
    """
    campaign = ports.catalog.get(workspace, Campaign, uid)
    contact = ports.contacts.find_many(workspace, [ContactUid(contact_uid)], strong=True).get(ContactUid(contact_uid))
    if contact is None:
        raise invalid("contactUid", f"Contact {contact_uid} was not found")
    return _run(plan_draft(ports, workspace, campaign, channel_uid), contact, ports)


def plan_draft(ports: Ports, workspace: WorkspaceUid, campaign: Campaign, channel_uid: str | None) -> SendPlan:
    """Build the plan of a flow that runs the draft now. Raises InvalidRequest with all problems."""
    report = validate_campaign(ports, workspace, campaign, channel_uid)
    if report.problems:
        raise InvalidRequest(report.problems, "The campaign has problems; fix them first")
    if message_specs(report.graph) and report.default_channel is None:
        raise InvalidRequest([NO_CHANNEL])
    flow = _flow(ports.clock.now(), campaign, report)
    return build_plan(ports, workspace, flow, report.graph, report.pins)


def _flow(now: datetime, campaign: Campaign, report: ValidationReport) -> Flow:
    """Return a flow that is not stored."""
    return Flow(
        uid=_TEST_FLOW,
        created_at=now,
        updated_at=now,
        channel_uid=report.default_channel or "",
        campaign_uid=campaign.uid,
        configuration=campaign.configuration,
    )


def _run(plan: SendPlan, contact: Contact, ports: Ports) -> TestRun:
    context = traversal_context(plan, contact, ports.clock.now())
    execution = first_execution(plan, contact, context.now)
    messages: dict[NodeId, OutgoingMessage] = {}
    for _ in range(_MAX_ITERATIONS):
        step = advance(execution, context)
        execution = step.execution
        if not execution.is_open:
            break
        if step.needs_events:
            history = load_event_history(ports, WorkspaceUid(plan.workspace.uid), contact, step.needs_events)
            context = replace(context, history=history)
            continue
        if step.change_tags:
            tags = step.change_tags.of(context.contact.tags)
            context = replace(context, contact=context.contact.model_copy(update={"tags": tags}))
            execution = leave_tag_node(execution, context)
        elif step.message and execution.node:
            messages[execution.node] = step.message
            execution = execution.with_result(
                execution.node, MessageResult(MessageOutcome.SENT, context.now, channel=step.message.channel.uid)
            )
        elif execution.due:
            context = replace(context, now=execution.due)
    return TestRun(execution.path, execution.results, messages, execution.status, context.now)


def first_execution(plan: SendPlan, contact: Contact, now: datetime) -> Execution:
    """Return an execution at the first node. It is not stored."""
    key = ExecutionKey(WorkspaceUid(plan.workspace.uid), _TEST_FLOW, ContactUid(contact.uid))
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
