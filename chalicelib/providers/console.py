"""The console channel for tests: writes each message to the log and, on the local stack, to a file."""

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
    """The settings, which are empty."""


class ConsoleContent(StrictModel):
    """The content of a template for the console."""

    text: Annotated[str, Field(min_length=1)]


class Console(BaseChannelType):
    """Accepts every message. A second send with the same uid becomes a second file, so that duplicates are visible."""

    name: str = "console"
    settings: type[BaseModel] = ConsoleSettings
    content: type[BaseModel] = ConsoleContent
    timeout: timedelta = timedelta(seconds=1)

    def __init__(self, outbox: Path | None = None) -> None:
        self._outbox = outbox

    def address_of(self, contact: Contact) -> str | None:
        """Return an address for every contact."""
        return contact.email or contact.phone or contact.uid

    def send(self, outgoing: OutgoingMessage) -> SendResult:
        """Write the message to the log and the outbox."""
        try:
            if self._outbox is not None:
                _keep(self._outbox, outgoing.uid, write_message(outgoing))
        except OSError as error:
            return TransientFailure(f"outbox_{error.errno or 0}")
        log_debug("console.sent", message_uid=str(outgoing.uid), channel_uid=outgoing.channel.uid)
        return Accepted(str(outgoing.uid))


def build(edges: ProviderClients) -> Console:
    """Build the channel type with the outbox folder, which only the local stack sets."""
    return Console(edges.outbox)


def write_message(outgoing: OutgoingMessage) -> bytes:
    """Return the content of a message's file, as JSON."""
    message = {
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
    return json.dumps(message, ensure_ascii=False, indent=1).encode()


def _keep(outbox: Path, uid: MessageUid, body: bytes) -> None:
    """Write a draft, then link it: a crash leaves no half message, and a link never replaces an existing file."""
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
