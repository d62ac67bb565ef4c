"""Triggers of a campaign: an operator, an API call, a schedule, or an event of a contact."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from chalicelib.model.base import Moment, StrictModel, WrittenTime
from chalicelib.model.conditions import When
from chalicelib.model.durations import Duration
from chalicelib.model.event import EventName

#: Default time after which a late start is skipped (product.md).
START_GRACE = timedelta(hours=1)
#: The number of skipped starts that a campaign shows, newest first.
MAX_SKIPPED_STARTS = 20


class ManualTrigger(StrictModel):
    """Started by an operator."""

    type: Literal["manual"] = "manual"
    """Always `manual`: an operator starts the campaign."""


class ApiTrigger(StrictModel):
    """Started by `POST /v1/campaigns/{uid}/trigger`."""

    type: Literal["api"] = "api"
    """Always `api`: a call of `POST /v1/campaigns/{uid}/trigger` starts the campaign."""


class ScheduledTrigger(StrictModel):
    """Started at `at`, or repeatedly by a recurrence rule. `at` is the first occurrence."""

    type: Literal["scheduled"] = "scheduled"
    """Always `scheduled`: the campaign starts at a time, once or repeatedly."""
    at: WrittenTime
    """Time of the first start, in `timezone`. With an offset or `Z` it is exactly that time."""
    timezone: Annotated[str, StringConstraints(max_length=64)] | None = None
    """IANA time zone of the schedule; null uses the workspace's."""
    rrule: Annotated[str, StringConstraints(min_length=1, max_length=500)] | None = None
    """Recurrence rule by RFC 5545, for example `FREQ=WEEKLY;BYDAY=MO`; null starts once."""
    until: Moment | None = None
    """Time of the last start at the latest; null means no end."""
    count: Annotated[int, Field(ge=1, le=10_000)] | None = None
    """Largest number of starts, counted from `at`, 1 to 10,000; null means no limit."""


class EventTrigger(StrictModel):
    """Started for a contact by `event`, if `when` holds for the contact and the event's properties."""

    type: Literal["event"] = "event"
    """Always `event`: an event of a contact starts the campaign for this contact."""
    event: EventName
    """Name of the event that starts an execution."""
    when: When | None = None
    """Condition on the contact and the properties of the event; null means none."""
    until: Moment | None = None
    """End of the campaign: later events start nothing. Null means that it has no end."""


Trigger = Annotated[ManualTrigger | ApiTrigger | ScheduledTrigger | EventTrigger, Field(discriminator="type")]


class EntryPolicy(StrictModel):
    """Rule for a contact that has finished an event campaign: whether it may enter again, and the minimum time after
    its last entry.
    """

    again: bool = False
    """Whether a contact may enter again; default false."""
    after: Duration | None = None
    """Shortest time between two entries of a contact; null means none."""


class SkippedStart(StrictModel):
    """A scheduled start that was skipped."""

    at: Moment
    """Time of the skipped start."""
    reason: str
    """Why the start was skipped."""


class Schedule(StrictModel):
    """The schedule of a launched campaign.

    It is authoritative: a timer or job that differs from it is ignored.
    """

    trigger: ScheduledTrigger
    #: The time zone of `trigger`, or the workspace's at the launch.
    timezone: str
    #: The next start, and its number in the recurrence, from 1. None if no start is left.
    due: Moment | None
    number: int = 1
    #: Channel of the SENDs that name none.
    channel_uid: str
    paused: bool = False
    #: Skipped starts, newest first.
    skipped: tuple[SkippedStart, ...] = ()

    def without_start(self, reason: str) -> "Schedule":
        """Return the schedule with the due start recorded as skipped."""
        skip = SkippedStart(at=self.due, reason=reason) if self.due else None
        return self.model_copy(
            update={"skipped": ((skip, *self.skipped) if skip else self.skipped)[:MAX_SKIPPED_STARTS]}
        )
