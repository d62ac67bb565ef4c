"""Find messages that retries of a flow have sent or are sending, so that no other retry sends them again."""

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
    """The retries that share contacts with a flow: its own retries, those of the flows it retries, and so on.

    An execution has the same id in all of them.
    """

    of: Flow
    flows: tuple[Flow, ...]
    #: Uid of a flow → the selection that it retries.
    made: Mapping[str, RetryOf]

    def find(self, ports: Ports, executions: Sequence[Execution], retry: RetryOf) -> _Retried:
        """Return for these executions the nodes with a message that a retry has sent or may have sent."""
        matching = [each.key for each in executions if matches_of(each, retry)]
        nodes: dict[ExecutionKey, frozenset[NodeId]] = defaultdict(frozenset)
        for flow in self.flows if matching else ():
            keys = {replace(key, flow=FlowUid(flow.uid)): key for key in matching}
            for key, execution in ports.executions.find_many(list(keys), flow.shards, strong=True).items():
                nodes[keys[key]] |= covered_by(execution, retry)
        return nodes

    def rival_of(self, retry: RetryOf) -> Flow | None:
        """Return an unfinished retry that may send the same message to the same contact, or None."""
        ours = {each.flow_uid: each for each in (retry, *_ancestors(self.made, self.of.uid))}
        for flow in self.flows:
            # Both selections are compared at the nearest flow that both retry.
            theirs = next(each for each in _ancestors(self.made, flow.uid) if each.flow_uid in ours)
            if not flow.is_over and theirs.overlaps(ours[theirs.flow_uid]):
                return flow
        return None


def messages_already_retried(ports: Ports, workspace: WorkspaceUid, of: Flow, but: str = "") -> Retries:
    """Find the related retries, except `but`. Deleted retries are not considered."""
    pages = all_pages(partial(ports.catalog.children, workspace, Campaign, of.campaign_uid, Flow, 100))
    retries = [flow for page in pages for flow in page if flow.retry_of and flow.uid != but]
    made = {flow.uid: flow.retry_of for flow in (*retries, of) if flow.retry_of}
    retried = {of.uid, *(retry.flow_uid for retry in _ancestors(made, of.uid))}
    others = (flow for flow in retries if flow.uid not in retried)
    related = tuple(flow for flow in others if any(each.flow_uid in retried for each in _ancestors(made, flow.uid)))
    return Retries(of, related, made)


def _ancestors(made: Mapping[str, RetryOf], uid: str) -> Iterator[RetryOf]:
    """Yield the selection that the flow retries, then that of the retried flow, and so on."""
    while retry := made.get(uid):
        yield retry
        uid = retry.flow_uid
