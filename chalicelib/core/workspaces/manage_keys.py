"""Create and revoke the API keys of a workspace, and record their use."""

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import Field

from chalicelib.core.workspaces.api_key import create_api_key
from chalicelib.errors import Conflict, RetryLater, invalid
from chalicelib.model.base import Moment, StrictModel
from chalicelib.model.ids import WorkspaceUid
from chalicelib.model.workspace import Key, Scope
from chalicelib.ports import Ports

#: A use is stored at most this often, because each record is a write to DynamoDB.
USE_RECORDED_EVERY = timedelta(hours=1)


class CreateKeyRequest(StrictModel):
    """The body of `POST /v1/keys`."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    """Name for operators, at most 200 characters."""
    scope: Scope
    """What the key may do: `read`, `write` or `admin`."""
    expires_at: Moment | None = None
    """Time after which the key is refused; null does not expire."""


def create_key(
    ports: Ports, workspace: WorkspaceUid, request: CreateKeyRequest, uid: str | None = None
) -> tuple[Key, str]:
    """Create a key and return its document and its text. The text is not stored.

    With the `uid` of an interrupted attempt, the key of that attempt is replaced, because its text was never returned.
    """
    if request.expires_at is not None and request.expires_at <= ports.clock.real():
        raise invalid("expiresAt", "must be in the future")
    if uid is not None and ports.catalog.find(workspace, Key, uid) is not None:
        ports.catalog.remove(workspace, Key, uid)
    return create_api_key(ports, workspace, request.scope, request.name, request.expires_at, uid)


def revoke_key(ports: Ports, workspace: WorkspaceUid, uid: str, by: str) -> None:
    """Revoke a key. Raises NotFound, or Conflict for `by`, the key of the caller. So one admin key always remains."""
    ports.catalog.get(workspace, Key, uid)
    if uid == by:
        raise Conflict("A key cannot revoke itself; use another admin key")
    ports.catalog.remove(workspace, Key, uid)


def record_key_use(ports: Ports, workspace: WorkspaceUid, key: Key, now: datetime) -> Key:
    """Store the last use of a key, at most once an hour. A concurrent change of the key wins."""
    if key.last_used_at is not None and now - key.last_used_at < USE_RECORDED_EVERY:
        return key
    with suppress(Conflict, RetryLater):
        return ports.catalog.save(workspace, key.model_copy(update={"last_used_at": now}))
    return key
