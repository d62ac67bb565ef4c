"""Routes of keys and workspaces; both are shown with what opens them once, when they are made."""

from collections.abc import Mapping
from typing import Annotated

from chalice.app import Blueprint
from pydantic import Field

from chalicelib.api._http import Answer, Call, ListQuery, Nothing, endpoint, many, one, one_shown_once
from chalicelib.core.workspaces.create_workspace import make_workspace
from chalicelib.core.workspaces.manage_keys import KeyWish, create_key, revoke_key
from chalicelib.model.base import Outside
from chalicelib.model.workspace import Key, KnownWorkspace, Scope, Workspace
from chalicelib.ports import Page

blueprint = Blueprint(__name__)


class WorkspaceWish(Outside):
    """The body of `POST /v1/workspaces`."""

    name: Annotated[str, Field(min_length=1, max_length=200)]


@endpoint(blueprint, "POST /v1/keys", scope=Scope.ADMIN, body=KeyWish, idempotent=True)
def post_key(call: Call[KeyWish, Nothing]) -> Answer:
    """A new key; `key` is shown this once. Two live keys are how one replaces the other."""
    key, text = create_key(call.ports, call.workspace, call.body, call.reserved_uid)
    return one_shown_once(_show(key), {"key": text}, "Key created: keep it, it is not shown again")


@endpoint(blueprint, "GET /v1/keys", scope=Scope.ADMIN, query=ListQuery)
def list_keys(call: Call[Nothing, ListQuery]) -> Answer:
    """Newest first; `lastUsedAt` is exact to the hour."""
    page = call.ports.catalog.page(call.workspace, Key, {}, call.query.limit, call.cursor)
    return many(call, Page(tuple(_show(key) for key in page.items), page.cursor))


@endpoint(blueprint, "DELETE /v1/keys/{uid}", scope=Scope.ADMIN)
def remove_key(call: Call[Nothing, Nothing]) -> Answer:
    """Opens nothing any more after at most 60 seconds; 409 for the very key that asks."""
    revoke_key(call.ports, call.workspace, call.uid, call.key.uid if call.key else "")
    return one(None, "Key revoked: within 60 seconds it opens nothing any more")


@endpoint(blueprint, "POST /v1/workspaces", scope=Scope.ADMIN, body=WorkspaceWish, idempotent=True)
def post_workspace(call: Call[WorkspaceWish, Nothing]) -> Answer:
    """A workspace beside this one, with its first admin key, which is shown this once."""
    workspace, text = make_workspace(call.ports, call.body.name, call.workspace)
    return one_shown_once(
        _show_workspace(workspace), {"key": text}, "Workspace created: keep its key, it is not shown again"
    )


@endpoint(blueprint, "GET /v1/workspaces", scope=Scope.ADMIN, query=ListQuery)
def list_workspaces(call: Call[Nothing, ListQuery]) -> Answer:
    """This workspace and those that its admin keys have made; each opens by its own keys only."""
    page = call.ports.catalog.page(call.workspace, KnownWorkspace, {}, call.query.limit, call.cursor)
    return many(call, Page(tuple(_show_workspace(each) for each in page.items), page.cursor))


def _show_workspace(workspace: Workspace | KnownWorkspace) -> Mapping[str, object]:
    return workspace.model_dump(mode="json", by_alias=True, include={"uid", "name", "created_at"})


def _show(key: Key) -> Mapping[str, object]:
    return key.model_dump(mode="json", by_alias=True, exclude={"digest", "rev", "updated_at"})
