"""Reserve slots of a channel's rate limit for a batch of sends, and report how much of the limit is used."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.core.campaigns.compiled_version import channels_of
from chalicelib.core.channels.rate_limit import (
    AHEAD,
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
from chalicelib.model.rate_lease import RateLease
from chalicelib.ports import ChannelStatus, Ports, RateState


@dataclass(frozen=True, slots=True)
class SendNow:
    """Send in this run of the worker, at `slot` if the channel has a rate limit."""

    slot: datetime | None = None


@dataclass(frozen=True, slots=True)
class SendLater:
    """Come back at `moment`. `slot` stays reserved until then."""

    moment: datetime
    slot: datetime | None = None


RateDecision = SendNow | SendLater


def allowance_of(ports: Ports, channel: Channel) -> RateLimits:
    """Return the limits of the channel, or else those of the provider account."""
    channel_type = ports.channel_types.get(channel.type)
    return channel.limits(channel_type.account_limits() if channel_type else RateLimits())


def reserve_slots(
    ports: Ports, workspace: WorkspaceUid, channel: Channel, state: RateState, reserved: Sequence[datetime | None]
) -> list[RateDecision]:
    """Decide for each send over the channel. `reserved`: the slot that each send has from an earlier run, if any."""
    limits, now = allowance_of(ports, channel), ports.clock.now()
    if limits.per_second is None:
        is_held = state.held_until is not None and state.held_until > now
        decisions: list[RateDecision] = [
            SendLater(state.held_until) if state.held_until and is_held else SendNow() for _ in reserved
        ]
    else:
        usable = [_usable(slot, state, now) for slot in reserved]
        slots = _slots(ports, workspace, channel, limits.per_second, usable)
        decisions = [_decide(slot, now, ports.clock.speed) for slot in slots]
    if limits.per_day is None:
        return decisions
    return _within_day(ports, workspace, channel, limits.per_day, decisions)


def _usable(slot: datetime | None, state: RateState, now: datetime) -> datetime | None:
    """Return the slot unless it is void: before the end of a throttle, or already passed.

    A passed slot would add to the slots that follow, and the rate would be exceeded.
    """
    return slot if slot and slot >= max(now, state.held_until or now) else None


def _slots(
    ports: Ports, workspace: WorkspaceUid, channel: Channel, per_second: float, usable: Sequence[datetime | None]
) -> list[datetime]:
    key, now = (workspace, channel.uid), ports.clock.now() + AHEAD * ports.clock.speed
    leases = ports.memory.rate_leases
    missing = sum(slot is None for slot in usable)
    interval = interval_of(per_second)
    lease = leases.get(key, RateLease(now, 0, interval)).fresh(now)
    taken: list[datetime] = []
    while len(taken) < missing:
        if not lease.left or lease.interval != interval:
            size = lease_size(missing - len(taken), per_second)
            lease = RateLease(ports.rates.reserve(workspace, channel.uid, interval * size, now), size, interval)
        slot, lease = lease.take()
        taken.append(slot)
    leases[key] = lease
    rest = iter(taken)
    return [slot or next(rest) for slot in usable]


def _decide(slot: datetime, now: datetime, speed: float) -> RateDecision:
    return SendNow(slot) if is_within_horizon(slot, now, speed) else SendLater(retry_at(slot, now, speed), slot)


def _within_day(
    ports: Ports, workspace: WorkspaceUid, channel: Channel, cap: int, decisions: Sequence[RateDecision]
) -> list[RateDecision]:
    """Let as many sends go as the daily cap still allows. The others come back when the next day begins."""
    now = ports.clock.now()
    ready = sum(isinstance(decision, SendNow) for decision in decisions)
    left = ports.rates.reserve_daily(workspace, channel.uid, now.date().isoformat(), ready, cap) if ready else 0
    capped: list[RateDecision] = []
    for decision in decisions:
        is_allowed = isinstance(decision, SendLater) or left > 0
        left -= isinstance(decision, SendNow)
        capped.append(decision if is_allowed else SendLater(next_day(now)))
    return capped


def throttle_channel(ports: Ports, workspace: WorkspaceUid, channel: str, until: datetime) -> None:
    """Stop all workers from sending over the channel before `until`, because the provider throttles."""
    ports.memory.rate_leases.pop((workspace, channel), None)
    ports.rates.hold(workspace, channel, until)


@dataclass(frozen=True, slots=True)
class RateUsage:
    """The limits of a channel and how much of them is used."""

    limits: RateLimits
    #: Messages sent today (UTC); None without a daily cap.
    sent_today: int | None
    #: End of a throttle, if one is active.
    held: datetime | None
    #: How far ahead the slots of the channel are reserved.
    backlog: timedelta


def rate_usage(ports: Ports, workspace: WorkspaceUid, status: ChannelStatus) -> RateUsage:
    """Return the current usage of the channel's rate limit and daily cap."""
    channel, state, now = status.channel, status.rate_state, ports.clock.now()
    limits = allowance_of(ports, channel)
    sent = ports.rates.daily_count(workspace, channel.uid, now.date().isoformat()) if limits.per_day else None
    held = state.held_until if state.held_until and state.held_until > now else None
    return RateUsage(limits, sent, held, max(timedelta(0), (state.next_slot or now) - now))


def estimate_finish(
    ports: Ports, workspace: WorkspaceUid, status: ChannelStatus, waiting: tuple[int, timedelta]
) -> datetime | None:
    """Estimate when the last of the waiting messages is sent, behind what the channel has to send already.

    `waiting`: the number of messages, and the least time between two of them. Returns None without rate and daily cap.
    """
    usage, (count, step), now = rate_usage(ports, workspace, status), waiting, ports.clock.now()
    limits = usage.limits
    if limits == RateLimits() or not count:
        return None
    start = max(now + usage.backlog, usage.held or now)
    interval = max(step, interval_of(limits.per_second) if limits.per_second else timedelta(0))
    cap, left = limits.per_day, None
    if cap is not None:
        sent = usage.sent_today if start.date() == now.date() else 0
        left = max(0, cap - (sent or 0))
    return SendRate(interval, cap, left).end_of(count, start)


def slowest_interval(ports: Ports, workspace: WorkspaceUid, flow: Flow) -> timedelta:
    """Return the time between two sends of the flow's slowest channel; zero if no channel has a rate limit."""
    statuses = [ports.circuits.find_channel(workspace, uid) for uid in channels_of(ports, workspace, flow)]
    rates = [allowance_of(ports, status.channel).per_second for status in statuses if status]
    return max((interval_of(rate) for rate in rates if rate), default=timedelta(0))
