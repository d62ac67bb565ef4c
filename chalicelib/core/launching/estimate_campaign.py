"""Estimate a launch: matched and reached contacts, reasons for skips, cost, and the end of sending."""

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
from chalicelib.core.launching.start_test_run import first_execution, plan_draft
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

#: Largest and smallest sample of an audience. Campaigns with many SEND steps use smaller samples.
SAMPLE, MIN_SAMPLE = 1_000, 100
#: Largest number of checks, each of one contact by one SEND step. A check takes about 60 µs.
MAX_CHECKS = 10_000
#: Longest time to count a segment. Checking the sample takes another 1 to 2 s.
COUNT_TIME = timedelta(seconds=3)
#: Newest flows of the campaign that are read. Their counters predict how contacts split over the lanes.
PAST_FLOWS = 5


@dataclass(frozen=True, slots=True)
class Estimate:
    """An estimate for the whole audience, scaled up from the `considered` contacts of the sample.

    `excluded`: skips and their reasons, by SEND step. `unreachable`: contacts that get no message, by first reason.
    `reachable`: contacts by channel. `messages` and `cost`: expected numbers by channel. `worst_cost`: cost if every
    contact takes the most expensive path. `ends_at`: end of sending by pacing, channel rates and daily limits, without
    the waits of the campaign; None if nothing limits the rate. `usage`: AWS usage.
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
    """Sampled contacts and the size of the whole audience. `missing` sampled contacts do not exist."""

    population: Measured
    contacts: Sequence[Contact]
    missing: int = 0

    @property
    def size(self) -> int:
        return len(self.contacts) + self.missing

    def in_all(self, part: float) -> int:
        """Scale a part of the sample up to the whole audience."""
        return round(part * self.population.count / self.size) if self.size else 0


@dataclass(slots=True)
class _Tally:
    """Results of the checks of a sample."""

    reached: int = 0
    worst_cost: int = 0
    excluded: dict[str, Counter[str]] = field(default_factory=dict)
    unreachable: Counter[str] = field(default_factory=Counter)
    reachable: Counter[str] = field(default_factory=Counter)
    messages: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    cost: dict[str, float] = field(default_factory=lambda: defaultdict(float))


def estimate_campaign(ports: Ports, workspace: WorkspaceUid, uid: str, channel_uid: str | None = None) -> Estimate:
    """Estimate the launch of the draft. Raises NotFound, or InvalidRequest for a draft with problems or no audience."""
    campaign = ports.catalog.get(workspace, Campaign, uid)
    plan = plan_draft(ports, workspace, campaign, channel_uid)
    if campaign.audience is None:
        raise invalid("audience", "The campaign has no audience; set one to get an estimate")
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
    """Return the latest end: that of the pacing, which all channels share, or that of a channel's rate limit."""
    step, workspace = interval(plan.flow.configuration), WorkspaceUid(plan.workspace.uid)
    ends = [ports.clock.now() + step * sum(messages.values())] if step else []
    for uid, count in messages.items():
        rate = plan.rates.get(uid, RateState())
        finish = estimate_finish(
            ports, workspace, ChannelStatus(plan.channels[uid], plan.circuits[uid], rate), (count, step)
        )
        ends += [finish] if finish else []
    return max(ends, default=None)


def _reporting(plan: SendPlan) -> list[NodeId]:
    """Return the SEND steps with a channel that sends delivery reports."""
    own = {node.id: node.step.options[0] for node in plan.graph if isinstance(node.step, SendsMessage)}
    channels = {node: plan.channel_of(option.sending) for node, option in own.items()}
    return [node for node, channel in channels.items() if channel and channel.reports_receipts]


def _scale(sample: _Sample, counts: Mapping[str, float]) -> dict[str, int]:
    return {name: sample.in_all(count) for name, count in counts.items()}


def _sample_size(plan: SendPlan) -> int:
    sends = sum(node.step.delivers for node in plan.graph)
    return max(MIN_SAMPLE, min(SAMPLE, MAX_CHECKS // max(1, sends)))


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
    end = ports.clock.real() + COUNT_TIME
    members = compile_filter(segment.filter, ports.clock.now())
    counted = count_members(ports, workspace, members, lambda: end - ports.clock.real(), keep=size)
    return _Sample(counted.members_found, counted.members)


def _history(ports: Ports, workspace: WorkspaceUid, uid: str) -> Counter[str]:
    """Add up the counters of the newest flows of the campaign."""
    counters: Counter[str] = Counter()
    for flow in islice((flow for flow in flows_of(ports, workspace, uid) if flow.epoch), PAST_FLOWS):
        counters.update(ports.statistics.read(workspace, FlowUid(flow.uid), flow.stats_epoch))
    return counters


def _tally(plan: SendPlan, contacts: Sequence[Contact], visits: Mapping[NodeId, float], now: datetime) -> _Tally:
    tally = _Tally(excluded={node.id: Counter() for node in plan.graph if node.step.delivers})
    for contact in contacts:
        outcomes = _check_contact(plan, contact, now)
        messages = {node: outcome for node, outcome in outcomes.items() if isinstance(outcome, OutgoingMessage)}
        skips = {node: outcome for node, outcome in outcomes.items() if isinstance(outcome, str)}
        for node, reason in skips.items():
            tally.excluded[node][reason] += 1
        if messages:
            tally.reached += 1
        elif skips:
            tally.unreachable[next(iter(skips.values()))] += 1
        tally.reachable.update({message.channel.uid for message in messages.values()})
        tally.worst_cost += max_cost_path(plan.graph, {node: message.cost for node, message in messages.items()})
        for node, message in messages.items():
            channel = message.channel.uid
            tally.messages[channel] += visits[node]
            tally.cost[channel] += visits[node] * message.cost
    return tally


def _check_contact(plan: SendPlan, contact: Contact, now: datetime) -> dict[NodeId, OutgoingMessage | str]:
    """Return the message that each SEND step would send to the contact now, or its skip reason."""
    execution = first_execution(plan, contact, now)
    outcomes: dict[NodeId, OutgoingMessage | str] = {}
    for node in plan.graph:
        if node.step.delivers:
            try:
                prepared = prepare_message(plan, node, execution, contact)
                outcomes[node.id] = prepared if isinstance(prepared, OutgoingMessage) else prepared.reason
            except GiveUp as error:  # The template cannot be rendered for this contact.
                outcomes[node.id] = error.code
    return outcomes
