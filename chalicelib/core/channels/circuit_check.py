"""The circuit of a channel as sending meets it: who may pass, who probes, and what an answer does to it."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from chalicelib.core.channels.circuit_breaker import (
    Circuit,
    CircuitState,
    Misfire,
    Passage,
    closed,
    opened,
    passage,
    probing,
    proves_health,
    untold,
)
from chalicelib.errors import CircuitOpen, RetryLater
from chalicelib.model.channel import Channel
from chalicelib.model.flow import Flow, PausedBy
from chalicelib.model.ids import WorkspaceUid
from chalicelib.model.message import Verdict
from chalicelib.ports import Ports, Standing

#: Tries to write a circuit against other workers; each of them moves it too, so one is nearly always enough.
TRIES = 5


def ask_passage(
    ports: Ports, workspace: WorkspaceUid, uid: str, circuit: Circuit, until: datetime
) -> tuple[Passage, Circuit]:
    """What the circuit says now. PROBE is said to one worker only, and until `until`, when it must have answered."""
    said = passage(circuit, ports.clock.real())
    if said is Passage.PROBE and not ports.circuits.save(workspace, uid, probing(circuit, until)):
        return Passage.WAIT, circuit
    return said, circuit


def note_probe(ports: Ports, workspace: WorkspaceUid, uid: str, verdict: Verdict) -> Circuit:
    """The probe was no fault: a sound answer closes the circuit, after another one the next send is the probe."""
    real_now = ports.clock.real()
    settled = closed if proves_health(verdict) else untold
    return _change(ports, workspace, uid, lambda circuit: settled(circuit, real_now))


def open_circuit(ports: Ports, workspace: WorkspaceUid, uid: str, misfires: tuple[Misfire, ...]) -> Circuit:
    """Opens it for all workers. One that another worker has opened meanwhile stays as it is."""
    real_now = ports.clock.real()

    def turn(circuit: Circuit) -> Circuit:
        return circuit if passage(circuit, real_now) is Passage.SHUT else opened(circuit, misfires, real_now)

    return _change(ports, workspace, uid, turn)


def close_circuit(ports: Ports, workspace: WorkspaceUid, uid: str) -> Standing:
    """An operator knows better. NotFound when there is no such channel."""
    channel = ports.catalog.get(workspace, Channel, uid)
    real_now = ports.clock.real()
    _change(ports, workspace, uid, lambda circuit: closed(circuit, real_now))
    return ports.circuits.find_channel(workspace, uid) or Standing(channel, Circuit())


def _change(ports: Ports, workspace: WorkspaceUid, uid: str, turn: Callable[[Circuit], Circuit]) -> Circuit:
    for _ in range(TRIES):
        stored = ports.circuits.get(workspace, uid)
        turned = turn(stored)
        if turned == stored or ports.circuits.save(workspace, uid, turned):
            return turned
    raise RetryLater("The circuit is being changed by others, try again")


def tell_pause(channel: Channel, circuit: Circuit) -> tuple[str, PausedBy]:
    """The reason of a flow's pause in one sentence, and in its parts."""
    told = PausedBy(channel_uid=channel.uid, cause=circuit.cause, since=circuit.since, retry_after=circuit.retry_at)
    reason = f"channel_circuit: the channel {channel.name} ({channel.uid}) takes no messages: {circuit.cause}"
    return reason, told


def check_circuits(ports: Ports, workspace: WorkspaceUid, flow: Flow, channels: Iterable[str]) -> None:
    """Raises CircuitOpen when one of the channels lets nothing through; one that may be probed is no obstacle."""
    real_now = ports.clock.real()
    for uid in channels:
        circuit = ports.circuits.get(workspace, uid)
        if passage(circuit, real_now) is Passage.SHUT and circuit.retry_at is not None:
            seconds = -(-(circuit.retry_at - real_now) // timedelta(seconds=1))
            state = CircuitState.OPEN.value
            message = f"The circuit of channel {uid} is open: {circuit.cause}; flow {flow.uid} may go on after that"
            raise CircuitOpen(message, state, [CircuitState.HALF_OPEN.value, CircuitState.CLOSED.value], seconds)
