"""Raise an alert once when a channel's circuit opens, and once when the balance is low."""

from collections.abc import Mapping
from contextlib import suppress

from pydantic import JsonValue

from chalicelib.errors import Conflict
from chalicelib.model.alert import CIRCUIT_OPENED, LOW_BALANCE, Alert
from chalicelib.model.balance import Balance
from chalicelib.model.base import rfc3339
from chalicelib.model.channel import Channel
from chalicelib.model.circuit import Circuit
from chalicelib.model.ids import WorkspaceUid
from chalicelib.model.money import write_money
from chalicelib.ports import Ports


def raise_circuit_alert(ports: Ports, workspace: WorkspaceUid, channel: Channel, circuit: Circuit) -> None:
    """Raise one alert for each time that the circuit opens. A failed probe does not raise another one."""
    if circuit.since is None:
        return
    data: dict[str, JsonValue] = {
        "channelUid": channel.uid,
        "channelType": channel.type,
        "cause": circuit.cause,
        "since": rfc3339(circuit.since),
        "retryAfter": rfc3339(circuit.retry_at) if circuit.retry_at else None,
    }
    milliseconds = int(circuit.since.timestamp() * 1000)
    _store_alert(ports, workspace, f"circuit-{channel.uid}-{milliseconds}", CIRCUIT_OPENED, data)


def raise_low_balance_alert(ports: Ports, workspace: WorkspaceUid, balance: Balance) -> bool:
    """Raise one alert until the balance is topped up or the threshold changes. Returns whether it was raised now.

    The alert is stored before the balance is marked. After a crash in between, the retry stores the same uid, so no
    second alert is sent.
    """
    if not balance.is_low or balance.low_reported:
        return False
    data: dict[str, JsonValue] = {
        "free": write_money(balance.available),
        "reserved": write_money(balance.reserved),
        "lowBalance": balance.settings.alerts.low_balance,
        "autoReload": balance.settings.auto_reload.enabled,
    }
    _store_alert(ports, workspace, f"balance-low-{balance.low_count}", LOW_BALANCE, data)
    return ports.balances.mark_low(workspace, balance.low_count)


def _store_alert(ports: Ports, workspace: WorkspaceUid, uid: str, name: str, data: Mapping[str, JsonValue]) -> None:
    now = ports.clock.now()
    with suppress(Conflict):
        ports.catalog.add(workspace, Alert(uid=uid, name=name, data=data, created_at=now, updated_at=now))
