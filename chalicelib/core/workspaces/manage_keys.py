"""The keys of a workspace: made, listed, revoked, and seen in use."""

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import Field

from chalicelib.core.workspaces.api_key import make_key
from chalicelib.errors import Conflict, RetryLater, invalid
from chalicelib.model.base import Moment, StrictModel
from chalicelib.model.ids import WorkspaceUid
from chalicelib.model.workspace import Key, Scope
from chalicelib.ports import Ports

#: How often a use is written down; each is a write of DynamoDB's.
USE_NOTED_EVERY = timedelta(hours=1)


class CreateKeyRequest(StrictModel):
    """The body of `POST /v1/keys`."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    scope: Scope
    expires_at: Moment | None = None


def create_key(
    ports: Ports, workspace: WorkspaceUid, wish: CreateKeyRequest, uid: str | None = None
) -> tuple[Key, str]:
    """The key's document and its text, which is shown this once.

    With the `uid` of an attempt that broke off, that attempt's key is replaced: nobody has seen its text.
    """
    if wish.expires_at is not None and wish.expires_at <= ports.clock.real():
        raise invalid("expiresAt", "must lie in the future")
    if uid is not None and ports.catalog.find(workspace, Key, uid) is not None:
        ports.catalog.remove(workspace, Key, uid)
    return make_key(ports, workspace, wish.scope, wish.name, wish.expires_at, uid)


def revoke_key(ports: Ports, workspace: WorkspaceUid, uid: str, by: str) -> None:
    """NotFound; Conflict for the key `by` which this is asked: so one admin key is always left."""
    ports.catalog.get(workspace, Key, uid)
    if uid == by:
        raise Conflict("A key cannot revoke itself: use another admin key, so that the workspace stays reachable")
    ports.catalog.remove(workspace, Key, uid)


def record_key_use(ports: Ports, workspace: WorkspaceUid, key: Key, now: datetime) -> Key:
    """The key with its last use, stored at most hourly; a key that was changed or revoked meanwhile stays so."""
    if key.last_used_at is not None and now - key.last_used_at < USE_NOTED_EVERY:
        return key
    with suppress(Conflict, RetryLater):
        return ports.catalog.save(workspace, key.model_copy(update={"last_used_at": now}))
    return key
