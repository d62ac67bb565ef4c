"""Shared parts of the peers' programs: contacts, condition, and the provider that writes an outbox."""

import json
import os
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

FLOW = "flow"
TAG = "engaged"
OUTBOX = Path(os.environ.get("OUTBOX_DIR", "outbox"))
CONTACTS = int(os.environ.get("CONTACTS", "0"))
#: Seconds that replace the two days of the WAIT, for all contestants alike.
WAIT_SECONDS = float(os.environ.get("WAIT_SECONDS", "20"))


def people() -> Iterator[tuple[str, str, str]]:
    """Yield uid, email and first name of every contact."""
    return ((f"contact-{n:06}", f"b{n}@carillon.example", f"Name{n}") for n in range(CONTACTS))


def may_be_written_to(contact: Mapping[str, Any], flow_status: str) -> bool:
    """Return whether the contact may receive a message; checked before each send."""
    return flow_status == "running" and bool(contact["consent"]) and bool(contact["email"])


def holds(results: Mapping[str, str]) -> bool:
    """Return whether the CONDITION holds: the first message was sent."""
    return results.get("one") == "sent"


def send(contact: Mapping[str, Any], node: str) -> str:
    """Write a file for each message, as Carillon's console channel does; duplicates get other names.

    As a draft first and linked then, so that a crash leaves no half message.
    """
    uid = f"{FLOW}.{contact['uid']}.{node}"
    text = f"Hello {contact['first_name']}, this is a measurement."
    draft = OUTBOX / f".{uuid4()}"
    draft.write_text(json.dumps({"messageUid": uid, "to": contact["email"], "content": {"text": text}}, indent=1))
    try:
        for number in count(1):
            try:
                os.link(draft, OUTBOX / (f"{uid}.json" if number == 1 else f"{uid}.{number}.json"))
            except FileExistsError:
                continue
            return "sent"
    finally:
        draft.unlink()
    return "unknown"
