"""Ids: their types, generation, and the message uid, which contains the address of its execution."""

import re
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import NewType

from ulid import ULID

WorkspaceUid = NewType("WorkspaceUid", str)
FlowUid = NewType("FlowUid", str)
CampaignUid = NewType("CampaignUid", str)
ChannelUid = NewType("ChannelUid", str)
TemplateUid = NewType("TemplateUid", str)
ContactUid = NewType("ContactUid", str)
NodeId = NewType("NodeId", str)
AttemptId = NewType("AttemptId", str)

#: Ids are used in URLs, queue messages and e-mail tags. SES allows 256 characters of A-Za-z0-9_-.@ in a tag value, and
#: a message uid joins five ids with dots, so ids are short and plain.
UID_PATTERN = r"^[A-Za-z0-9_-]{1,64}$"
NODE_PATTERN = r"^[A-Za-z0-9_-]{1,40}$"


def new_uid() -> str:
    """Return a new ULID: 26 characters, sortable by time of creation."""
    return str(ULID())


def new_mark() -> str:
    """Return eight random characters that let a writer recognise its own write."""
    return new_uid()[-8:]


def is_uid(text: str) -> bool:
    """Report whether a client may use this text as an id."""
    return re.fullmatch(UID_PATTERN, text) is not None and not text.endswith("\n")


@dataclass(frozen=True, slots=True)
class MessageUid:
    """The token of a message. It is passed to the provider, which returns it in its events."""

    workspace: WorkspaceUid
    flow: FlowUid
    contact: ContactUid
    node: NodeId
    visit: int = 1
    #: The send option: 0 is the step's own channel, 1 its fallback. Each option is another message, so its token
    #: differs.
    option: int = 0

    def __str__(self) -> str:
        option = f".{self.option}" if self.option else ""
        return f"{self.workspace}.{self.flow}.{self.contact}.{self.node}.{self.visit}{option}"


def read_message_uid(text: str) -> MessageUid | None:
    """Parse a message uid; None for other text."""
    workspace, flow, contact, node, visit, option = (*text.split("."), "0", "", "", "", "", "")[:6]
    if text.count(".") not in {4, 5} or not all(map(is_uid, (workspace, flow, contact, node))):
        return None
    is_numbered = re.fullmatch(r"[1-9][0-9]{0,5}", visit) and re.fullmatch(r"[0-9]", option)
    if not is_numbered or text.endswith(("\n", ".0")):
        return None
    place = WorkspaceUid(workspace), FlowUid(flow), ContactUid(contact), NodeId(node)
    return MessageUid(*place, int(visit), int(option))


def uid_at(moment: datetime, *parts: str) -> str:
    """Return a ULID of a time that is always the same for the same parts."""
    milliseconds = int(moment.timestamp() * 1000).to_bytes(6, "big")
    return str(ULID(milliseconds + blake2b("\x1f".join(parts).encode(), digest_size=10).digest()))
