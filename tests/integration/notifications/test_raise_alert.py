"""Test the alerts about an open circuit and a low balance: each is raised once."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.errors import RetryLater
from chalicelib.model.message import ChannelFailure
from chalicelib.wiring import use_ports
from tests.integration.harness import Story, story
from tests.integration.notifications.webhook_helpers import Receiver, later, make, receiver

__all__ = ["receiver", "story"]


def _data_of(receiver: Receiver, name: str) -> list[Any]:
    return [event["data"] for event in receiver.events if event["type"] == name]


def _metric(capsys: pytest.CaptureFixture[str], name: str) -> int:
    """Return the sum of a metric over all log lines of CloudWatch's embedded metric format."""
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if f'"{name}"' in line]
    return int(sum(value[0] if isinstance(value := line[name], list) else value for line in lines))


def _prepay(story: Story, amount: str, contacts: int) -> None:
    story.set_up(contacts=contacts)
    body = {"name": "Console", "type": "console", "prices": {"MESSAGE": "0.01"}}
    story.expect(200, story.api.put(f"/v1/channels/{story.channel}", body))
    story.expect(201, story.api.post("/v1/balance/topup", {"amount": amount}))
    story.expect(200, story.api.put("/v1/balance/alerts", {"lowBalance": "0.70"}))


def test_an_open_circuit_raises_one_alert_for_all_flows_and_counts_in_the_metric(
    story: Story, receiver: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    make(story, "channel.circuit_opened")
    story.set_up(contacts=10)
    story.provider.answer = lambda _: ChannelFailure("account_suspended")
    flows = [story.start(story.short_campaign(), configuration={"retryDelayMs": 1000}) for _ in range(3)]
    story.advance(timedelta(seconds=30))
    assert {story.flow(flow)["status"] for flow in flows} == {"paused"}
    (data,) = _data_of(receiver, "channel.circuit_opened")
    assert (data["channelUid"], data["cause"]) == (story.channel, "account_suspended")
    assert _metric(capsys, "ChannelPauses") == 3
    story.advance(timedelta(seconds=60))
    story.set_status(flows[0], "running")
    story.advance(timedelta(seconds=10))
    assert len(receiver.names) == 1
    story.expect(200, story.api.post(f"/v1/channels/{story.channel}/circuit/close"))
    story.set_status(flows[0], "running")
    story.advance(timedelta(seconds=30))
    assert len(receiver.names) == 2


def test_a_low_balance_raises_one_alert_until_the_next_top_up(
    story: Story, receiver: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    make(story, "balance.low")
    _prepay(story, "1.00", contacts=100)
    flow = story.start(story.short_campaign(), story.contacts[:20])
    story.advance(timedelta(seconds=20))
    assert story.flow(flow)["status"] == "completed"
    (data,) = _data_of(receiver, "balance.low")
    assert (data["lowBalance"], data["free"]) == ("0.70", "0.00")
    assert _metric(capsys, "LowBalances") == 1
    story.start(story.short_campaign(), story.contacts[20:40])
    story.advance(timedelta(seconds=20))
    assert len(receiver.names) == 1
    story.expect(201, story.api.post("/v1/balance/topup", {"amount": "1.00"}))
    story.start(story.short_campaign(), story.contacts[40:])
    story.advance(timedelta(seconds=20))
    assert len(receiver.names) == 2


def test_a_threshold_above_the_balance_raises_the_alert_immediately(story: Story, receiver: Receiver) -> None:
    make(story, "balance.low")
    story.expect(201, story.api.post("/v1/balance/topup", {"amount": "1.00"}))
    for _ in range(2):
        story.expect(200, story.api.put("/v1/balance/alerts", {"lowBalance": "5"}))
    story.run()
    assert receiver.names == ["balance.low"] * 2


def test_an_alert_is_sent_once_even_if_its_mark_is_lost(story: Story, receiver: Receiver) -> None:
    make(story, "balance.low")
    _prepay(story, "1.00", contacts=40)
    ports = story.world.ports

    class UnavailableBalances:
        """Balances that cannot be marked."""

        def __getattr__(self, name: str) -> Any:
            return getattr(ports.balances, name)

        def mark_low(self, *_: Any) -> bool:
            raise RetryLater("DynamoDB is away")

    flow = story.start(story.short_campaign())
    use_ports(replace(ports, balances=UnavailableBalances()))  # type: ignore[arg-type]  # it replaces one method
    story.advance(timedelta(seconds=5))
    use_ports(ports)
    later(story, timedelta(minutes=10))
    assert story.flow(flow)["status"] == "completed"
    assert receiver.names == ["balance.low"]
