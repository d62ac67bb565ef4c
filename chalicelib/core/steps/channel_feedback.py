"""Collect what the send results of a batch say about their channels, and apply it after the messages are saved."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from chalicelib.core.channels.acquire_rate import throttle_channel
from chalicelib.core.channels.circuit_breaker import ChannelHealth, channel_failure_code
from chalicelib.core.channels.circuit_check import circuit_pause_reason, open_circuit, record_probe
from chalicelib.core.flows.control_flow import pause_flow
from chalicelib.core.notifications.raise_alert import raise_circuit_alert
from chalicelib.core.steps.admission.base import CircuitPause, SendBatch
from chalicelib.core.steps.apply_send_result import SHORTEST_WAIT
from chalicelib.core.steps.batch_result import BatchResult
from chalicelib.model.channel import Channel
from chalicelib.model.circuit import ChannelFailureRecord
from chalicelib.model.message import AccountUnpaid, SendResult, Throttled
from chalicelib.model.pause import PauseCause, PauseReason


@dataclass(frozen=True, slots=True)
class ChannelFeedback:
    """What is known after some sends. Nothing is written before the messages of the batch are saved."""

    #: Results of probes by channel uid.
    probes: Mapping[str, SendResult] = field(default_factory=dict)
    #: Channels that throttle, and until when nothing is sent over them.
    throttled: Mapping[str, datetime] = field(default_factory=dict)
    #: The channel that failed too often, and its consecutive failures.
    failed: Channel | None = None
    failures: tuple[ChannelFailureRecord, ...] = ()
    #: The provider's code when its account has no money left.
    unpaid: str | None = None

    @property
    def stops_flow(self) -> bool:
        """True if the flow is about to be paused, so that no more messages are sent."""
        return self.failed is not None or self.unpaid is not None

    def observe(
        self, batch: SendBatch, channel: Channel, send_result: SendResult, *, is_probe: bool
    ) -> "ChannelFeedback":
        """Return the feedback with one more send result."""
        clock = batch.ports.clock
        failures = ChannelHealth(batch.ports.memory.channel_failures).note(channel.uid, send_result, clock.real())
        found = self
        if isinstance(send_result, Throttled):
            until = clock.now() + max(SHORTEST_WAIT, send_result.after or SHORTEST_WAIT)
            found = replace(found, throttled={**found.throttled, channel.uid: until})
        if isinstance(send_result, AccountUnpaid):
            found = replace(found, unpaid=send_result.code)
        code = channel_failure_code(send_result)
        if code is not None and is_probe:
            failures = failures or (ChannelFailureRecord(clock.real(), code),)
        if failures:
            return replace(found, failed=channel, failures=failures)
        return replace(found, probes={**found.probes, channel.uid: send_result}) if is_probe else found


def apply_feedback(batch: SendBatch, feedback: ChannelFeedback, result: BatchResult) -> None:
    """Update rate limits and circuits, and pause the flow if a channel failed.

    The pause comes last: if it is lost, the next step meets the open circuit and pauses the flow.
    """
    ports, workspace = batch.ports, batch.workspace
    for uid, until in feedback.throttled.items():
        throttle_channel(ports, workspace, uid, until)
    for uid, send_result in feedback.probes.items():
        record_probe(ports, workspace, uid, send_result)
    if feedback.unpaid is not None:
        pause_flow(ports, workspace, batch.flow, PauseReason(PauseCause.BALANCE, feedback.unpaid))
    if feedback.failed:
        circuit = open_circuit(ports, workspace, feedback.failed.uid, feedback.failures)
        pause_by_circuit(batch, CircuitPause(feedback.failed, circuit), result)


def pause_by_circuit(batch: SendBatch, pause: CircuitPause, result: BatchResult) -> None:
    """Raise the alert and pause the flow. If the worker crashes in between, the next step does both again."""
    raise_circuit_alert(batch.ports, batch.workspace, pause.channel, pause.circuit)
    pause_flow(batch.ports, batch.workspace, batch.flow, *circuit_pause_reason(pause.channel, pause.circuit))
    result.channel_pauses += 1
