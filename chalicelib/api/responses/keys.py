"""Response models of keys and workspaces."""

from chalicelib.model.base import Moment, StrictModel
from chalicelib.model.workspace import Scope


class KeyResponse(StrictModel):
    """A key without its text."""

    uid: str
    name: str
    scope: Scope
    created_at: Moment
    expires_at: Moment | None
    last_used_at: Moment | None


class KeyCreatedResponse(KeyResponse):
    """`key` is shown once; the repetition of the call by its Idempotency-Key shows null."""

    key: str | None


class WorkspaceResponse(StrictModel):
    """A workspace in a list."""

    uid: str
    name: str
    created_at: Moment


class WorkspaceCreatedResponse(WorkspaceResponse):
    """`key` is the workspace's first admin key, shown once."""

    key: str | None
