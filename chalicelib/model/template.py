"""A template: the text for one channel type and message type, with immutable versions."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from chalicelib.model.base import Moment, StoredDocument, StrictModel
from chalicelib.model.message import MessageType

#: api.md: longer sources are refused before they are compiled.
MAX_SOURCE_BYTES = 65_536


class TemplateStatus(StrEnum):
    """Only PUBLISHED templates can be launched."""

    DRAFT = "DRAFT"
    PUBLISHED = "PUBLISHED"
    REJECTED = "REJECTED"


class ParameterStrategy(StrEnum):
    """Where a variable's value comes from."""

    USE_DEFAULT = "USE_DEFAULT"
    USE_CONTACT_ASSOCIATION = "USE_CONTACT_ASSOCIATION"


VariableName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")]
#: "favoriteColor, favoriteSport, default": sources left to right until one has a value.
SourceChain = Annotated[str, StringConstraints(min_length=1, max_length=500)]
Parameters = Annotated[Mapping[VariableName, SourceChain], Field(max_length=100)]
Defaults = Annotated[
    Mapping[VariableName, Annotated[str, StringConstraints(max_length=1024)] | int | float | bool],
    Field(max_length=100),
]


class TemplateFields(StrictModel):
    """What a caller may set. `content` has the fields of the channel type's content model, as template sources."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    channel_type: str
    message_type: MessageType = MessageType.MESSAGE
    content: Mapping[str, str]
    parameter_defaults: Defaults = {}


class Template(TemplateFields, StoredDocument):
    """The working copy; what is sent are its versions."""

    kind: ClassVar[str] = "TEMPLATE"

    status: TemplateStatus = TemplateStatus.DRAFT
    reject_reason: str | None = None
    latest_version: int = 0
    #: Whether the working copy differs from the latest version.
    draft_changed: bool = True

    def marks(self) -> Mapping[str, str]:
        return {"status": str(self.status), "channelType": self.channel_type, "name": self.name}


class TemplateVersion(StrictModel):
    """What was published: never changed."""

    version: int
    channel_type: str
    message_type: MessageType
    content: Mapping[str, str]
    parameter_defaults: Defaults = {}
    #: Names that the sources use, as `first_name` or dotted `contact.city`.
    variables: tuple[str, ...] = ()
    published_at: Moment
