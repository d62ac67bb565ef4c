"""Finds which message a contact answers: providers tell the address, and their own id of the message at best."""

from collections.abc import Iterator, Set
from datetime import datetime

from chalicelib.core.receipts.update_engagement import MatchedMessage
from chalicelib.model.channel import Channel
from chalicelib.model.contact import Contact
from chalicelib.model.execution import Execution, MessageOutcome
from chalicelib.model.flow import Flow
from chalicelib.model.ids import ChannelUid, ContactUid, MessageUid, WorkspaceUid
from chalicelib.ports import Ports

#: How many of the contact's newest flows, and of its newest entries into each, are looked through.
FLOWS, ENTRIES = 20, 5


def channels_of_types(ports: Ports, channel_types: Set[str]) -> dict[WorkspaceUid, set[ChannelUid]]:
    """The channels of these types in all workspaces: a number or an account may be shared by several."""
    found: dict[WorkspaceUid, set[ChannelUid]] = {}
    for workspace, uid in ports.schedule.list_active(Channel):
        channel = ports.catalog.find(workspace, Channel, uid)
        if channel and channel.type in channel_types:
            found.setdefault(workspace, set()).add(ChannelUid(uid))
    return found


def match_reply(
    ports: Ports, workspace: WorkspaceUid, contact: Contact, channels: Set[str], provider_id: str
) -> tuple[datetime, MatchedMessage] | None:
    """The message that the provider names, else the newest to the contact by one of these channels, with its time."""
    newest: tuple[datetime, MatchedMessage] | None = None
    for flow_uid in ports.executions.find_flows(workspace, ContactUid(contact.uid))[:FLOWS]:
        flow = ports.catalog.find(workspace, Flow, flow_uid)
        if flow is None:
            continue
        uid = ContactUid(contact.uid)
        for row in ports.executions.find_entries(workspace, flow_uid, uid, flow.shards, ENTRIES):
            for at, told_id, message in _messages_of(row, channels):
                if provider_id and provider_id == told_id:
                    return at, MatchedMessage(message, flow, row)
                if newest is None or at > newest[0]:
                    newest = (at, MatchedMessage(message, flow, row))
    return newest


def _messages_of(row: Execution, channels: Set[str]) -> Iterator[tuple[datetime, str | None, MessageUid]]:
    for node, result in row.results.items():
        if result.channel in channels and result.outcome in {MessageOutcome.SENT, MessageOutcome.UNKNOWN}:
            yield result.at, result.provider_id, row.message_uid(node)
