"""Finds the messages of a flow that its retries have sent already, or are sending: no other retry sends them again."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from chalicelib.engine.retrying import matches_of, taken_by
from chalicelib.model.campaign import Campaign
from chalicelib.model.execution import Execution, ExecutionKey
from chalicelib.model.flow import Flow, RetryOf
from chalicelib.model.ids import FlowUid, NodeId, WorkspaceUid
from chalicelib.ports import Ports, all_pages

_Retried = Mapping[ExecutionKey, frozenset[NodeId]]


@dataclass(frozen=True, slots=True)
class Retries:
    """The retries of a flow and theirs in turn, in which each walk has the name that it has in the flow."""

    flows: tuple[Flow, ...]

    def find(self, ports: Ports, rows: Sequence[Execution], retry: RetryOf) -> _Retried:
        """By the keys of these rows, the nodes whose messages somebody has from a retry or may have."""
        doubtful = [row.key for row in rows if matches_of(row, retry)] if retry.of != "failed" else []
        nodes: dict[ExecutionKey, frozenset[NodeId]] = defaultdict(frozenset)
        for flow in self.flows if doubtful else ():
            keys = {replace(key, flow=FlowUid(flow.uid)): key for key in doubtful}
            for key, row in ports.executions.find_many(list(keys), flow.shards, strong=True).items():
                nodes[keys[key]] |= taken_by(row)
        return nodes


def find_retries(ports: Ports, workspace: WorkspaceUid, of: Flow, but: str = "") -> Retries:
    """All but the one that is being made; those that were deleted are forgotten."""
    pages = all_pages(partial(ports.catalog.children, workspace, Campaign, of.campaign_uid, Flow, 100))
    retries = [flow for page in pages for flow in page if flow.retry_of and flow.uid != but]
    family = {of.uid}
    while grown := {flow.uid for flow in retries if flow.retry_of and flow.retry_of.flow_uid in family} - family:
        family |= grown
    return Retries(tuple(flow for flow in retries if flow.uid in family))
