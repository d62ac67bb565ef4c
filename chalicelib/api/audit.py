"""The route of the audit log."""

from typing import Annotated

from chalice.app import Blueprint
from pydantic import Field

from chalicelib.api.http.endpoint import ApiResponse, Call, ListQuery, NoBody, ResponseForm, endpoint, respond_page
from chalicelib.api.responses.audit import AuditResponse
from chalicelib.api.responses.build import build_response
from chalicelib.model.audit import AuditEntry
from chalicelib.model.base import Uid
from chalicelib.model.workspace import Scope
from chalicelib.ports import Page

blueprint = Blueprint(__name__)


class AuditFilter(ListQuery):
    """Filters of the audit log."""

    key_uid: Uid | None = None
    """Only calls by this API key."""
    object_uid: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    """Only calls that changed this object."""


@endpoint(
    blueprint, "GET /v1/audit", response=AuditResponse, form=ResponseForm.PAGE, scope=Scope.ADMIN, query=AuditFilter
)
def list_audit(call: Call[NoBody, AuditFilter]) -> ApiResponse[AuditResponse]:
    """List changes, newest first: who made them, the objects, and the fields before and after."""
    wanted = {
        "keyUid": call.query.key_uid,
        "objects": f"*|{call.query.object_uid}|*" if call.query.object_uid else None,
    }
    marks = {name: value for name, value in wanted.items() if value}
    page = call.ports.catalog.page(call.workspace, AuditEntry, marks, call.query.limit, call.cursor)
    shown = tuple(_response(entry) for entry in page.items)
    return respond_page(call, Page(shown, page.cursor))


def _response(entry: AuditEntry) -> AuditResponse:
    return build_response(AuditResponse, entry, at=entry.created_at)
