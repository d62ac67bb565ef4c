"""A test run for one contact, nothing sent; and the estimate for a whole audience."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.engine.interpreter import Skip, advance
from chalicelib.engine.pacing import interval
from chalicelib.errors import InvalidRequest, NotFound, invalid
from chalicelib.model.campaign import Campaign
from chalicelib.model.channel import Channel
from chalicelib.model.contact import Contact
from chalicelib.model.execution import Execution, ExecutionKey, ExecutionStatus, Outcome, Result, Visit
from chalicelib.model.flow import Flow
from chalicelib.model.ids import ContactUid, FlowUid, NodeId, WorkspaceUid
from chalicelib.model.message import Letter
from chalicelib.model.template import Template, TemplateVersion
from chalicelib.model.workspace import Workspace
from chalicelib.nodes.send import Send
from chalicelib.ports import Ports
from chalicelib.usecases.examine_campaign import Examination, examine_campaign
from chalicelib.usecases.load_plan import Plan

_NOBODY = FlowUid("rehearsal")
#: api.md: a campaign has at most 200 nodes, so a walk has no more stations.
_MAX_STATIONS = 201


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """The walk of one contact with the moments it would have if it started now."""

    path: tuple[Visit, ...]
    results: Mapping[NodeId, Result]
    letters: Mapping[NodeId, Letter]
    status: ExecutionStatus
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Estimate:
    """`excluded`: by SEND step id, how many contacts it would skip and why; `reachable`: by channel."""

    matched: int
    not_found: int
    excluded: Mapping[str, Mapping[str, int]]
    reachable: Mapping[str, int]
    sends: int
    ends_at: datetime | None


def rehearse_campaign(ports: Ports, workspace: WorkspaceUid, uid: str, contact_uid: str) -> Rehearsal:
    """Walks the draft: messages count as sent at once, waits pass at their moment. InvalidRequest as launching would."""
    campaign = ports.catalog.get(workspace, Campaign, uid)
    contact = ports.contacts.find_many(workspace, [ContactUid(contact_uid)], strong=True).get(ContactUid(contact_uid))
    if contact is None:
        raise NotFound("Contact", contact_uid)
    examination = examine_campaign(ports, workspace, campaign)
    if examination.problems:
        raise InvalidRequest(examination.problems, "The campaign cannot be launched as it is")
    return _walk(_plan(ports, workspace, campaign, examination), contact, ports)


def _plan(ports: Ports, workspace: WorkspaceUid, campaign: Campaign, examination: Examination) -> Plan:
    now = ports.clock.now()
    short = campaign.short_form
    flow = Flow(
        uid=_NOBODY,
        created_at=now,
        updated_at=now,
        channel_uid=short.channel_uid if short else "",
        campaign_uid=campaign.uid,
        configuration=campaign.configuration,
    )
    sends = {node.id: node.step for node in examination.graph if isinstance(node.step, Send)}
    channels = {
        uid: ports.catalog.find(workspace, Channel, uid) for uid in {s.channel_uid for s in sends.values()} if uid
    }
    templates = {
        node: ports.catalog.find_version(
            workspace, Template, step.template_uid, examination.pins[node], TemplateVersion
        )
        for node, step in sends.items()
        if node in examination.pins
    }
    return Plan(
        workspace=ports.catalog.get(workspace, Workspace, workspace),
        flow=flow,
        graph=examination.graph,
        templates={node: template for node, template in templates.items() if template},
        channels={uid: channel for uid, channel in channels.items() if channel},
        channel_types=ports.channel_types,
    )


def _walk(plan: Plan, contact: Contact, ports: Ports) -> Rehearsal:
    scene = plan.scene(contact, ports)
    row = _first_row(plan, contact, scene.now)
    letters: dict[NodeId, Letter] = {}
    for _ in range(_MAX_STATIONS):
        walked = advance(row, scene)
        row = walked.row
        if not row.is_open:
            break
        if walked.letter and row.node:
            letters[row.node] = walked.letter
            row = row.with_result(row.node, Result(Outcome.SENT, scene.now, channel=walked.letter.channel.uid))
        elif row.due:
            scene = replace(scene, now=row.due)
    return Rehearsal(row.path, row.results, letters, row.status, scene.now)


def _first_row(plan: Plan, contact: Contact, now: datetime) -> Execution:
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


def estimate_campaign(ports: Ports, workspace: WorkspaceUid, uid: str) -> Estimate:
    """Looks at each contact of the audience as each SEND would look at it now."""
    campaign = ports.catalog.get(workspace, Campaign, uid)
    examination = examine_campaign(ports, workspace, campaign)
    if examination.problems:
        raise InvalidRequest(examination.problems, "The campaign cannot be launched as it is")
    audience = campaign.audience
    if audience is None or audience.contact_uids is None:
        raise invalid("audience", "The campaign has no contacts to estimate for")
    uids = tuple(dict.fromkeys(audience.contact_uids))
    contacts = ports.contacts.find_many(workspace, [ContactUid(each) for each in uids], strong=False)
    plan = _plan(ports, workspace, campaign, examination)
    excluded, reachable = _consider_all(plan, list(contacts.values()))
    sends = sum(reachable.values())
    step = interval(campaign.configuration)
    ends_at = ports.clock.now() + step * sends if step else None
    return Estimate(len(uids), len(uids) - len(contacts), excluded, reachable, sends, ends_at)


def _consider_all(plan: Plan, contacts: Sequence[Contact]) -> tuple[dict[str, dict[str, int]], dict[str, int]]:
    excluded: dict[str, dict[str, int]] = {}
    reachable: Counter[str] = Counter()
    for node in plan.graph:
        if not isinstance(node.step, Send):
            continue
        reasons: Counter[str] = Counter()
        for contact in contacts:
            answer = plan.consider(node, contact)
            if isinstance(answer, Skip):
                reasons[answer.reason] += 1
            else:
                reachable[answer.channel.uid] += 1
        excluded[node.id] = dict(reasons)
    return excluded, dict(reachable)
