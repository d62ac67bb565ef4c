"""A test run for one contact, nothing sent; and the estimate for a whole audience."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.engine.interpreter import Skip, advance, retagged
from chalicelib.engine.pacing import interval
from chalicelib.errors import InvalidRequest, invalid
from chalicelib.model.campaign import Campaign
from chalicelib.model.contact import Contact
from chalicelib.model.execution import Execution, ExecutionKey, ExecutionStatus, Outcome, Result, Visit
from chalicelib.model.flow import Flow
from chalicelib.model.ids import ContactUid, FlowUid, NodeId, WorkspaceUid
from chalicelib.model.message import Letter
from chalicelib.ports import Ports
from chalicelib.usecases.examine_campaign import NO_CHANNEL, Examination, examine_campaign, sendings
from chalicelib.usecases.load_plan import Plan, build_plan
from chalicelib.usecases.recall import recall

_NOBODY = FlowUid("rehearsal")
#: api.md: a campaign has at most 200 nodes, so a walk has no more stations, besides one look at the history.
_MAX_STATIONS = 202


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
    """By SEND step id, how many contacts it would skip and why; by channel, contacts it reaches, messages, cost."""

    matched: int
    not_found: int
    excluded: Mapping[str, Mapping[str, int]]
    reachable: Mapping[str, int]
    messages: Mapping[str, int]
    cost: Mapping[str, int]
    currency: str
    ends_at: datetime | None


def rehearse_campaign(
    ports: Ports, workspace: WorkspaceUid, uid: str, contact_uid: str, channel_uid: str | None = None
) -> Rehearsal:
    """Walks the draft: messages are sent at once, waits pass at their moment. InvalidRequest as launching would."""
    campaign = ports.catalog.get(workspace, Campaign, uid)
    contact = ports.contacts.find_many(workspace, [ContactUid(contact_uid)], strong=True).get(ContactUid(contact_uid))
    if contact is None:
        raise invalid("contactUid", f"Contact {contact_uid} was not found")
    return _walk(_plan(ports, workspace, campaign, channel_uid), contact, ports)


def _plan(ports: Ports, workspace: WorkspaceUid, campaign: Campaign, channel_uid: str | None) -> Plan:
    examination = examine_campaign(ports, workspace, campaign, channel_uid)
    if examination.problems:
        raise InvalidRequest(examination.problems, "The campaign cannot be launched as it is")
    if sendings(examination.graph) and examination.default_channel is None:
        raise InvalidRequest([NO_CHANNEL])
    flow = _flow(ports.clock.now(), campaign, examination)
    return build_plan(ports, workspace, flow, examination.graph, examination.pins)


def _flow(now: datetime, campaign: Campaign, examination: Examination) -> Flow:
    """A flow that is stored nowhere."""
    return Flow(
        uid=_NOBODY,
        created_at=now,
        updated_at=now,
        channel_uid=examination.default_channel or "",
        campaign_uid=campaign.uid,
        configuration=campaign.configuration,
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
        if walked.asks_for:
            history = recall(ports, WorkspaceUid(plan.workspace.uid), contact, walked.asks_for)
            scene = replace(scene, history=history)
            continue
        if walked.retag:
            tags = walked.retag.of(scene.contact.tags)
            scene = replace(scene, contact=scene.contact.model_copy(update={"tags": tags}))
            row = retagged(row, scene)
        elif walked.letter and row.node:
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


def estimate_campaign(ports: Ports, workspace: WorkspaceUid, uid: str, channel_uid: str | None = None) -> Estimate:
    """Looks at each contact of the audience as each SEND would look at it now."""
    campaign = ports.catalog.get(workspace, Campaign, uid)
    plan = _plan(ports, workspace, campaign, channel_uid)
    audience = campaign.audience
    if audience is None or audience.contact_uids is None:
        raise invalid("audience", "The campaign has no contacts to estimate for")
    uids = tuple(dict.fromkeys(audience.contact_uids))
    contacts = ports.contacts.find_many(workspace, [ContactUid(each) for each in uids], strong=False)
    excluded, letters = _consider_all(plan, list(contacts.values()), ports.clock.now())
    reached = Counter(channel for channel, _ in {(letter.channel.uid, letter.uid.contact) for letter in letters})
    costs: Counter[str] = Counter()
    for letter in letters:
        costs[letter.channel.uid] += letter.cost
    step = interval(campaign.configuration)
    return Estimate(
        matched=len(uids),
        not_found=len(uids) - len(contacts),
        excluded=excluded,
        reachable=dict(reached),
        messages=dict(Counter(letter.channel.uid for letter in letters)),
        cost=dict(costs),
        currency=plan.workspace.currency,
        ends_at=ports.clock.now() + step * len(letters) if step else None,
    )


def _consider_all(
    plan: Plan, contacts: Sequence[Contact], now: datetime
) -> tuple[dict[str, dict[str, int]], list[Letter]]:
    excluded: dict[str, dict[str, int]] = {}
    letters: list[Letter] = []
    for node in plan.graph:
        if not node.step.delivers:
            continue
        answers = [plan.consider(node, _first_row(plan, contact, now), contact) for contact in contacts]
        letters += [answer for answer in answers if isinstance(answer, Letter)]
        excluded[node.id] = dict(Counter(answer.reason for answer in answers if isinstance(answer, Skip)))
    return excluded, letters
