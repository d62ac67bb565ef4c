"""Response models of the audit log."""

from collections.abc import Mapping

from pydantic import JsonValue

from chalicelib.model.base import Moment, StrictModel

Json = Mapping[str, JsonValue]


class AuditResponse(StrictModel):
    """One call that changed something."""

    at: Moment
    uid: str
    key_uid: str
    key_name: str
    route: str
    request_id: str
    status: int
    changes: tuple[Json, ...]
    more: int
