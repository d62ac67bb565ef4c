"""The circuit of a channel: faults in a row open it, one send after a minute probes it, a send that went closes it."""

from collections.abc import MutableMapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import assert_never

from chalicelib.model.circuit import ChannelFailureRecord, Circuit, CircuitState
from chalicelib.model.message import (
    Accepted,
    ChannelFailure,
    OutcomeUnknown,
    PermanentFailure,
    RecipientSuppressed,
    SendResult,
    Throttled,
    TransientFailure,
)

#: engine.md: so many faults in a row, in one worker, open the circuit; the healthy path counts and writes nothing.
FAULTS_IN_A_ROW = 5
#: How long an open circuit lets nothing through, by the real clock: the provider's troubles know no other.
PROBE_AFTER = timedelta(seconds=60)


class CircuitDecision(StrEnum):
    """What a circuit says to those who want to send: go, go as the one probe, wait for the probe, or stop."""

    FREE = "free"
    PROBE = "probe"
    WAIT = "wait"
    SHUT = "shut"


def check_circuit_state(circuit: Circuit, real_now: datetime) -> CircuitDecision:
    """A probe whose prober is gone, by its lease, is anybody's again."""
    is_due = circuit.retry_at is None or circuit.retry_at <= real_now
    match circuit.state:
        case CircuitState.CLOSED:
            return CircuitDecision.FREE
        case CircuitState.OPEN:
            return CircuitDecision.PROBE if is_due else CircuitDecision.SHUT
        case CircuitState.HALF_OPEN:
            return CircuitDecision.PROBE if is_due else CircuitDecision.WAIT
        case _:
            assert_never(circuit.state)


def trip(circuit: Circuit, misfires: tuple[ChannelFailureRecord, ...], real_now: datetime) -> Circuit:
    """Open from now on; a probe that failed does not begin the trouble anew."""
    since = real_now if circuit.state is CircuitState.CLOSED else circuit.since
    kept = (circuit.faults + misfires)[-FAULTS_IN_A_ROW:]
    cause = kept[-1].code if kept else circuit.cause
    return replace(
        circuit, state=CircuitState.OPEN, since=since, cause=cause, retry_at=real_now + PROBE_AFTER, faults=kept
    )


def start_probe(circuit: Circuit, until: datetime) -> Circuit:
    """Half open: one send tries it, until this moment at the latest."""
    return replace(circuit, state=CircuitState.HALF_OPEN, retry_at=until)


def reopen_for_probe(circuit: Circuit, real_now: datetime) -> Circuit:
    """The probe's answer says nothing of the channel: the next send is the probe."""
    return replace(circuit, state=CircuitState.OPEN, retry_at=real_now)


def reset(circuit: Circuit, real_now: datetime) -> Circuit:
    """Closed; what was wrong stays to be seen."""
    if circuit.state is CircuitState.CLOSED:
        return circuit
    return replace(circuit, state=CircuitState.CLOSED, since=real_now, retry_at=None)


def channel_failure_code(verdict: SendResult) -> str | None:
    """The code of a fault that is the channel's own; None for all other answers."""
    match verdict:
        case ChannelFailure(code=code) | TransientFailure(code=code, unreached=True) | OutcomeUnknown(why=code):
            return code
        case _:
            return None


def is_healthy_response(verdict: SendResult) -> bool:
    """Whether the provider has looked at the message itself."""
    return isinstance(verdict, Accepted | PermanentFailure | RecipientSuppressed | Throttled)


@dataclass(slots=True)
class ChannelHealth:
    """The faults in a row that one worker has seen of each channel, up to one too few."""

    in_a_row: MutableMapping[str, tuple[ChannelFailureRecord, ...]] = field(default_factory=dict)

    def note(self, channel: str, verdict: SendResult, real_now: datetime) -> tuple[ChannelFailureRecord, ...]:
        """The faults in a row when this was one too many, else none; counting then starts anew."""
        if is_healthy_response(verdict):
            self.in_a_row.pop(channel, None)
        code = channel_failure_code(verdict)
        if code is None:
            return ()
        misfires = (*self.in_a_row.pop(channel, ()), ChannelFailureRecord(real_now, code))
        if len(misfires) >= FAULTS_IN_A_ROW:
            return misfires
        self.in_a_row[channel] = misfires
        return ()
