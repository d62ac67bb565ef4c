"""The audit log: who changed what through the API, and how it was before."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import ClassVar, Literal

from pydantic import JsonValue

from chalicelib.model.base import StoredDocument, StrictModel

#: security.md: as long as messages and events are kept.
AUDIT_LIFE = timedelta(days=400)

Action = Literal["created", "changed", "removed"]


class Change(StrictModel):
    """One object of one call; `before` and `after` hold the fields that differ, without secrets and personal data."""

    kind: str
    uid: str
    action: Action
    before: Mapping[str, JsonValue] = {}
    after: Mapping[str, JsonValue] = {}


class AuditEntry(StoredDocument):
    """One call that changed something."""

    kind: ClassVar[str] = "AUDIT"

    key_uid: str
    key_name: str
    route: str
    request_id: str
    #: Of the answer; 0 for a call that changed something before it was refused or failed.
    status: int
    changes: tuple[Change, ...]
    #: Changes beyond those that are listed.
    more: int = 0

    def marks(self) -> Mapping[str, str]:
        objects = "".join(f"{each.uid}|" for each in self.changes)
        return {"keyUid": self.key_uid, "objects": f"|{objects}"}

    @property
    def forget_at(self) -> datetime:
        return self.created_at + AUDIT_LIFE
