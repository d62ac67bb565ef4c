"""Compute the occurrences of a schedule from its recurrence rule, in local time of its zone.

A local time that the change to summer time skips moves forward by the length of the change. Of a local time that the
change to winter time repeats, the first one counts.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dateutil.rrule import rrule, rrulestr

from chalicelib.errors import Problem
from chalicelib.model.durations import describe_duration
from chalicelib.model.trigger import ScheduledTrigger

#: Longest search for an occurrence. Without a limit, a rule for 30 February would be searched up to the year 9999.
HORIZON = timedelta(days=366 * 8)
#: The clock worker runs once a minute.
TICK = timedelta(minutes=1)
#: Periods of rules with many occurrences. Their search starts near the wanted time, not at the start of the rule.
_PERIODS = {"MINUTELY": TICK, "HOURLY": timedelta(hours=1), "DAILY": timedelta(days=1), "WEEKLY": timedelta(days=7)}
_FREQUENCIES = ("YEARLY", "MONTHLY", *reversed(_PERIODS))
_PARTS = frozenset(
    {"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYDAY", "BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO"}
    | {"BYHOUR", "BYMINUTE", "BYSETPOS"}
)
#: Parts of the rule that are also fields of the trigger. Only one of the two may be set.
_LIMITS = {"COUNT": "count", "UNTIL": "until"}
_DAYS = frozenset({"BYDAY", "BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO"})
_PART = re.compile(r"([A-Z]+)=([A-Z0-9,+-]+)")
MAX_INTERVAL = 10_000
MAX_COUNT = 10_000


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A start of the schedule, and its number, counted from 1."""

    at: datetime
    number: int


class _BadRule(Exception):
    """The rule is invalid; the message says why."""


def zone_of(name: str) -> ZoneInfo | None:
    """Return the IANA time zone of this name, or None."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def occurrences(
    trigger: ScheduledTrigger, timezone: str, after: datetime, known: Occurrence | None = None
) -> Iterator[Occurrence]:
    """Yield the starts after `after` and after `known`, up to HORIZON. Their numbers continue that of `known`.

    The trigger must have passed `check_schedule`.
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
    # With a limit on the number of starts, each one must be counted, so the search may not jump ahead.
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
    """Return the local time in the zone, as a naive datetime."""
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
            raise _BadRule(f"{part[1]} is set twice")
        parts[part[1]] = part[2]
    if parts.get("FREQ") not in _FREQUENCIES:
        raise _BadRule(f"FREQ must be one of {', '.join(_FREQUENCIES)}; a campaign starts at most once a minute")
    for name, most in (("INTERVAL", MAX_INTERVAL), ("COUNT", MAX_COUNT)):
        if name in parts and not (parts[name].isdecimal() and 1 <= int(parts[name]) <= most):
            raise _BadRule(f"{name} must be between 1 and {most:,}")
    return parts


def _read_until(parts: Mapping[str, str], zone: ZoneInfo) -> datetime | None:
    """Return the end of the rule, or None. A date means its last second; a time without Z is local."""
    text = parts.get("UNTIL")
    if text is None:
        return None
    for form, last in (("%Y%m%d", timedelta(days=1, seconds=-1)), ("%Y%m%dT%H%M%S", timedelta(0))):
        try:
            local = datetime.strptime(text.removesuffix("Z"), form) + last  # noqa: DTZ007 - the zone is added below
        except ValueError:
            continue
        return local.replace(tzinfo=UTC) if text.endswith("Z") else _moment(local, zone)
    raise _BadRule("UNTIL must be written like 20261231 or 20261231T235959Z")


def _build_rule(parts: Mapping[str, str], start: datetime, near: datetime | None) -> Iterable[datetime]:
    """Return the local occurrences from `start`, or from shortly before `near` if that is later, up to HORIZON."""
    step = _PERIODS.get(parts["FREQ"])
    if near and step and near > start:
        span = step * int(parts.get("INTERVAL", "1"))
        start += span * max(0, (near - start) // span - 1)
    names = [name for name in parts if name not in _LIMITS]
    try:
        if step and not _has_matching_days(parts, start):
            return ()
        return _rule(parts, names, start).replace(until=max(start, near or start) + HORIZON)
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise _BadRule(f"cannot be read: {error}") from error


def _has_matching_days(parts: Mapping[str, str], start: datetime) -> bool:
    """Return whether any day matches. The search goes year by year, because day by day would take seconds."""
    weekdays = {"BYDAY": re.sub(r"[+-]?\d+", "", parts["BYDAY"])} if "BYDAY" in parts else {}
    names = [name for name in parts if name in _DAYS]
    return not names or any(True for _ in _rule({**parts, **weekdays, "FREQ": "YEARLY"}, ["FREQ", *names], start))


def _rule(parts: Mapping[str, str], names: Sequence[str], start: datetime) -> rrule:
    found = rrulestr(";".join(f"{name}={parts[name]}" for name in names), dtstart=start)
    if not isinstance(found, rrule):
        raise _BadRule("must be one rule, not a set of rules")
    return found


def check_schedule(trigger: ScheduledTrigger, timezone: str, now: datetime, grace: timedelta) -> tuple[Problem, ...]:
    """Return all problems that prevent a launch now. `timezone` is that of the workspace."""
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
        Problem(f"trigger.{field}", "is only allowed with an rrule")
        for field in _LIMITS.values()
        if getattr(trigger, field) is not None
    ]
    overdue = now - _moment(_local(trigger.at, zone), zone) if zone else timedelta(0)
    if overdue > grace:
        limit = describe_duration(grace)
        message = f"is {describe_duration(overdue)} in the past, more than the startGrace of {limit}"
        problems.append(Problem("trigger.at", message))
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
        return [Problem(f"trigger.{_LIMITS[name]}", f"is also set in the rrule, as {name}") for name in twice]
    years = HORIZON.days // 366
    return [] if found else [Problem("trigger.rrule", f"has no start in the next {years} years")]
