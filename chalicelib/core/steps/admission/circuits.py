"""Admission check: circuit breakers of the channels."""

from collections.abc import Sequence
from dataclasses import replace

from chalicelib.core.channels.circuit_breaker import CircuitDecision
from chalicelib.core.channels.circuit_check import acquire_circuit
from chalicelib.core.steps.admission.base import (
    LEASE,
    Admission,
    CircuitPause,
    SendBatch,
    SendCandidate,
    postpone,
    retry_time,
)
from chalicelib.model.circuit import Circuit
from chalicelib.model.queue_messages import ScheduledStep


def check_circuits(batch: SendBatch, candidates: Sequence[SendCandidate]) -> Admission:
    """Admit sends over channels with a closed circuit, and one probe for each half-open circuit.

    An open circuit pauses the flow: nothing is admitted, and the executions wait until the flow is resumed.
    """
    decisions: dict[str, CircuitDecision] = {}
    admitted: list[SendCandidate] = []
    postponed: list[ScheduledStep] = []
    for candidate in candidates:
        channel = candidate.message.channel
        if channel.uid not in decisions:
            decisions[channel.uid], circuit = _acquire(batch, channel.uid)
            if decisions[channel.uid] is CircuitDecision.REJECT:
                return Admission((), tuple(postponed), CircuitPause(channel, circuit))
        decision = decisions[channel.uid]
        if decision is CircuitDecision.WAIT:
            postponed.append(postpone(candidate, retry_time(batch)))
            continue
        admitted.append(replace(candidate, is_probe=decision is CircuitDecision.PROBE))
        if decision is CircuitDecision.PROBE:
            # One message probes the channel; the others wait for its result.
            decisions[channel.uid] = CircuitDecision.WAIT
    return Admission(tuple(admitted), tuple(postponed))


def _acquire(batch: SendBatch, channel: str) -> tuple[CircuitDecision, Circuit]:
    until = batch.ports.clock.real() + LEASE
    circuit = batch.plan.circuits.get(channel, Circuit())
    return acquire_circuit(batch.ports, batch.workspace, channel, circuit, until)
