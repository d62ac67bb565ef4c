"""Test that an alert is stored once per outage and once per low balance."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.core.notifications.raise_alert import raise_circuit_alert, raise_low_balance_alert
from chalicelib.model.alert import CIRCUIT_OPENED, LOW_BALANCE, Alert
from chalicelib.model.balance import Alerts, Balance, BillingSettings
from chalicelib.model.circuit import Circuit, CircuitState
from chalicelib.model.ids import WorkspaceUid
from chalicelib.ports import Ports
from tests.builders import NOW, build_channel
from tests.memory.balances import MemoryBalances
from tests.memory.ports import memory_ports

WORKSPACE = WorkspaceUid("ws")
OPEN = Circuit(state=CircuitState.OPEN, since=NOW, cause="account_suspended", retry_at=NOW + timedelta(minutes=1))
SETTINGS = BillingSettings(alerts=Alerts(low_balance="5"))
FIVE, SIX = 5_000_000, 6_000_000


def _alerts(ports: Ports) -> list[Alert]:
    return list(ports.catalog.page(WORKSPACE, Alert, {}, 100, None).items)


def test_an_outage_raises_one_alert_that_names_channel_and_cause() -> None:
    ports = memory_ports()
    for _ in range(3):
        raise_circuit_alert(ports, WORKSPACE, build_channel(), OPEN)
    (alert,) = _alerts(ports)
    assert alert.name == CIRCUIT_OPENED
    assert (alert.data["channelUid"], alert.data["cause"]) == ("mail", "account_suspended")


def test_a_failed_probe_raises_no_second_alert_but_the_next_outage_does() -> None:
    ports = memory_ports()
    raise_circuit_alert(ports, WORKSPACE, build_channel(), OPEN)
    later = NOW + timedelta(minutes=5)
    raise_circuit_alert(ports, WORKSPACE, build_channel(), replace(OPEN, retry_at=later))
    assert len(_alerts(ports)) == 1
    raise_circuit_alert(ports, WORKSPACE, build_channel(), replace(OPEN, since=later))
    assert len(_alerts(ports)) == 2


def test_channels_that_fail_at_the_same_time_raise_an_alert_each() -> None:
    ports = memory_ports()
    for uid in ("mail", "sms"):
        raise_circuit_alert(ports, WORKSPACE, build_channel(uid=uid), OPEN)
    assert sorted(str(alert.data["channelUid"]) for alert in _alerts(ports)) == ["mail", "sms"]


def test_a_closed_circuit_raises_none() -> None:
    ports = memory_ports()
    raise_circuit_alert(ports, WORKSPACE, build_channel(), Circuit())
    assert _alerts(ports) == []


@pytest.mark.parametrize(
    ("balance", "is_raised"),
    [
        (Balance(available=SIX, settings=SETTINGS), False),
        (Balance(available=0, reserved=SIX, settings=SETTINGS), True),
        (Balance(available=FIVE - 1, settings=SETTINGS), True),
        (Balance(available=0), False),
        (Balance(available=0, settings=SETTINGS, low_reported=True), False),
    ],
)
def test_a_balance_below_its_threshold_raises_an_alert(balance: Balance, is_raised: bool) -> None:
    balances = MemoryBalances()
    balances.balances[WORKSPACE] = balance
    ports = memory_ports(balances=balances)
    assert raise_low_balance_alert(ports, WORKSPACE, balance) is is_raised
    assert [alert.name for alert in _alerts(ports)] == ([LOW_BALANCE] if is_raised else [])


def test_two_workers_with_the_same_balance_raise_one_alert() -> None:
    balances = MemoryBalances()
    balances.balances[WORKSPACE] = balance = Balance(available=1, settings=SETTINGS)
    ports = memory_ports(balances=balances)
    assert [raise_low_balance_alert(ports, WORKSPACE, balance) for _ in range(2)] == [True, False]
    assert len(_alerts(ports)) == 1
