"""The circuit of a channel: faults in a row open it, one send after a minute probes it, a send that went closes it."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import assert_never

from chalicelib.model.message import (
    Accepted,
    ChannelFault,
    Permanent,
    Retryable,
    Suppress,
    Throttled,
    Unknown,
    Verdict,
)

#: engine.md: so many faults in a row, in one worker, open the circuit; the healthy path counts and writes nothing.
FAULTS_IN_A_ROW = 5
#: How long an open circuit lets nothing through, by the real clock: the provider's troubles know no other.
PROBE_AFTER = timedelta(seconds=60)


_UNPAID = "balance:"


class CircuitState(StrEnum):
    """Where a circuit stands; half open is while one send is trying it."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True)
class Misfire:
    """One send that the channel itself spoilt."""

    at: datetime
    code: str


@dataclass(frozen=True, slots=True)
class Circuit:
    """Shared by all workers; `rev` guards its writes. All its times are of the real clock."""

    state: CircuitState = CircuitState.CLOSED
    #: When the trouble began; of a closed one, when it ended. None where there never was any.
    since: datetime | None = None
    cause: str = ""
    #: Open: from when on it may be probed. Half open: until when the probe is its prober's.
    retry_at: datetime | None = None
    faults: tuple[Misfire, ...] = ()
    rev: int = 0


class Passage(StrEnum):
    """What a circuit says to those who want to send: go, go as the one probe, wait for the probe, or stop."""

    FREE = "free"
    PROBE = "probe"
    WAIT = "wait"
    SHUT = "shut"


def passage(circuit: Circuit, real_now: datetime) -> Passage:
    """A probe whose prober is gone, by its lease, is anybody's again."""
    is_due = circuit.retry_at is None or circuit.retry_at <= real_now
    match circuit.state:
        case CircuitState.CLOSED:
            return Passage.FREE
        case CircuitState.OPEN:
            return Passage.PROBE if is_due else Passage.SHUT
        case CircuitState.HALF_OPEN:
            return Passage.PROBE if is_due else Passage.WAIT
        case _:
            assert_never(circuit.state)


def opened(circuit: Circuit, misfires: tuple[Misfire, ...], real_now: datetime) -> Circuit:
    """Open from now on; a probe that failed does not begin the trouble anew."""
    since = real_now if circuit.state is CircuitState.CLOSED else circuit.since
    kept = (circuit.faults + misfires)[-FAULTS_IN_A_ROW:]
    cause = kept[-1].code if kept else circuit.cause
    return replace(
        circuit, state=CircuitState.OPEN, since=since, cause=cause, retry_at=real_now + PROBE_AFTER, faults=kept
    )


def probing(circuit: Circuit, until: datetime) -> Circuit:
    """Half open: one send tries it, until this moment at the latest."""
    return replace(circuit, state=CircuitState.HALF_OPEN, retry_at=until)


def untold(circuit: Circuit, real_now: datetime) -> Circuit:
    """The probe's answer says nothing of the channel: the next send is the probe."""
    return replace(circuit, state=CircuitState.OPEN, retry_at=real_now)


def closed(circuit: Circuit, real_now: datetime) -> Circuit:
    """Closed; what was wrong stays to be seen."""
    if circuit.state is CircuitState.CLOSED:
        return circuit
    return replace(circuit, state=CircuitState.CLOSED, since=real_now, retry_at=None)


def fault_of(verdict: Verdict) -> str | None:
    """The code of a fault that is the channel's own; None for all other answers."""
    if unpaid(verdict):
        return None
    match verdict:
        case ChannelFault(code=code) | Retryable(code=code, unreached=True) | Unknown(why=code):
            return code
        case _:
            return None


def unpaid(verdict: Verdict) -> str | None:
    """What the provider says of its unpaid account: no fault of the channel, and paying is all that helps."""
    if isinstance(verdict, ChannelFault) and verdict.code.startswith(_UNPAID):
        return verdict.code.removeprefix(_UNPAID)
    return None


def proves_health(verdict: Verdict) -> bool:
    """Whether the provider has looked at the message itself."""
    return isinstance(verdict, Accepted | Permanent | Suppress | Throttled)


@dataclass(slots=True)
class ChannelHealth:
    """The faults in a row that one worker has seen of each channel, up to one too few."""

    in_a_row: dict[str, tuple[Misfire, ...]] = field(default_factory=dict)

    def note(self, channel: str, verdict: Verdict, real_now: datetime) -> tuple[Misfire, ...]:
        """The faults in a row when this was one too many, else none; counting then starts anew."""
        if proves_health(verdict):
            self.in_a_row.pop(channel, None)
        code = fault_of(verdict)
        if code is None:
            return ()
        misfires = (*self.in_a_row.pop(channel, ()), Misfire(real_now, code))
        if len(misfires) >= FAULTS_IN_A_ROW:
            return misfires
        self.in_a_row[channel] = misfires
        return ()
