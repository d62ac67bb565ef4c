"""Builders for unit tests: each returns an ordinary object, and takes the fields that a test is about."""

from datetime import UTC, datetime
from typing import Any

from chalicelib.core.campaigns.compiler import compile_steps
from chalicelib.model.channel import Channel
from chalicelib.model.contact import Contact
from chalicelib.model.execution import Execution, ExecutionKey, ExecutionStatus
from chalicelib.model.flow import Flow, FlowStatus
from chalicelib.model.graph import Graph
from chalicelib.model.ids import ContactUid, FlowUid, MessageUid, NodeId, WorkspaceUid
from chalicelib.model.message import MessageType, OutgoingMessage
from chalicelib.model.template import Template, TemplateStatus, TemplateVersion
from chalicelib.nodes.registry import read_step

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
KEY = ExecutionKey(WorkspaceUid("ws"), FlowUid("flow"), ContactUid("ann"))
_STAMPS = {"created_at": NOW, "updated_at": NOW}


def send(uid: str, **fields: Any) -> dict[str, Any]:
    """Return an authored SEND."""
    return {"id": uid, "type": "SEND", "templateUid": "hello", **fields}


def wait(uid: str, span: object = "P2D") -> dict[str, Any]:
    """Return an authored WAIT."""
    return {"id": uid, "type": "WAIT", "for": span}


def end(uid: str = "done") -> dict[str, Any]:
    """Return an authored END."""
    return {"id": uid, "type": "END"}


def tag(uid: str, *names: str) -> dict[str, Any]:
    """Return an authored TAG that adds tags."""
    return {"id": uid, "type": "TAG", "add": list(names)}


def condition(uid: str, when: dict[str, Any], yes: list[Any], no: list[Any] | None = None) -> dict[str, Any]:
    """Return an authored CONDITION with a lane for contacts that match `when`, and one for the others unless None."""
    lanes = [{"label": "yes", "when": when, "steps": yes}]
    others = {"label": "no", "steps": no} if no is not None else {"label": "gone", "when": {"tag": "gone"}}
    return {"id": uid, "type": "CONDITION", "lanes": [*lanes, others]}


def ab_test(uid: str, **lanes: list[Any]) -> dict[str, Any]:
    """Return an authored AB_TEST with lanes of equal weight; the last lane takes the rest."""
    share = 100 // len(lanes)
    weights = [share] * (len(lanes) - 1) + [100 - share * (len(lanes) - 1)]
    named = zip(lanes.items(), weights, strict=True)
    written = [{"label": label, "weight": weight, "steps": steps} for (label, steps), weight in named]
    return {"id": uid, "type": "AB_TEST", "lanes": written}


def build_graph(*steps: dict[str, Any]) -> Graph:
    """Compile steps without problems into a graph."""
    compiled = compile_steps(steps, read_step)
    assert compiled.problems == ()
    return compiled.graph


def build_contact(**fields: Any) -> Contact:
    """Return an active contact without a consent record."""
    return Contact(**{"uid": "ann", "email": "ann@example.com", **_STAMPS, **fields})


def build_channel(**fields: Any) -> Channel:
    """Return an approved and active e-mail channel."""
    return Channel(**{"uid": "mail", "name": "Mail", "type": "email", **_STAMPS, **fields})


def build_template(**fields: Any) -> Template:
    """Return a published e-mail template."""
    defaults = {"uid": "hello", "name": "Hello", "channel_type": "email", "content": {"text": "Hello"}, **_STAMPS}
    return Template(**{**defaults, "status": TemplateStatus.PUBLISHED, "latest_version": 1, **fields})


def build_version(**fields: Any) -> TemplateVersion:
    """Return version 1 of an e-mail template."""
    content = {"text": "Hello"}
    defaults = {"version": 1, "channel_type": "email", "message_type": MessageType.MESSAGE, "content": content}
    return TemplateVersion(**{**defaults, "published_at": NOW, **fields})


def build_flow(status: FlowStatus = FlowStatus.RUNNING, **fields: Any) -> Flow:
    """Return a flow with this status."""
    return Flow(**{"uid": "flow", "status": status, "channel_uid": "mail", "campaign_uid": "camp", **_STAMPS, **fields})


def build_execution(node: str | None = "hello", **fields: Any) -> Execution:
    """Return a newly enrolled execution at this node."""
    defaults = {"key": KEY, "status": ExecutionStatus.PENDING, "seq": 0, "version": 1}
    times = {"created": NOW, "updated": NOW, "entered": NOW}
    return Execution(node=NodeId(node) if node else None, **{**defaults, **times, **fields})


def build_message(node: str = "hello") -> OutgoingMessage:
    """Return a rendered message of that execution."""
    uid = MessageUid(KEY.workspace, KEY.flow, KEY.contact, NodeId(node))
    return OutgoingMessage(uid, build_channel(), MessageType.MESSAGE, "ann@example.com", {"text": "Hello"})
