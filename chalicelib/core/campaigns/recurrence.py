"""When a schedule starts its campaign: the occurrences of a recurrence rule, by the clocks on the walls of its zone.

A time of day that a change to summer time leaves out comes as much later as the clocks are put forward; one that a
change to winter time brings twice counts the first time.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dateutil.rrule import rrule, rrulestr

from chalicelib.errors import Problem
from chalicelib.model.trigger import ScheduledTrigger

#: How far ahead an occurrence is looked for: a rule like 30 February would be searched up to the year 9999.
HORIZON = timedelta(days=366 * 8)
#: The clock comes round every minute.
TICK = timedelta(minutes=1)
#: A rule's steps in time, for those that can be many: a rule is read from near where it is looked at.
_STEPS = {"MINUTELY": TICK, "HOURLY": timedelta(hours=1), "DAILY": timedelta(days=1), "WEEKLY": timedelta(days=7)}
_FREQUENCIES = ("YEARLY", "MONTHLY", *reversed(_STEPS))
_PARTS = frozenset(
    {"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYDAY", "BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO"}
    | {"BYHOUR", "BYMINUTE", "BYSETPOS"}
)
#: Said as fields of the trigger, or in the rule, but once.
_LIMITS = {"COUNT": "count", "UNTIL": "until"}
_DAYS = frozenset({"BYDAY", "BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO"})
_PART = re.compile(r"([A-Z]+)=([A-Z0-9,+-]+)")
MAX_INTERVAL = 10_000
MAX_COUNT = 10_000


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A start: when, and which one of the schedule it is, from 1."""

    at: datetime
    number: int


class _BadRule(Exception):
    """The rule cannot be read; the message says why."""


def zone_of(name: str) -> ZoneInfo | None:
    """The IANA zone, or None when there is none of this name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def occurrences(
    trigger: ScheduledTrigger, timezone: str, after: datetime, known: Occurrence | None = None
) -> Iterator[Occurrence]:
    """The starts later than `after` and than `known`, from which they are counted on; none is further than HORIZON.

    The trigger must be free of problems (`check_schedule`).
    """
    zone = ZoneInfo(timezone)
    if trigger.rrule is None:
        once = _moment(_local(trigger.at, zone), zone)
        return iter([] if known or once <= after else [Occurrence(once, 1)])
    return _recurring(trigger, zone, after, known)


def _recurring(
    trigger: ScheduledTrigger, zone: ZoneInfo, after: datetime, known: Occurrence | None
) -> Iterator[Occurrence]:
    parts = _read_rule(trigger.rrule or "")
    count = trigger.count or int(parts.get("COUNT", "0"))
    until = trigger.until or _read_until(parts, zone)
    # Where they are counted none may be passed over.
    near = (known.at if known else None) if count else after
    last, number = known.at if known else None, known.number if known else 0
    for local in _build_rule(parts, _local(trigger.at, zone), near and _local(near, zone)):
        moment = _moment(local, zone)
        if last is not None and moment <= last:
            continue
        last, number = moment, number + 1
        if (count and number > count) or (until and moment > until):
            return
        if moment > after:
            yield Occurrence(moment, number)


def _local(moment: datetime, zone: ZoneInfo) -> datetime:
    """What the clocks of the zone show, without saying so."""
    return moment.astimezone(zone).replace(tzinfo=None) if moment.tzinfo else moment


def _moment(local: datetime, zone: ZoneInfo) -> datetime:
    return local.replace(tzinfo=zone).astimezone(UTC)


def _read_rule(text: str) -> Mapping[str, str]:
    parts: dict[str, str] = {}
    for written in text.removeprefix("RRULE:").split(";"):
        part = _PART.fullmatch(written)
        if part is None or part[1] not in _PARTS:
            allowed = ", ".join(sorted(_PARTS))
            raise _BadRule(f"{written[:40]!r} is not a part of a rule; the parts are {allowed}")
        if part[1] in parts:
            raise _BadRule(f"{part[1]} is said twice")
        parts[part[1]] = part[2]
    if parts.get("FREQ") not in _FREQUENCIES:
        raise _BadRule(f"FREQ must be one of {', '.join(_FREQUENCIES)}: a campaign starts once a minute at most")
    for name, most in (("INTERVAL", MAX_INTERVAL), ("COUNT", MAX_COUNT)):
        if name in parts and not (parts[name].isdecimal() and 1 <= int(parts[name]) <= most):
            raise _BadRule(f"{name} must be between 1 and {most:,}")
    return parts


def _read_until(parts: Mapping[str, str], zone: ZoneInfo) -> datetime | None:
    """A date (its last moment there), a date-time there, or with Z one in UTC."""
    text = parts.get("UNTIL")
    if text is None:
        return None
    for form, last in (("%Y%m%d", timedelta(days=1, seconds=-1)), ("%Y%m%dT%H%M%S", timedelta(0))):
        try:
            local = datetime.strptime(text.removesuffix("Z"), form) + last  # noqa: DTZ007 - its zone follows
        except ValueError:
            continue
        return local.replace(tzinfo=UTC) if text.endswith("Z") else _moment(local, zone)
    raise _BadRule("UNTIL must be written like 20261231 or 20261231T235959Z")


def _build_rule(parts: Mapping[str, str], start: datetime, near: datetime | None) -> Iterable[datetime]:
    """Local occurrences from `start`, or from a little before `near` if that is later; for HORIZON."""
    step = _STEPS.get(parts["FREQ"])
    if near and step and near > start:
        span = step * int(parts.get("INTERVAL", "1"))
        start += span * max(0, (near - start) // span - 1)
    names = [name for name in parts if name not in _LIMITS]
    try:
        if step and not _has_days(parts, start):
            return ()
        return _rule(parts, names, start).replace(until=max(start, near or start) + HORIZON)
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise _BadRule(f"cannot be read: {error}") from error


def _has_days(parts: Mapping[str, str], start: datetime) -> bool:
    """Whether any day fits at all: looked for year by year, as day by day up to the year 9999 would take seconds."""
    weekdays = {"BYDAY": re.sub(r"[+-]?\d+", "", parts["BYDAY"])} if "BYDAY" in parts else {}
    names = [name for name in parts if name in _DAYS]
    return not names or any(True for _ in _rule({**parts, **weekdays, "FREQ": "YEARLY"}, ["FREQ", *names], start))


def _rule(parts: Mapping[str, str], names: Sequence[str], start: datetime) -> rrule:
    found = rrulestr(";".join(f"{name}={parts[name]}" for name in names), dtstart=start)
    if not isinstance(found, rrule):
        raise _BadRule("is a set of rules, not one")
    return found


def check_schedule(trigger: ScheduledTrigger, timezone: str, now: datetime, grace: timedelta) -> tuple[Problem, ...]:
    """Everything for which it could not be launched now; `timezone` is the workspace's."""
    problems = []
    name = trigger.timezone or timezone
    zone = zone_of(name)
    if zone is None:
        problems.append(Problem("trigger.timezone", f"{name} is not an IANA time zone; write it like Europe/Berlin"))
    if trigger.rrule is None:
        problems += _check_once(trigger, zone, now, grace)
    else:
        problems += _check_rule(trigger, zone or ZoneInfo("UTC"), now)
    return tuple(problems)


def _check_once(trigger: ScheduledTrigger, zone: ZoneInfo | None, now: datetime, grace: timedelta) -> list[Problem]:
    problems = [
        Problem(f"trigger.{field}", "goes with an rrule")
        for field in _LIMITS.values()
        if getattr(trigger, field) is not None
    ]
    late = now - _moment(_local(trigger.at, zone), zone) if zone else timedelta(0)
    if late > grace:
        problems.append(Problem("trigger.at", f"lies {late} in the past, more than the startGrace of {grace}"))
    return problems


def _check_rule(trigger: ScheduledTrigger, zone: ZoneInfo, now: datetime) -> list[Problem]:
    try:
        parts = _read_rule(trigger.rrule or "")
        _read_until(parts, zone)
        found = next(occurrences(trigger, zone.key, now), None)
    except _BadRule as error:
        return [Problem("trigger.rrule", str(error))]
    twice = [name for name, field in _LIMITS.items() if name in parts and getattr(trigger, field) is not None]
    if twice:
        return [Problem(f"trigger.{_LIMITS[name]}", f"is said in the rrule as well, by {name}") for name in twice]
    years = HORIZON.days // 366
    return [] if found else [Problem("trigger.rrule", f"never fires from now on (looked at {years} years ahead)")]
