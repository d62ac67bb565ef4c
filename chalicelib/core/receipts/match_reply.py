"""Match a reply to its message.

A provider reports the address of the sender, and sometimes its own id of the message.
"""

from collections.abc import Iterator, Set
from datetime import datetime

from chalicelib.core.receipts.update_engagement import MatchedMessage
from chalicelib.model.channel import Channel
from chalicelib.model.contact import Contact
from chalicelib.model.execution import Execution, MessageOutcome
from chalicelib.model.flow import Flow
from chalicelib.model.ids import ChannelUid, ContactUid, MessageUid, WorkspaceUid
from chalicelib.ports import Ports

#: Newest flows of the contact that are searched, and newest entries in each of them.
FLOWS, ENTRIES = 20, 5


def channels_of_types(ports: Ports, channel_types: Set[str]) -> dict[WorkspaceUid, set[ChannelUid]]:
    """Return the channels of these types by workspace. Several workspaces may share a number or an account."""
    found: dict[WorkspaceUid, set[ChannelUid]] = {}
    for workspace, uid in ports.schedule.list_active(Channel):
        channel = ports.catalog.find(workspace, Channel, uid)
        if channel and channel.type in channel_types:
            found.setdefault(workspace, set()).add(ChannelUid(uid))
    return found


def match_reply(
    ports: Ports, workspace: WorkspaceUid, contact: Contact, channels: Set[str], provider_id: str
) -> tuple[datetime, MatchedMessage] | None:
    """Return the message that the provider names, or else the newest one over these channels, with its time."""
    newest: tuple[datetime, MatchedMessage] | None = None
    for flow_uid in ports.executions.find_flows(workspace, ContactUid(contact.uid))[:FLOWS]:
        flow = ports.catalog.find(workspace, Flow, flow_uid)
        if flow is None:
            continue
        uid = ContactUid(contact.uid)
        for execution in ports.executions.find_entries(workspace, flow_uid, uid, flow.shards, ENTRIES):
            for at, stored_id, message in _messages_of(execution, channels):
                if provider_id and provider_id == stored_id:
                    return at, MatchedMessage(message, flow, execution)
                if newest is None or at > newest[0]:
                    newest = (at, MatchedMessage(message, flow, execution))
    return newest


def _messages_of(execution: Execution, channels: Set[str]) -> Iterator[tuple[datetime, str | None, MessageUid]]:
    for node, result in execution.results.items():
        if result.channel in channels and result.outcome in {MessageOutcome.SENT, MessageOutcome.UNKNOWN}:
            yield result.at, result.provider_id, execution.message_uid(node)
