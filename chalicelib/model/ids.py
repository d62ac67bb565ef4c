"""Ids: their types, how new ones are made, and the message uid that carries its own address."""

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

#: Ids travel in URLs, in queue bodies and in e-mail tags (SES allows 256 characters of A-Za-z0-9_-.@ in a tag value,
#: and a message uid joins five ids by dots), so they are short and plain.
UID_PATTERN = r"^[A-Za-z0-9_-]{1,64}$"
NODE_PATTERN = r"^[A-Za-z0-9_-]{1,40}$"


def new_uid() -> str:
    """A fresh ULID: 26 characters, later ones sort after earlier ones."""
    return str(ULID())


def new_mark() -> str:
    """Eight random characters by which a writer knows its own write again."""
    return new_uid()[-8:]


def is_uid(text: str) -> bool:
    """Whether a client may bring this as an id."""
    return re.fullmatch(UID_PATTERN, text) is not None and not text.endswith("\n")


@dataclass(frozen=True, slots=True)
class MessageUid:
    """The one token of a message: given to the provider, and what comes back in its events."""

    workspace: WorkspaceUid
    flow: FlowUid
    contact: ContactUid
    node: NodeId
    visit: int = 1
    #: Which of the SEND's offers: 0 is its own channel, 1 its fallback. Another message, so it has another token.
    offer: int = 0

    def __str__(self) -> str:
        offer = f".{self.offer}" if self.offer else ""
        return f"{self.workspace}.{self.flow}.{self.contact}.{self.node}.{self.visit}{offer}"


def read_message_uid(text: str) -> MessageUid | None:
    """The address inside a message uid, or None when the text is not one."""
    workspace, flow, contact, node, visit, offer = (*text.split("."), "0", "", "", "", "", "")[:6]
    if text.count(".") not in {4, 5} or not all(map(is_uid, (workspace, flow, contact, node))):
        return None
    is_numbered = re.fullmatch(r"[1-9][0-9]{0,5}", visit) and re.fullmatch(r"[0-9]", offer)
    if not is_numbered or text.endswith(("\n", ".0")):
        return None
    place = WorkspaceUid(workspace), FlowUid(flow), ContactUid(contact), NodeId(node)
    return MessageUid(*place, int(visit), int(offer))


def uid_at(moment: datetime, *parts: str) -> str:
    """A ULID of a moment that is always the same for the same parts."""
    milliseconds = int(moment.timestamp() * 1000).to_bytes(6, "big")
    return str(ULID(milliseconds + blake2b("\x1f".join(parts).encode(), digest_size=10).digest()))
