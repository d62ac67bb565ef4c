"""WAIT: waits for a duration, until a date-time, or until a time of day in the contact's zone."""

from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BeforeValidator, Field, PlainSerializer, model_validator

from chalicelib.errors import Problem
from chalicelib.model.base import Moment
from chalicelib.model.durations import LONGEST, Duration
from chalicelib.model.steps import Continue, NodeOutcome, Step, StepContext, WaitUntil


class Weekday(StrEnum):
    """Weekdays as in RRULE, Monday first."""

    MO = "MO"
    TU = "TU"
    WE = "WE"
    TH = "TH"
    FR = "FR"
    SA = "SA"
    SU = "SU"


def _read_time(value: object) -> time:
    if isinstance(value, time):
        return value
    if isinstance(value, str) and len(value) == 5:
        try:
            return datetime.strptime(value, "%H:%M").time()  # noqa: DTZ007 - a time of day has no zone
        except ValueError:
            pass
    raise ValueError('must be a time of day like "09:00"')


TimeOfDay = Annotated[
    time,
    BeforeValidator(_read_time, json_schema_input_type=str),
    PlainSerializer(lambda moment: f"{moment:%H:%M}", return_type=str, when_used="json"),
]


class Wait(Step):
    """A wait with exactly one of `for`, `until` (a date-time) and `localTime` (HH:MM).

    `for` is 1 second to 365 days, and starts when the execution reaches the step.
    """

    type: Literal["WAIT"] = "WAIT"
    """Always `WAIT`."""
    for_: Annotated[Duration | None, Field(alias="for")] = None
    """Length of the wait, 1 second to 365 days, as an ISO 8601 duration such as `P2D` or in parts such as
    `{"days": 2}`."""
    until: Moment | None = None
    """End of the wait, as a date-time with offset, at most 365 days ahead."""
    local_time: TimeOfDay | None = None
    """Wait until the next such time (`HH:MM`) in the contact's time zone, or in the workspace's if the contact has
    none."""
    weekdays: Annotated[tuple[Weekday, ...], Field(max_length=7)] = ()
    """Days on which the wait may end; requires `localTime`. Empty means every day."""

    @model_validator(mode="after")
    def _check_exclusive(self) -> Self:
        chosen = [name for name in ("for_", "until", "local_time") if getattr(self, name) is not None]
        if len(chosen) != 1:
            raise ValueError("set exactly one of for, until and localTime")
        if self.weekdays and self.local_time is None:
            raise ValueError("weekdays requires localTime")
        return self

    def decide(self, context: StepContext) -> NodeOutcome:
        """Wait, unless the time has passed."""
        until = self._moment(context)
        return Continue(why="the moment had passed") if until <= context.now else WaitUntil(until)

    def problems(self, now: datetime) -> tuple[Problem, ...]:
        """Return a problem for a date-time beyond the longest wait."""
        if self.until is not None and self.until > now + LONGEST:
            message = f"step {self.id}: this time is more than {LONGEST.days} days ahead; choose an earlier one"
            return (Problem("until", message),)
        return ()

    def warnings(self, now: datetime) -> tuple[Problem, ...]:
        """Return a warning for a date-time in the past."""
        if self.until is not None and self.until <= now:
            return (Problem("until", f"step {self.id}: this time has passed, so contacts continue immediately"),)
        return ()

    def _moment(self, context: StepContext) -> datetime:
        if self.for_ is not None:
            return context.entered + self.for_
        if self.until is not None:
            return self.until
        return next_local(context.entered, self.local_time or time(), self.weekdays, zone_of(context))


def zone_of(context: StepContext) -> ZoneInfo:
    """Return the contact's time zone; the workspace's if the contact has none or an unknown one."""
    for name in (context.contact.timezone, context.timezone):
        try:
            return ZoneInfo(name or "")
        except (ZoneInfoNotFoundError, ValueError, OSError):
            continue
    return ZoneInfo("UTC")


def next_local(after: datetime, at: time, weekdays: tuple[Weekday, ...], zone: ZoneInfo) -> datetime:
    """Return the first time after `after` at which clocks in the zone show `at` on one of the days, in UTC.

    A time that the change to summer time skips is moved by the length of the change. A time that the change to winter
    time repeats counts the first time.
    """
    wanted = {list(Weekday).index(day) for day in weekdays} or set(range(7))
    day = after.astimezone(zone).date()
    while True:
        moment = datetime.combine(day, at, zone).astimezone(UTC)
        if moment > after and day.weekday() in wanted:
            return moment
        day += timedelta(days=1)
