"""The circuit as a state machine, on a clock that is moved."""

from datetime import timedelta

import pytest

from chalicelib.core.channels.circuit_breaker import (
    FAILURES_TO_OPEN,
    PROBE_AFTER,
    ChannelHealth,
    CircuitDecision,
    check_circuit_state,
    reopen_for_probe,
    reset,
    start_probe,
    trip,
)
from chalicelib.model.circuit import ChannelFailureRecord, Circuit, CircuitState
from chalicelib.model.message import (
    Accepted,
    AccountUnpaid,
    ChannelFailure,
    OutcomeUnknown,
    PermanentFailure,
    RecipientSuppressed,
    SendResult,
    Throttled,
    TransientFailure,
)
from tests.builders import NOW

LEASE = timedelta(seconds=45)
FAULT = ChannelFailure("account_suspended")
OPEN = trip(Circuit(), (ChannelFailureRecord(NOW, "down"),), NOW)


def note(health: ChannelHealth, *verdicts: SendResult) -> list[int]:
    return [len(health.note("mail", verdict, NOW)) for verdict in verdicts]


def test_five_failures_in_a_row_open_the_circuit_and_reset_the_count() -> None:
    assert note(ChannelHealth(), *[FAULT] * 9) == [0, 0, 0, 0, FAILURES_TO_OPEN, 0, 0, 0, 0]


@pytest.mark.parametrize(
    "fault", [FAULT, OutcomeUnknown("read_timeout"), TransientFailure("ConnectTimeoutError", unreached=True)]
)
def test_refused_channels_lost_answers_and_lost_connections_are_faults(fault: SendResult) -> None:
    assert note(ChannelHealth(), *[fault] * 5)[-1] == 5


@pytest.mark.parametrize("sound", [Accepted("id"), PermanentFailure("x"), RecipientSuppressed("x"), Throttled()])
def test_a_result_about_the_message_itself_resets_the_count(sound: SendResult) -> None:
    assert not any(note(ChannelHealth(), *[FAULT] * 4, sound, *[FAULT] * 4))


def test_a_throttled_send_is_neither_a_failure_nor_a_success_of_the_channel() -> None:
    assert note(ChannelHealth(), *[FAULT] * 4, TransientFailure("busy"), FAULT)[-1] == 5


def test_channels_are_counted_apart() -> None:
    health = ChannelHealth()
    note(health, *[FAULT] * 4)
    assert health.note("sms", FAULT, NOW) == ()


def test_an_open_circuit_lets_nothing_through_for_a_minute_and_then_one_probe() -> None:
    assert check_circuit_state(OPEN, NOW + PROBE_AFTER - timedelta(milliseconds=1)) is CircuitDecision.REJECT
    assert check_circuit_state(OPEN, NOW + PROBE_AFTER) is CircuitDecision.PROBE


def test_other_sends_wait_for_a_probe_until_its_lease_ends() -> None:
    begun = NOW + PROBE_AFTER
    half = start_probe(OPEN, begun + LEASE)
    assert check_circuit_state(half, begun) is CircuitDecision.WAIT
    assert check_circuit_state(half, begun + LEASE) is CircuitDecision.PROBE


def test_a_successful_probe_closes_the_circuit_and_keeps_the_last_failures() -> None:
    later = NOW + PROBE_AFTER
    healed = reset(start_probe(OPEN, later + LEASE), later)
    assert (check_circuit_state(healed, later), healed.since, healed.cause) == (CircuitDecision.ALLOW, later, "down")
    assert healed.faults == OPEN.faults
    assert reset(healed, later + LEASE) == healed


def test_a_failed_probe_keeps_the_circuit_open_for_another_minute() -> None:
    later = NOW + PROBE_AFTER
    again = trip(start_probe(OPEN, later + LEASE), (ChannelFailureRecord(later, "still down"),), later)
    assert (again.since, again.cause, again.retry_at) == (NOW, "still down", later + PROBE_AFTER)
    assert [fault.code for fault in again.faults] == ["down", "still down"]


def test_a_probe_without_a_verdict_leaves_the_probe_to_the_next_send() -> None:
    later = NOW + PROBE_AFTER
    assert (
        check_circuit_state(reopen_for_probe(start_probe(OPEN, later + LEASE), later), later) is CircuitDecision.PROBE
    )


def test_only_the_last_faults_are_kept() -> None:
    misfires = tuple(ChannelFailureRecord(NOW, str(number)) for number in range(9))
    circuit = trip(Circuit(), misfires, NOW)
    assert (circuit.state, [fault.code for fault in circuit.faults]) == (CircuitState.OPEN, list("45678"))


def test_an_unpaid_account_is_no_fault_of_the_channel_and_no_proof_of_health() -> None:
    unpaid_account = AccountUnpaid("131042")
    assert note(ChannelHealth(), *[FAULT] * 4, *[unpaid_account] * 5, FAULT)[-1] == 5
