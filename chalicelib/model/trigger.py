"""What starts a campaign: a person, a call, the calendar, or what a contact does."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from chalicelib.model.base import Moment, StrictModel, WrittenTime
from chalicelib.model.conditions import When
from chalicelib.model.durations import Duration
from chalicelib.model.event import EventName

#: product.md: a start that is later than this is skipped, if the campaign does not say otherwise.
START_GRACE = timedelta(hours=1)
#: How many starts that were skipped a campaign shows, the newest.
SKIPS_KEPT = 20


class ManualTrigger(StrictModel):
    """An operator presses start."""

    type: Literal["manual"] = "manual"


class ApiTrigger(StrictModel):
    """`POST /v1/campaigns/{uid}/trigger` starts it."""

    type: Literal["api"] = "api"


class ScheduledTrigger(StrictModel):
    """The calendar: once at `at`, or again and again by a recurrence rule whose first day and time of day `at` is."""

    type: Literal["scheduled"] = "scheduled"
    #: A date-time where `timezone` is; one with an offset or Z is that moment there.
    at: WrittenTime
    #: An IANA name; the workspace's where there is none.
    timezone: Annotated[str, StringConstraints(max_length=64)] | None = None
    #: RFC 5545, e.g. `FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR`.
    rrule: Annotated[str, StringConstraints(min_length=1, max_length=500)] | None = None
    #: No occurrence after this moment.
    until: Moment | None = None
    #: No more occurrences than this, counted from `at`.
    count: Annotated[int, Field(ge=1, le=10_000)] | None = None


class EventTrigger(StrictModel):
    """Whenever a contact does `event`, if `when` holds of the contact and of the event's properties."""

    type: Literal["event"] = "event"
    event: EventName
    when: When | None = None
    #: The campaign's end: who does it later does not enter.
    until: Moment | None = None


Trigger = Annotated[ManualTrigger | ApiTrigger | ScheduledTrigger | EventTrigger, Field(discriminator="type")]


class EntryPolicy(StrictModel):
    """Whether a contact that is through an event campaign may enter it again, and how long after it last entered."""

    again: bool = False
    after: Duration | None = None


class SkippedStart(StrictModel):
    """A scheduled start that did not happen."""

    at: Moment
    reason: str


class Schedule(StrictModel):
    """What a launched scheduled campaign is about to do; its truth, as timers and jobs are only hints."""

    trigger: ScheduledTrigger
    #: The zone of `trigger`, or what the workspace's was at the launch.
    timezone: str
    #: The next start, and which one by the rule it is, from 1; none is left without it.
    due: Moment | None
    number: int = 1
    #: By whom SENDs go that name no channel.
    channel_uid: str
    paused: bool = False
    #: Starts that did not happen, newest first.
    skipped: tuple[SkippedStart, ...] = ()

    def without_start(self, reason: str) -> "Schedule":
        """With the start that is due noted as skipped."""
        skip = SkippedStart(at=self.due, reason=reason) if self.due else None
        return self.model_copy(update={"skipped": ((skip, *self.skipped) if skip else self.skipped)[:SKIPS_KEPT]})
