"""Templates: the content for one channel type and message type, with immutable versions."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from chalicelib.model.base import Moment, StoredDocument, StrictModel
from chalicelib.model.message import MessageType

#: Bytes; a longer source is refused before it is compiled (api.md).
MAX_SOURCE_BYTES = 65_536


class TemplateStatus(StrEnum):
    """Status of a template. Only PUBLISHED templates can be launched."""

    DRAFT = "DRAFT"
    PUBLISHED = "PUBLISHED"
    REJECTED = "REJECTED"


class ParameterStrategy(StrEnum):
    """The origin of a variable's value."""

    USE_DEFAULT = "USE_DEFAULT"
    USE_CONTACT_ASSOCIATION = "USE_CONTACT_ASSOCIATION"


VariableName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")]
#: "favoriteColor, favoriteSport, default": sources from left to right; the first that has a value is used.
SourceChain = Annotated[str, StringConstraints(min_length=1, max_length=500)]
Parameters = Annotated[Mapping[VariableName, SourceChain], Field(max_length=100)]
Defaults = Annotated[
    Mapping[VariableName, Annotated[str, StringConstraints(max_length=1024)] | int | float | bool],
    Field(max_length=100),
]


class TemplateFields(StrictModel):
    """Fields of a template that a caller can set.

    `content` has the fields of the channel type's content model, as template sources.
    """

    name: Annotated[str, Field(min_length=1, max_length=200)]
    """Name of the template, 1 to 200 characters."""
    channel_type: str
    """Channel type that the content is for, for example `email`."""
    message_type: MessageType = MessageType.MESSAGE
    """Message type, which decides the consent that is needed."""
    content: Mapping[str, str]
    """Source of each field of the content."""
    parameter_defaults: Defaults = {}
    """Values of parameters that have no other source."""


class Template(TemplateFields, StoredDocument):
    """The draft of a template. Its versions are what is sent."""

    kind: ClassVar[str] = "TEMPLATE"

    status: TemplateStatus = TemplateStatus.DRAFT
    """Whether the template is a draft, published or rejected."""
    reject_reason: str | None = None
    """Why the template was rejected; null if it was not."""
    latest_version: int = 0
    """Number of the newest published version; 0 if none was published."""
    draft_changed: bool = True
    """Whether the working copy differs from the newest version."""

    def filter_attributes(self) -> Mapping[str, str]:
        return {"status": str(self.status), "channelType": self.channel_type, "name": self.name}


class TemplateVersion(StrictModel):
    """A published version of a template. It never changes."""

    version: int
    """Number of the version, from 1."""
    channel_type: str
    """Channel type that the content is for, for example `email`."""
    message_type: MessageType
    """Message type, which decides the consent that is needed."""
    content: Mapping[str, str]
    """Source of each field of this version."""
    parameter_defaults: Defaults = {}
    """Values of parameters that have no other source."""
    variables: tuple[str, ...] = ()
    """Names of all parameters that the version uses."""
    published_at: Moment
    """Time of the publication."""
