"""Idempotency records: the request that used an Idempotency-Key, and its response."""

from datetime import datetime, timedelta
from typing import ClassVar

from chalicelib.model.base import Moment, StoredDocument, StrictModel

#: A repeated request within this time is not executed again (api.md).
RECORD_LIFE = timedelta(hours=24)


class StoredResponse(StrictModel):
    """A stored response as JSON text; a long one is stored in a file."""

    status: int
    body: str = ""
    file: str | None = None


class IdempotencyRecord(StoredDocument):
    """The record of a request, stored under a hash of its key.

    Times are real-clock times, because the retries of callers follow the real clock.
    """

    kind: ClassVar[str] = "CALL"

    #: Hash of the request; another request with the same key is refused. Empty if the request is known to have changed
    #: nothing.
    fingerprint: str
    #: The uid of the object that the request creates, the same for all attempts.
    reserved_uid: str
    #: The time until which one worker has reserved the request.
    until: Moment
    answer: StoredResponse | None = None

    @property
    def forget_at(self) -> datetime:
        return self.created_at + RECORD_LIFE
