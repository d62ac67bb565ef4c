"""Response models of the audit log."""

from chalicelib.model.audit import Change
from chalicelib.model.base import Moment, StrictModel


class AuditResponse(StrictModel):
    """One call that changed something."""

    at: Moment
    uid: str
    key_uid: str
    key_name: str
    route: str
    request_id: str
    status: int
    changes: tuple[Change, ...]
    more: int
