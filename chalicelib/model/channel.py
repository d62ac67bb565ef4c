"""A channel: a way to reach people, bound to a provider by its settings."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field, JsonValue

from chalicelib.model.base import Document, Outside


class Approval(StrEnum):
    """Whether the provider lets us use it."""

    APPROVED = "approved"
    PENDING = "pending"
    BLOCKED = "blocked"


class LostAnswer(StrEnum):
    """What to do with a send whose answer was lost: leave it `unknown`, or risk a second one."""

    HOLD = "hold"
    RESEND = "resend"


class ChannelFields(Outside):
    """What a caller may set. Settings are those of its type's model (`GET /v1/channel-types`)."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    type: str
    settings: Mapping[str, JsonValue] = {}
    approval: Approval = Approval.APPROVED
    active: bool = True
    lost_answer: LostAnswer = LostAnswer.HOLD
    #: Whether delivery receipts come back; without them a flow does not wait for any.
    reports_receipts: bool = False
    #: Whether HTML messages are rewritten so that we learn of opens and clicks; providers that tell need neither.
    track_opens: bool = False
    track_clicks: bool = False


class Channel(ChannelFields, Document):
    """A saved channel."""

    kind: ClassVar[str] = "CHANNEL"

    def marks(self) -> Mapping[str, str]:
        return {"type": self.type}

    @property
    def is_active(self) -> bool:
        """Answers may come that name neither workspace nor channel: then all channels are looked through."""
        return True
