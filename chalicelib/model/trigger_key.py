"""An API call's idempotency key: for a day, the same key of the same campaign means the same flow."""

from datetime import datetime, timedelta
from typing import ClassVar

from chalicelib.model.base import StoredDocument

#: product.md: a call that is repeated with its key within this time starts nothing new.
KEY_LIFE = timedelta(hours=24)


class TriggerKey(StoredDocument):
    """Made before its flow, so that whoever repeats the call makes the very same one."""

    kind: ClassVar[str] = "TRIGGER"

    flow_uid: str

    @property
    def forget_at(self) -> datetime:
        return self.updated_at + 2 * KEY_LIFE
