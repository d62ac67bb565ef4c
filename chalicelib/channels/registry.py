"""The channel types that exist; adding one is a file and its line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chalicelib.channels.console import Console
from chalicelib.channels.email import Email
from chalicelib.ports import ChannelType

if TYPE_CHECKING:
    from pathlib import Path

    from mypy_boto3_sesv2 import SESV2Client


@dataclass(frozen=True, slots=True)
class Edges:
    """How channel types reach the world. Clients make one attempt: a lost answer must not become a second send."""

    ses: SESV2Client
    #: Where the console keeps its messages; None keeps none.
    outbox: Path | None = None


CHANNEL_TYPES: Mapping[str, Callable[[Edges], ChannelType]] = {
    "console": lambda edges: Console(edges.outbox),
    "email": lambda edges: Email(edges.ses),
}


def build_channel_types(edges: Edges) -> dict[str, ChannelType]:
    """One of each, by name."""
    return {name: build(edges) for name, build in CHANNEL_TYPES.items()}
