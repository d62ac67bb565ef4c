"""A call with an Idempotency-Key: who works on it, and for a day what was answered."""

from datetime import datetime, timedelta
from typing import ClassVar

from chalicelib.model.base import Moment, StoredDocument, StrictModel

#: api.md: a call that is repeated with its key within this time is not made again.
CALL_LIFE = timedelta(hours=24)


class StoredResponse(StrictModel):
    """What was answered, as JSON text; a long one lies in a file."""

    status: int
    body: str = ""
    file: str | None = None


class IdempotencyRecord(StoredDocument):
    """Kept under a hash of its key. Times are the real clock's, as callers live by it."""

    kind: ClassVar[str] = "CALL"

    #: Of the request: another one with the same key is refused. Empty when the call is known to have done nothing.
    fingerprint: str
    #: The uid of what the call makes, the same for all attempts.
    reserved_uid: str
    #: Whoever works on the call has it until then.
    until: Moment
    answer: StoredResponse | None = None

    @property
    def forget_at(self) -> datetime:
        return self.created_at + CALL_LIFE
