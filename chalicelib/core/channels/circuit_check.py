"""Read and update the stored circuit of a channel."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from chalicelib.core.channels.circuit_breaker import (
    CircuitDecision,
    check_circuit_state,
    is_healthy_response,
    reopen_for_probe,
    reset,
    start_probe,
    trip,
)
from chalicelib.errors import CircuitOpen, RetryLater
from chalicelib.model.channel import Channel
from chalicelib.model.circuit import ChannelFailureRecord, Circuit, CircuitState
from chalicelib.model.flow import Flow
from chalicelib.model.ids import WorkspaceUid
from chalicelib.model.message import SendResult
from chalicelib.model.pause import PauseCause, PausedBy, PauseReason
from chalicelib.ports import ChannelStatus, Ports

#: Attempts to write a circuit against other workers.
TRIES = 5


def acquire_circuit(
    ports: Ports, workspace: WorkspaceUid, uid: str, circuit: Circuit, until: datetime
) -> tuple[CircuitDecision, Circuit]:
    """Return the decision for the next send. Only one worker gets PROBE, with a lease until `until`."""
    decision = check_circuit_state(circuit, ports.clock.real())
    if decision is CircuitDecision.PROBE and not ports.circuits.save(workspace, uid, start_probe(circuit, until)):
        return CircuitDecision.WAIT, circuit
    return decision, circuit


def record_probe(ports: Ports, workspace: WorkspaceUid, uid: str, send_result: SendResult) -> Circuit:
    """Record a probe that did not fail. After a success the circuit closes; otherwise the next send probes again."""
    real_now = ports.clock.real()
    change = reset if is_healthy_response(send_result) else reopen_for_probe
    return _change(ports, workspace, uid, lambda circuit: change(circuit, real_now))


def open_circuit(
    ports: Ports, workspace: WorkspaceUid, uid: str, failures: tuple[ChannelFailureRecord, ...]
) -> Circuit:
    """Open the circuit for all workers. A circuit that another worker has opened stays unchanged."""
    real_now = ports.clock.real()

    def open_once(circuit: Circuit) -> Circuit:
        is_open = check_circuit_state(circuit, real_now) is CircuitDecision.REJECT
        return circuit if is_open else trip(circuit, failures, real_now)

    return _change(ports, workspace, uid, open_once)


def close_circuit(ports: Ports, workspace: WorkspaceUid, uid: str) -> ChannelStatus:
    """Close the circuit by hand. Raises NotFound."""
    channel = ports.catalog.get(workspace, Channel, uid)
    real_now = ports.clock.real()
    _change(ports, workspace, uid, lambda circuit: reset(circuit, real_now))
    return ports.circuits.find_channel(workspace, uid) or ChannelStatus(channel, Circuit())


def _change(ports: Ports, workspace: WorkspaceUid, uid: str, change: Callable[[Circuit], Circuit]) -> Circuit:
    for _ in range(TRIES):
        stored = ports.circuits.get(workspace, uid)
        changed = change(stored)
        if changed == stored or ports.circuits.save(workspace, uid, changed):
            return changed
    raise RetryLater("The circuit is being changed by other workers; try again")


def circuit_pause_reason(channel: Channel, circuit: Circuit) -> tuple[PauseReason, PausedBy]:
    """Return why a flow is paused: as a cause with a sentence, and as the parts of that sentence."""
    paused_by = PausedBy(
        channel_uid=channel.uid, cause=circuit.cause, since=circuit.since, retry_after=circuit.retry_at
    )
    detail = f"the channel {channel.name} ({channel.uid}) takes no messages: {circuit.cause}"
    return PauseReason(PauseCause.CHANNEL_CIRCUIT, detail), paused_by


def check_circuits(ports: Ports, workspace: WorkspaceUid, flow: Flow, channels: Iterable[str]) -> None:
    """Raise CircuitOpen if the circuit of a channel is open and may not be probed yet."""
    real_now = ports.clock.real()
    for uid in channels:
        circuit = ports.circuits.get(workspace, uid)
        if check_circuit_state(circuit, real_now) is CircuitDecision.REJECT and circuit.retry_at is not None:
            seconds = -(-(circuit.retry_at - real_now) // timedelta(seconds=1))
            state = CircuitState.OPEN.value
            message = f"The circuit of channel {uid} is open ({circuit.cause}); resume flow {flow.uid} in {seconds} s"
            raise CircuitOpen(message, state, [CircuitState.HALF_OPEN.value, CircuitState.CLOSED.value], seconds)
