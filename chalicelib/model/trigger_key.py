"""Idempotency keys of triggered campaigns: the same key of the same campaign returns the same flow for a day."""

from datetime import datetime, timedelta
from typing import ClassVar

from chalicelib.model.base import StoredDocument

#: A repeated request with its key within this time starts nothing new (product.md).
KEY_LIFE = timedelta(hours=24)


class TriggerKey(StoredDocument):
    """Stored before its flow, so that a repeated request creates the same flow."""

    kind: ClassVar[str] = "TRIGGER"

    flow_uid: str

    @property
    def forget_at(self) -> datetime:
        return self.updated_at + 2 * KEY_LIFE
