"""Circuit breaker of a channel. Pure: it computes and does nothing.

Consecutive channel failures open the circuit. After a minute one send probes the channel. A successful response closes
the circuit.
"""

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

#: Consecutive failures in one worker that open the circuit. Without failures nothing is counted or written.
FAILURES_TO_OPEN = 5
#: Time before an open circuit lets a probe through, by the real clock.
PROBE_AFTER = timedelta(seconds=60)


class CircuitDecision(StrEnum):
    """The decision for one send: allow it, send it as the probe, wait for the probe, or reject it."""

    ALLOW = "allow"
    PROBE = "probe"
    WAIT = "wait"
    REJECT = "reject"


def check_circuit_state(circuit: Circuit, real_now: datetime) -> CircuitDecision:
    """Return the decision for the next send. When the lease of a probe has expired, another worker may probe."""
    is_due = circuit.retry_at is None or circuit.retry_at <= real_now
    match circuit.state:
        case CircuitState.CLOSED:
            return CircuitDecision.ALLOW
        case CircuitState.OPEN:
            return CircuitDecision.PROBE if is_due else CircuitDecision.REJECT
        case CircuitState.HALF_OPEN:
            return CircuitDecision.PROBE if is_due else CircuitDecision.WAIT
        case _:
            assert_never(circuit.state)


def trip(circuit: Circuit, failures: tuple[ChannelFailureRecord, ...], real_now: datetime) -> Circuit:
    """Open the circuit. A failed probe keeps the start of the outage."""
    since = real_now if circuit.state is CircuitState.CLOSED else circuit.since
    latest = (circuit.faults + failures)[-FAILURES_TO_OPEN:]
    cause = latest[-1].code if latest else circuit.cause
    return replace(
        circuit, state=CircuitState.OPEN, since=since, cause=cause, retry_at=real_now + PROBE_AFTER, faults=latest
    )


def start_probe(circuit: Circuit, until: datetime) -> Circuit:
    """Half-open the circuit for one probe, which has until `until`."""
    return replace(circuit, state=CircuitState.HALF_OPEN, retry_at=until)


def reopen_for_probe(circuit: Circuit, real_now: datetime) -> Circuit:
    """Reopen the circuit after a probe that tells nothing about the channel. The next send probes again."""
    return replace(circuit, state=CircuitState.OPEN, retry_at=real_now)


def reset(circuit: Circuit, real_now: datetime) -> Circuit:
    """Close the circuit. The recorded failures stay visible."""
    if circuit.state is CircuitState.CLOSED:
        return circuit
    return replace(circuit, state=CircuitState.CLOSED, since=real_now, retry_at=None)


def channel_failure_code(send_result: SendResult) -> str | None:
    """Return the code of a failure of the channel itself; None for every other send result."""
    match send_result:
        case ChannelFailure(code=code) | TransientFailure(code=code, unreached=True) | OutcomeUnknown(why=code):
            return code
        case _:
            return None


def is_healthy_response(send_result: SendResult) -> bool:
    """Report whether the provider has processed the request."""
    return isinstance(send_result, Accepted | PermanentFailure | RecipientSuppressed | Throttled)


@dataclass(slots=True)
class ChannelHealth:
    """Consecutive failures of each channel that one worker has seen."""

    in_a_row: MutableMapping[str, tuple[ChannelFailureRecord, ...]] = field(default_factory=dict)

    def note(self, channel: str, send_result: SendResult, real_now: datetime) -> tuple[ChannelFailureRecord, ...]:
        """Record a send result. Returns the failures if the circuit must open, and counts from zero again; else ()."""
        if is_healthy_response(send_result):
            self.in_a_row.pop(channel, None)
        code = channel_failure_code(send_result)
        if code is None:
            return ()
        failures = (*self.in_a_row.pop(channel, ()), ChannelFailureRecord(real_now, code))
        if len(failures) >= FAILURES_TO_OPEN:
            return failures
        self.in_a_row[channel] = failures
        return ()
