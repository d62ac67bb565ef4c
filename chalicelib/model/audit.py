"""The audit log: who changed what through the API, with the values before and after."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import ClassVar, Literal

from pydantic import JsonValue

from chalicelib.model.base import StoredDocument, StrictModel

#: As long as messages and events are kept (security.md).
AUDIT_LIFE = timedelta(days=400)

Action = Literal["created", "changed", "removed"]


class Change(StrictModel):
    """A change of one object by a call.

    `before` and `after` hold the fields that differ, without secrets and personal data.
    """

    kind: str
    """Type of the object, for example `CAMPAIGN`."""
    uid: str
    """Identifier of the changed object."""
    action: Action
    """What happened to the object: `created`, `changed` or `removed`."""
    before: Mapping[str, JsonValue] = {}
    """Values before the change of the fields that differ, without secrets and personal data."""
    after: Mapping[str, JsonValue] = {}
    """Values after the change of the fields that differ, without secrets and personal data."""


class AuditEntry(StoredDocument):
    """A call that changed something."""

    kind: ClassVar[str] = "AUDIT"

    key_uid: str
    key_name: str
    route: str
    request_id: str
    #: HTTP status of the response; 0 if the call made a change and was refused or failed afterwards.
    status: int
    changes: tuple[Change, ...]
    #: The number of changes that are not listed.
    more: int = 0

    def filter_attributes(self) -> Mapping[str, str]:
        objects = "".join(f"{each.uid}|" for each in self.changes)
        return {"keyUid": self.key_uid, "objects": f"|{objects}"}

    @property
    def forget_at(self) -> datetime:
        return self.created_at + AUDIT_LIFE
