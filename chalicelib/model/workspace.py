"""Workspaces (tenants) and their API keys."""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from chalicelib.model.base import Moment, StoredDocument


class Scope(StrEnum):
    """Permission of a key; each scope includes the previous ones."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"

    def covers(self, needed: "Scope") -> bool:
        """Report whether this scope includes `needed`."""
        order = list(Scope)
        return order.index(self) >= order.index(needed)


class Workspace(StoredDocument):
    """Settings of a workspace."""

    kind: ClassVar[str] = "WORKSPACE"

    name: Annotated[str, Field(min_length=1, max_length=200)]
    """Name of the workspace, 1 to 200 characters."""
    timezone: str = "UTC"
    """IANA time zone for schedules and for contacts without one; default `UTC`."""
    strict_consent: bool = False
    """Whether every message needs a granted consent; default false: only newsletters need one."""
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] = "EUR"
    """Currency of prices and of the balance: an ISO 4217 code; default `EUR`."""
    prepaid: bool = False
    """Whether new flows are charged to the balance; true since the first top-up."""
    #: The events of `model/webhook.EXECUTION_EVENTS` that a webhook receives. Stored here, because every batch of steps
    #: reads the workspace.
    execution_events: Annotated[tuple[str, ...], Field(alias="rowEvents")] = ()
    """Names of execution events that a webhook subscribes to."""
    region: Annotated[str, Field(pattern="^[A-Z]{2}$")] = "DE"
    """Default country of phone numbers: an ISO 3166-1 code; default `DE`."""


class Key(StoredDocument):
    """An API key. Only its HMAC is stored."""

    kind: ClassVar[str] = "KEY"

    name: Annotated[str, Field(max_length=200)] = ""
    digest: str
    scope: Scope
    expires_at: Moment | None = None
    #: To the hour; None before the first use.
    last_used_at: Moment | None = None


class KnownWorkspace(StoredDocument):
    """An entry for the workspace itself and for each workspace that its admin keys have created.

    `name` is the name at creation.
    """

    kind: ClassVar[str] = "KNOWN_WORKSPACE"

    name: str
