"""Retry a flow: start a new flow for the contacts with failed, unknown or skipped messages."""

from functools import partial
from typing import Annotated, Literal

from pydantic import Field

from chalicelib.core.flows.create_flow import count_shards, store_and_start
from chalicelib.core.flows.enrol_retry import PAGE
from chalicelib.core.flows.find_retried import Retries, messages_already_retried
from chalicelib.core.flows.retry_selection import expect_entries, retry_start
from chalicelib.core.flows.start_flow import pin_version
from chalicelib.errors import Conflict, invalid
from chalicelib.model.base import StrictModel
from chalicelib.model.campaign import Campaign
from chalicelib.model.flow import ENDED, Flow, FlowStatus, RetryOf
from chalicelib.model.ids import FlowUid, WorkspaceUid, new_uid
from chalicelib.ports import Ports, all_pages

#: Flows with up to this many shards (of 5,000 contacts) are read in the request, larger ones by jobs.
SMALL_SHARDS = 2
_RETRIABLE = ENDED | {FlowStatus.PAUSED, FlowStatus.ERROR}


class RetryRequest(StrictModel):
    """The body of `POST /v1/flows/{uid}/retry`.

    `unknown` and `skipped` send one message of each contact again: the first that no retry of the flow has sent.
    """

    of: Literal["failed", "unknown", "skipped"]
    """Outcome to retry: `failed`, `unknown` or `skipped`."""
    reason: Annotated[str, Field(max_length=200)] | None = None
    """Only executions or messages with this failure or skip code."""
    node_id: Annotated[str, Field(max_length=64)] | None = None
    """Only messages of this step, or executions that failed there."""


def retry_flow(ports: Ports, workspace: WorkspaceUid, uid: str, request: RetryRequest, new: str | None = None) -> Flow:
    """Start a retry. `new`: uid of the new flow, if it is reserved already.

    Raises Conflict while the flow or an overlapping retry runs, because two retries would send the same messages twice.
    Raises InvalidRequest if no contact is left to retry.
    """
    flow = ports.catalog.get(workspace, Flow, uid)
    if flow.status not in _RETRIABLE:
        allowed = sorted(status.value for status in _RETRIABLE)
        raise Conflict(
            "Only a flow that is paused, stopped or ended can be retried; pause it first", flow.status, allowed
        )
    if flow.campaign_version is None:
        # The flow was cancelled as a draft.
        raise invalid("of", _nothing_to_retry(request))
    only = request.of != "failed" or (flow.retry_of is not None and flow.retry_of.only)
    retry = RetryOf(flow_uid=flow.uid, of=request.of, reason=request.reason, node_id=request.node_id, only=only)
    draft = _draft(ports, flow, retry, new or new_uid())
    pin_version(ports, workspace, draft)
    # Read before the retries. A concurrent start of another retry changes it, so one of the two is refused.
    campaign = ports.catalog.get(workspace, Campaign, flow.campaign_uid)
    retries = messages_already_retried(ports, workspace, flow)
    if rival := retries.rival_of(retry):
        raise Conflict(f"Flow {rival.uid} is already retrying the same messages", rival.status, sorted(ENDED))
    is_large = flow.shards > SMALL_SHARDS
    entries = [] if is_large else _entries(ports, workspace, flow, retry, retries)
    expected = _expected(ports, workspace, flow, retry) if is_large else len(entries)
    if not expected:
        raise invalid("of", _nothing_to_retry(request))
    if is_large:
        # One chunk for each shard of the retried flow, which a job searches.
        draft = draft.with_retried_shards(flow.shards, count_shards(expected))
    return store_and_start(ports, workspace, draft, entries, [campaign])


def _nothing_to_retry(request: RetryRequest) -> str:
    which = (f" by {request.reason}" if request.reason else "") + (f" at {request.node_id}" if request.node_id else "")
    return f"No message of this flow is {request.of}{which}, or a retry has sent them all; retry that flow instead"


def _draft(ports: Ports, of: Flow, retry: RetryOf, uid: str) -> Flow:
    """Return the draft of the retry, with the campaign version and configuration of the retried flow."""
    now = ports.clock.now()
    return Flow(
        uid=uid,
        created_at=now,
        updated_at=now,
        description=f"Retry ({retry.of}) of {of.description or of.uid}"[:2_000],
        channel_uid=of.channel_uid,
        campaign_uid=of.campaign_uid,
        campaign_version=of.campaign_version,
        trigger="retry",
        retry_of=retry,
        configuration=of.configuration,
    )


def _entries(ports: Ports, workspace: WorkspaceUid, flow: Flow, retry: RetryOf, retries: Retries) -> list[str]:
    """Return the entries of the retry."""
    pages = (
        executions
        for shard in range(flow.shards)
        for executions in all_pages(partial(ports.executions.page, workspace, FlowUid(flow.uid), shard, PAGE))
    )
    entries = []
    for executions in pages:
        sent = retries.find(ports, executions, retry)
        entries += [
            entry for each in executions if (entry := retry_start(each, retry, sent.get(each.key, frozenset())))
        ]
    return entries


def _expected(ports: Ports, workspace: WorkspaceUid, flow: Flow, retry: RetryOf) -> int:
    """Estimate the number of entries by the statistics, for a flow that is too large to be read in a request."""
    return expect_entries(ports.statistics.read(workspace, FlowUid(flow.uid), flow.stats_epoch), retry)
