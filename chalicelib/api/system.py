"""Routes about the installation and the workspace itself."""

from typing import Annotated

from chalice.app import Blueprint
from pydantic import Field

from chalicelib.api.http.endpoint import ApiResponse, Call, NoBody, ResponseForm, endpoint, respond, respond_bare
from chalicelib.api.responses.system import HealthResponse
from chalicelib.core.workspaces.update_workspace import update_workspace
from chalicelib.model.base import StrictModel
from chalicelib.model.ids import WorkspaceUid
from chalicelib.model.workspace import Scope, Workspace

blueprint = Blueprint(__name__)


class WorkspaceChanges(StrictModel):
    """The body of a workspace change. Absent fields stay."""

    name: Annotated[str, Field(min_length=1, max_length=200)] = ""
    """New name, 1 to 200 characters."""
    timezone: Annotated[str, Field(max_length=64)] = ""
    """New IANA time zone, for example `Europe/Berlin`."""
    strict_consent: bool = False
    """Whether a message needs a granted consent."""
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] = ""
    """New currency: an ISO 4217 code such as `EUR`."""
    region: Annotated[str, Field(pattern="^[A-Z]{2}$")] = ""
    """New default country of phone numbers: an ISO 3166-1 code such as `DE`."""


@endpoint(blueprint, "GET /health", response=HealthResponse, form=ResponseForm.BARE, scope=None)
def get_health(call: Call[NoBody, NoBody]) -> ApiResponse[HealthResponse]:
    """Report that the API and its catalog respond."""
    call.ports.catalog.find(WorkspaceUid("none"), Workspace, "none")
    return respond_bare(HealthResponse(status="ok"))


@endpoint(blueprint, "GET /v1/workspace", response=Workspace)
def get_workspace(call: Call[NoBody, NoBody]) -> ApiResponse[Workspace]:
    """Return the settings of the workspace of the key."""
    return respond(call.ports.catalog.get(call.workspace, Workspace, call.workspace), "Workspace")


@endpoint(blueprint, "PATCH /v1/workspace", response=Workspace, scope=Scope.ADMIN, body=WorkspaceChanges)
def patch_workspace(call: Call[WorkspaceChanges, NoBody]) -> ApiResponse[Workspace]:
    """Change the fields in the body."""
    changes = {name: getattr(call.body, name) for name in call.body.model_fields_set}
    return respond(update_workspace(call.ports, call.workspace, changes), "Workspace changed")
