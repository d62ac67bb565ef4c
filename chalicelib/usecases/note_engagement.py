"""Notes what a contact did with a message, by the links that lead by way of us."""

from chalicelib.engine.progress import difference
from chalicelib.engine.signing import CLICK, OPEN, hash_url, read_token
from chalicelib.errors import NotFound
from chalicelib.model.execution import Engagement, ExecutionKey, Receipt
from chalicelib.model.flow import Flow
from chalicelib.model.ids import ContactUid, FlowUid, MessageUid, NodeId, WorkspaceUid, new_uid
from chalicelib.ports import Ports


def note_open(ports: Ports, token: str) -> None:
    """Harmless for a token that is not ours, and for a message that was forgotten."""
    parts = read_token(ports.secret(), OPEN, token, 5)
    if parts:
        note_engagement(ports, _uid_of(parts), Engagement.OPENED)


def note_click(ports: Ports, token: str, url: str) -> None:
    """NotFound unless the token was signed for this very URL: nobody is led elsewhere by our name."""
    parts = read_token(ports.secret(), CLICK, token, 6)
    if parts is None or parts[5] != hash_url(url):
        raise NotFound("Link", token[:12])
    note_engagement(ports, _uid_of(parts[:5]), Engagement.CLICKED)


def note_engagement(ports: Ports, uid: MessageUid, engagement: Engagement) -> None:
    """Only what ranks above that which is known counts, once."""
    flow = ports.catalog.find(uid.workspace, Flow, uid.flow)
    if flow is None:
        return
    key = ExecutionKey(uid.workspace, uid.flow, uid.contact, uid.visit)
    receipt = Receipt(engagement, ports.clock.now())
    changed = ports.executions.put_receipt(key, flow.shards, uid.node, receipt)
    if changed:
        counters = difference(*changed)
        ports.statistics.leave(uid.workspace, uid.flow, flow.stats_epoch, new_uid(), counters)


def _uid_of(parts: tuple[str, ...]) -> MessageUid:
    workspace, flow, contact, node, visit = parts
    return MessageUid(WorkspaceUid(workspace), FlowUid(flow), ContactUid(contact), NodeId(node), int(visit))
