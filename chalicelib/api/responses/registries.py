"""Response models of node types and channel types."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from chalicelib.model.base import StrictModel

JsonSchema = Mapping[str, object]


class NodeTypeResponse(StrictModel):
    """A node type that steps of a campaign may use."""

    type: str
    """Name of the node type, for example `SEND`."""
    schema_: Annotated[JsonSchema, Field(alias="schema")]
    """JSON Schema of a step of this type, as a client writes it."""


class ChannelTypeResponse(StrictModel):
    """A channel type that channels may use."""

    name: str
    """Name of the channel type, for example `email`."""
    deduplicates: bool
    """Whether the provider sends a repeated message only once, so that a lost answer can be retried."""
    settings: JsonSchema
    """JSON Schema of `settings` of a channel of this type."""
    content: JsonSchema
    """JSON Schema of the content of a message of this type."""
