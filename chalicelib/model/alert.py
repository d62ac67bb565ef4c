"""Something of a workspace that its people should know of, kept so that it is told once."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import ClassVar

from pydantic import JsonValue

from chalicelib.model.base import StoredDocument

LOW_BALANCE = "balance.low"
CIRCUIT_OPENED = "channel.circuit_opened"
NOTICE_LIFE = timedelta(days=30)


class Alert(StoredDocument):
    """Its uid follows from what it is about; storing it stores what webhooks are told of it, in the same write."""

    kind: ClassVar[str] = "NOTICE"

    name: str
    data: Mapping[str, JsonValue]

    @property
    def forget_at(self) -> datetime:
        return self.created_at + NOTICE_LIFE
