"""Response models of keys and workspaces."""

from chalicelib.model.base import Moment, StrictModel
from chalicelib.model.workspace import Scope


class KeyResponse(StrictModel):
    """A key without its text."""

    uid: str
    """Identifier of the key, which is not secret."""
    name: str
    """Name for operators; may be empty."""
    scope: Scope
    """What the key may do: `read`, `write` or `admin`; each includes those before it."""
    created_at: Moment
    """Time at which the key was created."""
    expires_at: Moment | None
    """Time after which the key is refused; null if it does not expire."""
    last_used_at: Moment | None
    """Time of the last use, to the hour; null before the first use."""


class KeyCreatedResponse(KeyResponse):
    """`key` is shown once; the repetition of the call by its Idempotency-Key shows null."""

    key: str | None
    """Secret key, shown once; null in a replay of the call with its Idempotency-Key."""


class WorkspaceResponse(StrictModel):
    """A workspace in a list."""

    uid: str
    """Identifier of the workspace."""
    name: str
    """Name of the workspace when it was created."""
    created_at: Moment
    """Time at which the workspace was created."""


class WorkspaceCreatedResponse(WorkspaceResponse):
    """`key` is the workspace's first admin key, shown once."""

    key: str | None
    """First admin key of the workspace, shown once; null in a replay of the call."""
