"""The channel that reaches nobody: a line in the log and, where there is an outbox, a file for each message."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, Field

from chalicelib.model.base import StrictModel
from chalicelib.model.contact import Contact
from chalicelib.model.ids import MessageUid, new_uid
from chalicelib.model.message import Accepted, OutgoingMessage, SendResult, TransientFailure
from chalicelib.providers.base import BaseChannelType
from chalicelib.telemetry import log_debug

if TYPE_CHECKING:
    from chalicelib.providers.registry import ProviderClients


class ConsoleSettings(StrictModel):
    """It needs none."""


class ConsoleContent(StrictModel):
    """What a console template is made of."""

    text: Annotated[str, Field(min_length=1)]


class Console(BaseChannelType):
    """Accepts every message. A second one with the same uid becomes a second file, so that doubles are seen."""

    name: str = "console"
    settings: type[BaseModel] = ConsoleSettings
    content: type[BaseModel] = ConsoleContent
    timeout: timedelta = timedelta(seconds=1)

    def __init__(self, outbox: Path | None = None) -> None:
        self._outbox = outbox

    def address_of(self, contact: Contact) -> str | None:
        """Everybody can be reached here."""
        return contact.email or contact.phone or contact.uid

    def send(self, outgoing: OutgoingMessage) -> SendResult:
        """Writes the message down."""
        try:
            if self._outbox is not None:
                _keep(self._outbox, outgoing.uid, write_message(outgoing))
        except OSError as error:
            return TransientFailure(f"outbox_{error.errno or 0}")
        log_debug("console.sent", message_uid=str(outgoing.uid), channel_uid=outgoing.channel.uid)
        return Accepted(str(outgoing.uid))


def build(edges: ProviderClients) -> Console:
    """Of the laptop it knows the outbox."""
    return Console(edges.outbox)


def write_message(outgoing: OutgoingMessage) -> bytes:
    """The file of a message."""
    said = {
        "messageUid": str(outgoing.uid),
        "workspaceUid": outgoing.uid.workspace,
        "flowUid": outgoing.uid.flow,
        "contactUid": outgoing.uid.contact,
        "nodeId": outgoing.uid.node,
        "channelUid": outgoing.channel.uid,
        "messageType": outgoing.message_type,
        "to": outgoing.to,
        "content": dict(outgoing.content),
    }
    return json.dumps(said, ensure_ascii=False, indent=1).encode()


def _keep(outbox: Path, uid: MessageUid, body: bytes) -> None:
    """As a draft first: a crash leaves no half message, and a link, like O_EXCL, never replaces one that is there."""
    outbox.mkdir(parents=True, exist_ok=True)
    draft = outbox / f".{new_uid()}"
    draft.write_bytes(body)
    try:
        for number in count(1):
            if _link(draft, outbox / (f"{uid}.json" if number == 1 else f"{uid}.{number}.json")):
                return
    finally:
        draft.unlink()


def _link(draft: Path, name: Path) -> bool:
    try:
        os.link(draft, name)
    except FileExistsError:
        return False
    return True
