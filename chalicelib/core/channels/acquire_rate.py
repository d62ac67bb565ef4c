"""The rate of a channel as sending meets it: who may go now and at which slot, and who comes back when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.core.campaigns.compiled_version import channels_of
from chalicelib.core.channels.rate_limit import (
    AHEAD,
    Lease,
    SendRate,
    interval_of,
    is_within_horizon,
    lease_size,
    next_day,
    retry_at,
)
from chalicelib.model.channel import Channel, RateLimits
from chalicelib.model.flow import Flow
from chalicelib.model.ids import WorkspaceUid
from chalicelib.ports import ChannelStatus, Ports, RateState

#: The slots that this worker has taken and not used, by workspace and channel; a crash loses them, which costs time.
_leases: dict[tuple[str, str], Lease] = {}


@dataclass(frozen=True, slots=True)
class SendNow:
    """Send it, at `slot` where there is one."""

    slot: datetime | None = None


@dataclass(frozen=True, slots=True)
class SendLater:
    """Come back at `moment`; `slot` is kept for it."""

    moment: datetime
    slot: datetime | None = None


Said = SendNow | SendLater


def allowance_of(ports: Ports, channel: Channel) -> RateLimits:
    """The channel's own limits, or those of the account that carries it."""
    kind = ports.channel_types.get(channel.type)
    return channel.limits(kind.allowance() if kind else RateLimits())


def reserve_slots(
    ports: Ports, workspace: WorkspaceUid, channel: Channel, line: RateState, kept: Sequence[datetime | None]
) -> list[Said]:
    """An answer for each that wants to send by the channel; `kept`: the slots that they bring along, if any."""
    allowance, now = allowance_of(ports, channel), ports.clock.now()
    if allowance.per_second is None:
        said: list[Said] = [SendLater(line.held) if line.held and line.held > now else SendNow() for _ in kept]
    else:
        slots = _slots(ports, workspace, channel, allowance.per_second, [_still_good(slot, line, now) for slot in kept])
        said = [_say(slot, now, ports.clock.speed) for slot in slots]
    if allowance.per_day is None:
        return said
    return _within_the_day(ports, workspace, channel, allowance.per_day, said)


def _still_good(slot: datetime | None, line: RateState, now: datetime) -> datetime | None:
    """A throttle voids the slots before its end; one that has passed would come on top of those that follow."""
    return slot if slot and slot >= max(now, line.held or now) else None


def _slots(
    ports: Ports, workspace: WorkspaceUid, channel: Channel, per_second: float, kept: Sequence[datetime | None]
) -> list[datetime]:
    place, now = (workspace, channel.uid), ports.clock.now() + AHEAD * ports.clock.speed
    missing = sum(slot is None for slot in kept)
    interval = interval_of(per_second)
    lease = _leases.get(place, Lease(now, 0, interval)).fresh(now)
    given: list[datetime] = []
    while len(given) < missing:
        if not lease.left or lease.interval != interval:
            size = lease_size(missing - len(given), per_second)
            lease = Lease(ports.rates.reserve(workspace, channel.uid, interval * size, now), size, interval)
        slot, lease = lease.take()
        given.append(slot)
    _leases[place] = lease
    rest = iter(given)
    return [slot or next(rest) for slot in kept]


def _say(slot: datetime, now: datetime, speed: float) -> Said:
    return SendNow(slot) if is_within_horizon(slot, now, speed) else SendLater(retry_at(slot, now, speed), slot)


def _within_the_day(
    ports: Ports, workspace: WorkspaceUid, channel: Channel, cap: int, said: Sequence[Said]
) -> list[Said]:
    """Of those that could go now, as many as the day still has; the others come when the next one begins."""
    now = ports.clock.now()
    going = sum(isinstance(each, SendNow) for each in said)
    left = ports.rates.count(workspace, channel.uid, now.date().isoformat(), going, cap) if going else 0
    answers: list[Said] = []
    for each in said:
        allowed = isinstance(each, SendLater) or left > 0
        left -= isinstance(each, SendNow)
        answers.append(each if allowed else SendLater(next_day(now)))
    return answers


def throttle_channel(ports: Ports, workspace: WorkspaceUid, channel: str, until: datetime) -> None:
    """The provider wants it slower: no worker sends before this moment."""
    _leases.pop((workspace, channel), None)
    ports.rates.hold(workspace, channel, until)


@dataclass(frozen=True, slots=True)
class RateUsage:
    """What a channel may send, and what of it is taken. `backlog`: how far ahead its slots are given away."""

    allowance: RateLimits
    sent_today: int | None
    held: datetime | None
    backlog: timedelta


def rate_usage(ports: Ports, workspace: WorkspaceUid, standing: ChannelStatus) -> RateUsage:
    """As it is now; what a day sends is counted only where the day has a cap."""
    channel, line, now = standing.channel, standing.line, ports.clock.now()
    allowance = allowance_of(ports, channel)
    sent = ports.rates.counted(workspace, channel.uid, now.date().isoformat()) if allowance.per_day else None
    held = line.held if line.held and line.held > now else None
    return RateUsage(allowance, sent, held, max(timedelta(0), (line.free or now) - now))


def estimate_finish(
    ports: Ports, workspace: WorkspaceUid, standing: ChannelStatus, waiting: tuple[int, timedelta]
) -> datetime | None:
    """When so many messages, which come no faster than one in a span, have gone by the channel behind what it has now.

    None where neither a rate nor a daily cap holds them up.
    """
    usage, (count, step), now = rate_usage(ports, workspace, standing), waiting, ports.clock.now()
    allowance = usage.allowance
    if allowance == RateLimits() or not count:
        return None
    start = max(now + usage.backlog, usage.held or now)
    interval = max(step, interval_of(allowance.per_second) if allowance.per_second else timedelta(0))
    cap, left = allowance.per_day, None
    if cap is not None:
        sent = usage.sent_today if start.date() == now.date() else 0
        left = max(0, cap - (sent or 0))
    return SendRate(interval, cap, left).end_of(count, start)


def slowest_interval(ports: Ports, workspace: WorkspaceUid, flow: Flow) -> timedelta:
    """Between two sends of the flow's slowest channel; zero where none has a rate."""
    standings = [ports.circuits.find_channel(workspace, uid) for uid in channels_of(ports, workspace, flow)]
    rates = [allowance_of(ports, standing.channel).per_second for standing in standings if standing]
    return max((interval_of(rate) for rate in rates if rate), default=timedelta(0))
