"""A new flow over just those contacts of another one whose messages failed, stayed unknown or were skipped."""

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

#: Flows of so many shards (of 5,000 contacts) are read while the caller waits; the rows of larger ones by jobs.
READ_AT_ONCE = 2
_RETRIABLE = ENDED | {FlowStatus.PAUSED, FlowStatus.ERROR}


class RetryRequest(StrictModel):
    """The body of `POST /v1/flows/{uid}/retry`; `reason` narrows it to one failure or skip code, `nodeId` to one step.

    `unknown` and `skipped` run one message of each contact again: the first that no retry of the flow has sent.
    """

    of: Literal["failed", "unknown", "skipped"]
    """Outcome to retry: `failed`, `unknown` or `skipped`."""
    reason: Annotated[str, Field(max_length=200)] | None = None
    """Only executions or messages with this failure or skip code."""
    node_id: Annotated[str, Field(max_length=64)] | None = None
    """Only messages of this step, or executions that failed there."""


def retry_flow(ports: Ports, workspace: WorkspaceUid, uid: str, wish: RetryRequest, new: str | None = None) -> Flow:
    """Conflict while the flow or such a retry of it still runs, InvalidRequest when there is nobody to retry.

    Two retries of the same failures would write to everybody twice, each under a message uid of its own.
    `new` is the uid of the flow to be made, if it has one already.
    """
    flow = ports.catalog.get(workspace, Flow, uid)
    if flow.status not in _RETRIABLE:
        allowed = sorted(status.value for status in _RETRIABLE)
        raise Conflict("Only a flow that is paused, stopped or over can be retried", flow.status, allowed)
    if flow.campaign_version is None:
        # A draft that was cancelled.
        raise invalid("of", _nobody(wish))
    only = wish.of != "failed" or (flow.retry_of is not None and flow.retry_of.only)
    retry = RetryOf(flow_uid=flow.uid, of=wish.of, reason=wish.reason, node_id=wish.node_id, only=only)
    draft = _draft(ports, flow, retry, new or new_uid())
    pin_version(ports, workspace, draft)
    # Read before the retries are: another one that starts meanwhile moves it.
    campaign = ports.catalog.get(workspace, Campaign, flow.campaign_uid)
    retries = messages_already_retried(ports, workspace, flow)
    if rival := retries.rival_of(retry):
        raise Conflict(f"Flow {rival.uid} is retrying them already", rival.status, sorted(ENDED))
    is_large = flow.shards > READ_AT_ONCE
    entries = [] if is_large else _entries(ports, workspace, flow, retry, retries)
    expected = _expected(ports, workspace, flow, retry) if is_large else len(entries)
    if not expected:
        raise invalid("of", _nobody(wish))
    if is_large:
        # A part for each shard of its rows, which jobs look through.
        draft = draft.with_retried_shards(flow.shards, count_shards(expected))
    return store_and_start(ports, workspace, draft, entries, [campaign])


def _nobody(wish: RetryRequest) -> str:
    which = (f" by {wish.reason}" if wish.reason else "") + (f" at {wish.node_id}" if wish.node_id else "")
    return f"No message of this flow is {wish.of}{which}, or a retry of it has sent them all; then retry that one"


def _draft(ports: Ports, of: Flow, retry: RetryOf, uid: str) -> Flow:
    """Of the same campaign version and pacing."""
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
    """Whom the retry is for, exactly."""
    pages = (
        rows
        for shard in range(flow.shards)
        for rows in all_pages(partial(ports.executions.page, workspace, FlowUid(flow.uid), shard, PAGE))
    )
    entries = []
    for rows in pages:
        done = retries.find(ports, rows, retry)
        entries += [entry for row in rows if (entry := retry_start(row, retry, done.get(row.key, frozenset())))]
    return entries


def _expected(ports: Ports, workspace: WorkspaceUid, flow: Flow, retry: RetryOf) -> int:
    """How many the retry is for by the statistics of a flow that is too large to be read while somebody waits."""
    return expect_entries(ports.statistics.read(workspace, FlowUid(flow.uid), flow.stats_epoch), retry)
