"""Alerts of a workspace. Each is stored, so that it is sent only once."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import ClassVar

from pydantic import JsonValue

from chalicelib.model.base import StoredDocument

LOW_BALANCE = "balance.low"
CIRCUIT_OPENED = "channel.circuit_opened"
ALERT_LIFE = timedelta(days=30)


class Alert(StoredDocument):
    """An alert.

    Its uid is derived from its subject; storing it stores its webhook deliveries in the same transaction.
    """

    kind: ClassVar[str] = "NOTICE"

    name: str
    data: Mapping[str, JsonValue]

    @property
    def forget_at(self) -> datetime:
        return self.created_at + ALERT_LIFE
