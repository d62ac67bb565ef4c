"""Describe a flow for an operator: status, live counters, messages in flight, first errors, A/B tests and usage."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.core.campaigns.compiled_version import graph_of
from chalicelib.core.channels.pacing import interval
from chalicelib.core.flows.progress import finished_count
from chalicelib.core.reporting.significance import LaneComparison
from chalicelib.core.reporting.variants import compare_variants
from chalicelib.errors import GiveUp
from chalicelib.model.aws_usage import AwsUsage
from chalicelib.model.campaign import Campaign, CampaignVersion
from chalicelib.model.flow import Flow, FlowStatus
from chalicelib.model.ids import FlowUid, NodeId, WorkspaceUid
from chalicelib.model.workspace import Workspace
from chalicelib.ports import Overview, Ports


@dataclass(frozen=True, slots=True)
class FlowDescription:
    """The description of a flow.

    `counters` are those of `core/flows/progress`, with `total`, `pending` and `processing` added.
    """

    flow: Flow
    counters: Mapping[str, int]
    in_flight: int
    errors: tuple[Mapping[str, object], ...]
    currency: str
    per_minute: float
    ends_at: datetime | None
    #: Comparisons of the variants, by A/B test.
    comparisons: Mapping[NodeId, tuple[LaneComparison, ...]]
    #: AWS usage of the flow.
    used: AwsUsage


def describe_flow(ports: Ports, workspace: WorkspaceUid, flow: Flow) -> FlowDescription:
    """Describe a flow. The number of reads does not depend on the number of contacts."""
    uid = FlowUid(flow.uid)
    now = ports.clock.real()
    overview = ports.statistics.overview(workspace, uid, flow.stats_epoch, now) if flow.epoch else Overview()
    counters = _complete(flow, dict(overview.counters), overview.in_flight)
    errors = ports.flow_errors.list_errors(workspace, uid) if counters.get("failed") else ()
    currency = ports.catalog.get(workspace, Workspace, workspace).currency
    return FlowDescription(
        flow=flow,
        counters=counters,
        in_flight=overview.in_flight,
        errors=errors,
        currency=currency,
        per_minute=_per_minute(flow, counters, ports.clock.now()),
        ends_at=_ends_at(ports, flow, counters),
        comparisons=_compare(ports, workspace, flow, counters),
        used=overview.used,
    )


def _compare(
    ports: Ports, workspace: WorkspaceUid, flow: Flow, counters: Mapping[str, int]
) -> Mapping[NodeId, tuple[LaneComparison, ...]]:
    version = ports.versions.find_version(
        workspace, Campaign, flow.campaign_uid, flow.campaign_version or 0, CampaignVersion
    )
    try:
        return compare_variants(graph_of(ports, workspace, version), counters) if version else {}
    except GiveUp:
        # Workers fail a flow with an unreadable version. Its counters must stay visible.
        return {}


def _total(flow: Flow, enrolled: int) -> int:
    """Return the size of the audience, or the number of enrolled contacts while the size is unknown."""
    if flow.open_ended:
        return enrolled
    return max(flow.contact_count, enrolled) if flow.is_found else flow.contact_count


def _complete(flow: Flow, counters: dict[str, int], in_flight: int) -> dict[str, int]:
    """Add `total`, `pending` and `processing`. In a cancelled flow, pending executions count as skipped."""
    total = _total(flow, counters.get("total", 0))
    unsettled = max(0, total - finished_count(counters))
    processing = min(in_flight, unsettled)
    pending = unsettled - processing
    if flow.status is FlowStatus.CANCELLED and pending:
        counters["skipped"] = counters.get("skipped", 0) + pending
        counters["reason.skipped.cancelled"] = counters.get("reason.skipped.cancelled", 0) + pending
        pending = 0
    return counters | {"total": total, "pending": pending, "processing": processing}


def _per_minute(flow: Flow, counters: Mapping[str, int], now: datetime) -> float:
    if flow.started_at is None:
        return 0.0
    minutes = ((flow.completed_at or flow.paused_at or now) - flow.started_at) / timedelta(minutes=1)
    return round(counters.get("sent", 0) / minutes, 1) if minutes > 0 else 0.0


def _ends_at(ports: Ports, flow: Flow, counters: Mapping[str, int]) -> datetime | None:
    """Estimate the end of a running flow from its pacing, or else from its rate so far.

    The estimate ignores the waits of the campaign, so it is the end of sending.
    """
    if flow.status is not FlowStatus.RUNNING or flow.started_at is None:
        return None
    now, remaining = ports.clock.now(), counters["pending"] + counters["processing"]
    step = interval(flow.configuration)
    if step:
        return now + step * remaining
    done = finished_count(counters)
    return now + (now - flow.started_at) / done * remaining if done else None
