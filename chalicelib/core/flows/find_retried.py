"""Finds the messages of a flow that its retries have sent already, or are sending: no other retry sends them again."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from chalicelib.core.flows.retry_selection import covered_by, matches_of
from chalicelib.model.campaign import Campaign
from chalicelib.model.execution import Execution, ExecutionKey
from chalicelib.model.flow import Flow, RetryOf
from chalicelib.model.ids import FlowUid, NodeId, WorkspaceUid
from chalicelib.ports import Ports, all_pages

_Retried = Mapping[ExecutionKey, frozenset[NodeId]]


@dataclass(frozen=True, slots=True)
class Retries:
    """The other retries of a flow, of those that it is a retry of, and theirs in turn; a walk has one name in all."""

    of: Flow
    flows: tuple[Flow, ...]
    #: By the uid of a flow what it is a retry of.
    made: Mapping[str, RetryOf]

    def find(self, ports: Ports, rows: Sequence[Execution], retry: RetryOf) -> _Retried:
        """By the keys of these rows, the nodes whose messages somebody has from a retry or may have."""
        doubtful = [row.key for row in rows if matches_of(row, retry)]
        nodes: dict[ExecutionKey, frozenset[NodeId]] = defaultdict(frozenset)
        for flow in self.flows if doubtful else ():
            keys = {replace(key, flow=FlowUid(flow.uid)): key for key in doubtful}
            for key, row in ports.executions.find_many(list(keys), flow.shards, strong=True).items():
                nodes[keys[key]] |= covered_by(row, retry)
        return nodes

    def rival_of(self, retry: RetryOf) -> Flow | None:
        """One that is not over and may write to the same contact about the same message."""
        ours = {each.flow_uid: each for each in (retry, *_line(self.made, self.of.uid))}
        for flow in self.flows:
            # Of the nearest flow that both come from they are about the same messages, or about others.
            theirs = next(each for each in _line(self.made, flow.uid) if each.flow_uid in ours)
            if not flow.is_over and theirs.overlaps(ours[theirs.flow_uid]):
                return flow
        return None


def messages_already_retried(ports: Ports, workspace: WorkspaceUid, of: Flow, but: str = "") -> Retries:
    """All but the one that is being made; those that were deleted are forgotten."""
    pages = all_pages(partial(ports.catalog.children, workspace, Campaign, of.campaign_uid, Flow, 100))
    retries = [flow for page in pages for flow in page if flow.retry_of and flow.uid != but]
    made = {flow.uid: flow.retry_of for flow in (*retries, of) if flow.retry_of}
    above = {of.uid, *(retry.flow_uid for retry in _line(made, of.uid))}
    others = (flow for flow in retries if flow.uid not in above)
    kin = tuple(flow for flow in others if any(each.flow_uid in above for each in _line(made, flow.uid)))
    return Retries(of, kin, made)


def _line(made: Mapping[str, RetryOf], uid: str) -> Iterator[RetryOf]:
    """What the flow is a retry of, what that flow is a retry of, and so on."""
    while retry := made.get(uid):
        yield retry
        uid = retry.flow_uid
