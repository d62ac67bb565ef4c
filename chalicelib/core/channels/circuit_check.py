"""The circuit of a channel as sending meets it: who may pass, who probes, and what an answer does to it."""

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
from chalicelib.model.flow import Flow, PausedBy
from chalicelib.model.ids import WorkspaceUid
from chalicelib.model.message import SendResult
from chalicelib.ports import ChannelStatus, Ports

#: Tries to write a circuit against other workers; each of them moves it too, so one is nearly always enough.
TRIES = 5


def acquire_circuit(
    ports: Ports, workspace: WorkspaceUid, uid: str, circuit: Circuit, until: datetime
) -> tuple[CircuitDecision, Circuit]:
    """What the circuit says now. PROBE is said to one worker only, and until `until`, when it must have answered."""
    said = check_circuit_state(circuit, ports.clock.real())
    if said is CircuitDecision.PROBE and not ports.circuits.save(workspace, uid, start_probe(circuit, until)):
        return CircuitDecision.WAIT, circuit
    return said, circuit


def record_probe(ports: Ports, workspace: WorkspaceUid, uid: str, verdict: SendResult) -> Circuit:
    """The probe was no fault: a sound answer closes the circuit, after another one the next send is the probe."""
    real_now = ports.clock.real()
    settled = reset if is_healthy_response(verdict) else reopen_for_probe
    return _change(ports, workspace, uid, lambda circuit: settled(circuit, real_now))


def open_circuit(
    ports: Ports, workspace: WorkspaceUid, uid: str, misfires: tuple[ChannelFailureRecord, ...]
) -> Circuit:
    """Opens it for all workers. One that another worker has opened meanwhile stays as it is."""
    real_now = ports.clock.real()

    def turn(circuit: Circuit) -> Circuit:
        return (
            circuit
            if check_circuit_state(circuit, real_now) is CircuitDecision.SHUT
            else trip(circuit, misfires, real_now)
        )

    return _change(ports, workspace, uid, turn)


def close_circuit(ports: Ports, workspace: WorkspaceUid, uid: str) -> ChannelStatus:
    """An operator knows better. NotFound when there is no such channel."""
    channel = ports.catalog.get(workspace, Channel, uid)
    real_now = ports.clock.real()
    _change(ports, workspace, uid, lambda circuit: reset(circuit, real_now))
    return ports.circuits.find_channel(workspace, uid) or ChannelStatus(channel, Circuit())


def _change(ports: Ports, workspace: WorkspaceUid, uid: str, turn: Callable[[Circuit], Circuit]) -> Circuit:
    for _ in range(TRIES):
        stored = ports.circuits.get(workspace, uid)
        turned = turn(stored)
        if turned == stored or ports.circuits.save(workspace, uid, turned):
            return turned
    raise RetryLater("The circuit is being changed by others, try again")


def circuit_pause_reason(channel: Channel, circuit: Circuit) -> tuple[str, PausedBy]:
    """The reason of a flow's pause in one sentence, and in its parts."""
    told = PausedBy(channel_uid=channel.uid, cause=circuit.cause, since=circuit.since, retry_after=circuit.retry_at)
    reason = f"channel_circuit: the channel {channel.name} ({channel.uid}) takes no messages: {circuit.cause}"
    return reason, told


def check_circuits(ports: Ports, workspace: WorkspaceUid, flow: Flow, channels: Iterable[str]) -> None:
    """Raises CircuitOpen when one of the channels lets nothing through; one that may be probed is no obstacle."""
    real_now = ports.clock.real()
    for uid in channels:
        circuit = ports.circuits.get(workspace, uid)
        if check_circuit_state(circuit, real_now) is CircuitDecision.SHUT and circuit.retry_at is not None:
            seconds = -(-(circuit.retry_at - real_now) // timedelta(seconds=1))
            state = CircuitState.OPEN.value
            message = f"The circuit of channel {uid} is open: {circuit.cause}; flow {flow.uid} may go on after that"
            raise CircuitOpen(message, state, [CircuitState.HALF_OPEN.value, CircuitState.CLOSED.value], seconds)
