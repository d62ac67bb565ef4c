"""Response models of the audit log."""

from chalicelib.model.audit import Change
from chalicelib.model.base import Moment, StrictModel


class AuditResponse(StrictModel):
    """One call that changed something."""

    at: Moment
    """Time of the call."""
    uid: str
    """Identifier of the audit entry."""
    key_uid: str
    """API key that made the call."""
    key_name: str
    """Name of that key at the time of the call."""
    route: str
    """Method and path template of the call, for example `PATCH /v1/flows/{uid}`."""
    request_id: str
    """Identifier of the call, as in the header `X-Request-Id`."""
    status: int
    """HTTP status of the response; 0 if the call changed something and then failed."""
    changes: tuple[Change, ...]
    """Objects that the call changed."""
    more: int
    """Number of changes that are not listed."""
