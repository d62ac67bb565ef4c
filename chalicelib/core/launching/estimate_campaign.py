"""What launching a campaign would do: whom it matches, why it reaches fewer, at what cost, until when."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice

from chalicelib.core.billing.aws_cost import forecast
from chalicelib.core.channels.acquire_rate import estimate_finish
from chalicelib.core.channels.pacing import interval
from chalicelib.core.launching.control_campaign import flows_of
from chalicelib.core.launching.forecast import expected_visits, max_cost_path
from chalicelib.core.launching.test_run_campaign import build_first_row, plan_draft
from chalicelib.core.segments.count_members import count_members
from chalicelib.core.segments.filter import compile_filter
from chalicelib.core.segments.sampling import Measured, in_all
from chalicelib.core.steps.prepare_message import prepare_message
from chalicelib.core.steps.send_plan import SendPlan
from chalicelib.errors import GiveUp, invalid
from chalicelib.model.aws_usage import AwsUsage
from chalicelib.model.campaign import Audience, Campaign
from chalicelib.model.contact import Contact
from chalicelib.model.ids import ContactUid, FlowUid, NodeId, WorkspaceUid
from chalicelib.model.message import OutgoingMessage
from chalicelib.model.segment import Segment
from chalicelib.model.send_options import SendsMessage
from chalicelib.model.stable_random import stable_fraction
from chalicelib.ports import ChannelStatus, Ports, RateState

#: Of a larger audience so many contacts are looked at, and fewer where there are many SENDs to look at each.
SAMPLE, LEAST_SAMPLE = 1_000, 100
#: Looks at a contact by a SEND: 60 µs each where the machine is not busy.
LOOKS = 10_000
#: For counting a segment; looking at the sample takes another second or two.
TIME = timedelta(seconds=3)
#: Earlier flows of the campaign that tell which lanes are taken.
FLOWS = 5


@dataclass(frozen=True, slots=True)
class Estimate:
    """For the whole audience; where only `considered` of it were looked at, by what they are.

    `excluded`: by SEND step, how many it would skip and why; `unreachable`: contacts whom no step writes to, by the
    first reason; `reachable`: by channel, contacts; `messages` and `cost`: by channel, what is expected; `worst_cost`:
    if every contact took the dearest way; `ends_at`: by the pacing, the channels' rates and daily caps, without what
    steps wait for; None where nothing of it limits; `usage`: of AWS.
    """

    matched: Measured
    considered: int
    not_found: int
    excluded: Mapping[str, Mapping[str, int]]
    unreachable: Mapping[str, int]
    reached: Measured
    reachable: Mapping[str, int]
    messages: Mapping[str, int]
    cost: Mapping[str, int]
    worst_cost: int
    currency: str
    ends_at: datetime | None
    usage: AwsUsage


@dataclass(frozen=True, slots=True)
class _Sample:
    """Contacts of an audience, and how many it has in all; `missing` of those asked for are not there."""

    population: Measured
    contacts: Sequence[Contact]
    missing: int = 0

    @property
    def size(self) -> int:
        return len(self.contacts) + self.missing

    def in_all(self, part: float) -> int:
        """What `part` of the sample is of the whole audience."""
        return round(part * self.population.count / self.size) if self.size else 0


@dataclass(slots=True)
class _Tally:
    """What the steps would do to the sample."""

    reached: int = 0
    worst_cost: int = 0
    excluded: dict[str, Counter[str]] = field(default_factory=dict)
    unreachable: Counter[str] = field(default_factory=Counter)
    reachable: Counter[str] = field(default_factory=Counter)
    messages: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    cost: dict[str, float] = field(default_factory=lambda: defaultdict(float))


def estimate_campaign(ports: Ports, workspace: WorkspaceUid, uid: str, channel_uid: str | None = None) -> Estimate:
    """InvalidRequest as launching would, and without an audience."""
    campaign = ports.catalog.get(workspace, Campaign, uid)
    plan = plan_draft(ports, workspace, campaign, channel_uid)
    if campaign.audience is None:
        raise invalid("audience", "The campaign has no contacts to estimate for")
    sample = _sample(ports, workspace, campaign.audience, _sample_size(plan))
    visits = expected_visits(plan.graph, _history(ports, workspace, uid))
    tally = _tally(plan, sample.contacts, visits, ports.clock.now())
    messages = {channel: sample.in_all(count) for channel, count in tally.messages.items()}
    return Estimate(
        matched=sample.population,
        considered=sample.size,
        not_found=sample.in_all(sample.missing),
        excluded={node: _scale(sample, reasons) for node, reasons in tally.excluded.items()},
        unreachable=_scale(sample, tally.unreachable),
        reached=in_all(tally.reached, sample.size, sample.population),
        reachable=_scale(sample, tally.reachable),
        messages=messages,
        cost=_scale(sample, tally.cost),
        worst_cost=sample.in_all(tally.worst_cost),
        currency=plan.workspace.currency,
        ends_at=_ends_at(ports, plan, messages),
        usage=forecast(plan.graph, visits, sample.population.count, _reporting(plan)),
    )


def _ends_at(ports: Ports, plan: SendPlan, messages: Mapping[str, int]) -> datetime | None:
    """When the slowest is through: the line of the pacing, which all channels share, or a channel's own."""
    step, workspace = interval(plan.flow.configuration), WorkspaceUid(plan.workspace.uid)
    ends = [ports.clock.now() + step * sum(messages.values())] if step else []
    for uid, count in messages.items():
        line = plan.rates.get(uid, RateState())
        drained = estimate_finish(
            ports, workspace, ChannelStatus(plan.channels[uid], plan.circuits[uid], line), (count, step)
        )
        ends += [drained] if drained else []
    return max(ends, default=None)


def _reporting(plan: SendPlan) -> list[NodeId]:
    """SENDs whose channel's provider reports what becomes of their messages."""
    offered = {node.id: node.step.offers[0] for node in plan.graph if isinstance(node.step, SendsMessage)}
    channels = {node: plan.channel_of(offer.sending) for node, offer in offered.items()}
    return [node for node, channel in channels.items() if channel and channel.reports_receipts]


def _scale(sample: _Sample, counts: Mapping[str, float]) -> dict[str, int]:
    return {name: sample.in_all(count) for name, count in counts.items()}


def _sample_size(plan: SendPlan) -> int:
    sends = sum(node.step.delivers for node in plan.graph)
    return max(LEAST_SAMPLE, min(SAMPLE, LOOKS // max(1, sends)))


def _sample(ports: Ports, workspace: WorkspaceUid, audience: Audience, size: int) -> _Sample:
    if audience.segment_uid is not None:
        return _sample_segment(ports, workspace, audience.segment_uid, size)
    unique = tuple(dict.fromkeys(audience.contact_uids or ()))
    chosen = sorted(unique, key=stable_fraction)[:size]
    found = ports.contacts.find_many(workspace, [ContactUid(uid) for uid in chosen], strong=False)
    return _Sample(Measured(len(unique)), list(found.values()), len(chosen) - len(found))


def _sample_segment(ports: Ports, workspace: WorkspaceUid, uid: str, size: int) -> _Sample:
    segment = ports.catalog.find(workspace, Segment, uid)
    if segment is None:
        raise invalid("audience.segmentUid", f"Segment {uid} was not found")
    end = ports.clock.real() + TIME
    members = compile_filter(segment.filter, ports.clock.now())
    counted = count_members(ports, workspace, members, lambda: end - ports.clock.real(), keep=size)
    return _Sample(counted.members_found, counted.members)


def _history(ports: Ports, workspace: WorkspaceUid, uid: str) -> Counter[str]:
    """How earlier flows of the campaign left its nodes."""
    counters: Counter[str] = Counter()
    for flow in islice((flow for flow in flows_of(ports, workspace, uid) if flow.epoch), FLOWS):
        counters.update(ports.statistics.read(workspace, FlowUid(flow.uid), flow.stats_epoch))
    return counters


def _tally(plan: SendPlan, contacts: Sequence[Contact], visits: Mapping[NodeId, float], now: datetime) -> _Tally:
    tally = _Tally(excluded={node.id: Counter() for node in plan.graph if node.step.delivers})
    for contact in contacts:
        answers = _consider(plan, contact, now)
        letters = {node: answer for node, answer in answers.items() if isinstance(answer, OutgoingMessage)}
        skips = {node: answer for node, answer in answers.items() if isinstance(answer, str)}
        for node, reason in skips.items():
            tally.excluded[node][reason] += 1
        if letters:
            tally.reached += 1
        elif skips:
            tally.unreachable[next(iter(skips.values()))] += 1
        tally.reachable.update({letter.channel.uid for letter in letters.values()})
        tally.worst_cost += max_cost_path(plan.graph, {node: letter.cost for node, letter in letters.items()})
        for node, letter in letters.items():
            channel = letter.channel.uid
            tally.messages[channel] += visits[node]
            tally.cost[channel] += visits[node] * letter.cost
    return tally


def _consider(plan: SendPlan, contact: Contact, now: datetime) -> dict[NodeId, OutgoingMessage | str]:
    """As each SEND would look at the contact now: its letter, or why there would be none."""
    row = build_first_row(plan, contact, now)
    answers: dict[NodeId, OutgoingMessage | str] = {}
    for node in plan.graph:
        if node.step.delivers:
            try:
                answer = prepare_message(plan, node, row, contact)
                answers[node.id] = answer if isinstance(answer, OutgoingMessage) else answer.reason
            except GiveUp as error:  # A template that cannot be rendered for this contact.
                answers[node.id] = error.code
    return answers
