"""Routes of keys and workspaces. Secrets are shown once, when they are created."""

from typing import Annotated

from chalice.app import Blueprint
from pydantic import Field

from chalicelib.api.http.endpoint import (
    ApiResponse,
    Call,
    ListQuery,
    NoBody,
    NoData,
    ResponseForm,
    endpoint,
    respond_done,
    respond_page,
    respond_with_secret,
)
from chalicelib.api.responses.build import build_response
from chalicelib.api.responses.keys import KeyCreatedResponse, KeyResponse, WorkspaceCreatedResponse, WorkspaceResponse
from chalicelib.core.workspaces.create_workspace import create_workspace
from chalicelib.core.workspaces.manage_keys import CreateKeyRequest, create_key, revoke_key
from chalicelib.model.base import StrictModel
from chalicelib.model.workspace import Key, KnownWorkspace, Scope
from chalicelib.ports import Page

blueprint = Blueprint(__name__)


class WorkspaceRequest(StrictModel):
    """The body of `POST /v1/workspaces`."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    """Name of the new workspace, 1 to 200 characters."""


@endpoint(
    blueprint,
    "POST /v1/keys",
    response=KeyCreatedResponse,
    status=201,
    scope=Scope.ADMIN,
    body=CreateKeyRequest,
    idempotent=True,
)
def post_key(call: Call[CreateKeyRequest, NoBody]) -> ApiResponse[KeyCreatedResponse]:
    """Create a key. `key` is shown only once. For a rotation, use two keys at the same time."""
    key, text = create_key(call.ports, call.workspace, call.body, call.reserved_uid)
    return respond_with_secret(
        build_response(KeyCreatedResponse, key, key=text), "key", "Key created: keep it, it is not shown again"
    )


@endpoint(blueprint, "GET /v1/keys", response=KeyResponse, form=ResponseForm.PAGE, scope=Scope.ADMIN, query=ListQuery)
def list_keys(call: Call[NoBody, ListQuery]) -> ApiResponse[KeyResponse]:
    """List keys, newest first. `lastUsedAt` is exact to the hour."""
    page = call.ports.catalog.page(call.workspace, Key, {}, call.query.limit, call.cursor)
    return respond_page(call, Page(tuple(build_response(KeyResponse, key) for key in page.items), page.cursor))


@endpoint(blueprint, "DELETE /v1/keys/{uid}", response=NoData, scope=Scope.ADMIN)
def remove_key(call: Call[NoBody, NoBody]) -> ApiResponse[NoData]:
    """Revoke a key. It stops to work within 60 seconds. 409 for the key of the request itself."""
    revoke_key(call.ports, call.workspace, call.uid, call.key.uid if call.key else "")
    return respond_done("Key revoked: within 60 seconds it opens nothing any more")


@endpoint(
    blueprint,
    "POST /v1/workspaces",
    response=WorkspaceCreatedResponse,
    status=201,
    scope=Scope.ADMIN,
    body=WorkspaceRequest,
    idempotent=True,
)
def post_workspace(call: Call[WorkspaceRequest, NoBody]) -> ApiResponse[WorkspaceCreatedResponse]:
    """Create another workspace with its first admin key, which is shown only once."""
    workspace, text = create_workspace(call.ports, call.body.name, call.workspace)
    return respond_with_secret(
        build_response(WorkspaceCreatedResponse, workspace, key=text),
        "key",
        "Workspace created: keep its key, it is not shown again",
    )


@endpoint(
    blueprint,
    "GET /v1/workspaces",
    response=WorkspaceResponse,
    form=ResponseForm.PAGE,
    scope=Scope.ADMIN,
    query=ListQuery,
)
def list_workspaces(call: Call[NoBody, ListQuery]) -> ApiResponse[WorkspaceResponse]:
    """List this workspace and those that its admin keys created. Each has its own keys."""
    page = call.ports.catalog.page(call.workspace, KnownWorkspace, {}, call.query.limit, call.cursor)
    return respond_page(call, Page(tuple(build_response(WorkspaceResponse, each) for each in page.items), page.cursor))
