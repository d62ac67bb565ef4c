"""The tenant and the keys that open it."""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from chalicelib.model.base import Moment, StoredDocument


class Scope(StrEnum):
    """What a key may do; each includes those before it."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"

    def covers(self, needed: "Scope") -> bool:
        """Whether a key of this scope may do what needs `needed`."""
        order = list(Scope)
        return order.index(self) >= order.index(needed)


class Workspace(StoredDocument):
    """Settings of one tenant."""

    kind: ClassVar[str] = "WORKSPACE"

    name: Annotated[str, Field(min_length=1, max_length=200)]
    timezone: str = "UTC"
    strict_consent: bool = False
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] = "EUR"
    #: Whether its flows are paid from its balance: since money was first paid in.
    prepaid: bool = False
    #: Of `model/webhook.ROW_EVENTS` those that a webhook wants; here, as every batch of steps reads the workspace.
    row_events: tuple[str, ...] = ()
    #: Region for phone numbers written without a country code (ISO 3166 alpha-2).
    region: Annotated[str, Field(pattern="^[A-Z]{2}$")] = "DE"


class Key(StoredDocument):
    """An API key: only its HMAC is kept."""

    kind: ClassVar[str] = "KEY"

    name: Annotated[str, Field(max_length=200)] = ""
    digest: str
    scope: Scope
    expires_at: Moment | None = None
    #: To the hour; None before the first use.
    last_used_at: Moment | None = None


class KnownWorkspace(StoredDocument):
    """Kept in a workspace for itself and for each that its admin keys have made; the name is that of the beginning."""

    kind: ClassVar[str] = "KNOWN_WORKSPACE"

    name: str
