"""Ten concurrent workers with a provider outage, a provider that throttles, and a balance that runs out."""

from bisect import bisect_left
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest

from chalicelib.core.billing.top_up import top_up
from chalicelib.core.campaigns.campaign_state import campaign_state
from chalicelib.core.flows.control_flow import FlowChange, change_flow
from chalicelib.core.flows.progress import counters_of
from chalicelib.core.launching.launch_campaign import LaunchRequest, launch_campaign
from chalicelib.errors import InsufficientBalance
from chalicelib.model.balance import LedgerEntryKind, TopUp
from chalicelib.model.campaign import Campaign, CampaignState
from chalicelib.model.execution import Execution
from chalicelib.model.flow import Flow, FlowStatus
from chalicelib.model.ids import FlowUid
from chalicelib.model.message import (
    Accepted,
    OutgoingMessage,
    PermanentFailure,
    SendResult,
    Throttled,
    TransientFailure,
)
from tests.builders import end, send
from tests.faults.concurrent_workers import Deployment, concurrent_workers
from tests.faults.sample_data import CHANNEL, HERE, build_campaign, store_sample_data
from tests.memory.clock import START

WORKERS = 10
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


def _launch(deployment: Deployment, contacts: int, channel: dict[str, Any], **configuration: Any) -> str:
    """Store the contacts and launch a flow of one message. Return its uid."""
    ports = deployment.uncounted_ports()
    store_sample_data(ports, contacts, channel)
    ports.catalog.add(HERE, build_campaign("message", (send("a"), end()), contacts, configuration))
    if "prices" in channel:
        _pay(deployment, "1.00", "one")
    flow = launch_campaign(ports, HERE, "message", LaunchRequest(channel_uid=CHANNEL)).flow
    assert flow
    return flow.uid


def _pay(deployment: Deployment, amount: str, uid: str) -> None:
    top_up(deployment.uncounted_ports(), HERE, TopUp(amount=amount), uid)


def _flow(deployment: Deployment, uid: str) -> Flow:
    return deployment.uncounted_ports().catalog.get(HERE, Flow, uid)


def _resume(deployment: Deployment, uid: str) -> None:
    change_flow(deployment.uncounted_ports(), HERE, uid, FlowChange(status=FlowStatus.RUNNING))


def _executions(deployment: Deployment, uid: str) -> list[Execution]:
    return [execution for key, execution in deployment.pool.backend.executions.stored.items() if key.flow == uid]


def _counters(deployment: Deployment, uid: str) -> Counter[str]:
    """Return the counters of the executions, after a check that the flow's statistics equal them."""
    flow = _flow(deployment, uid)
    counted = sum((counters_of(execution) for execution in _executions(deployment, uid)), Counter[str]())
    live = dict(deployment.uncounted_ports().statistics.read(HERE, FlowUid(uid), flow.stats_epoch))
    live.pop("movements", None)
    assert live == dict(counted)
    return counted


def _accepted(deployment: Deployment, refused: Counter[str]) -> Counter[str]:
    """Return how often the provider accepted a message, by contact."""
    attempts = Counter(str(sent.message.uid.contact) for sent in deployment.provider.calls)
    attempts.subtract(refused)
    return +attempts


def test_an_outage_of_the_provider_pauses_a_flow_of_5000_contacts_and_fails_no_contact(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    down, up = START + 10 * SECOND, START + 6 * MINUTE
    refused: Counter[str] = Counter()

    def is_down(now: datetime) -> bool:
        return down <= now < up

    def answer(message: OutgoingMessage) -> SendResult:
        if not is_down(deployment.pool.now):
            return Accepted(str(message.uid))
        refused[str(message.uid.contact)] += 1
        return TransientFailure("ConnectTimeoutError", unreached=True)

    def takes() -> timedelta:
        return 3 * SECOND if is_down(deployment.pool.now) else timedelta(milliseconds=50)

    with concurrent_workers(monkeypatch, answer, takes, WORKERS) as deployment:
        uid = _launch(deployment, 5_000, {}, max_retries=0, retry_delay_ms=1_000)
        deployment.pool.run_for(2 * MINUTE)
        flow, circuit = _flow(deployment, uid), deployment.uncounted_ports().circuits.get(HERE, CHANNEL)
        assert 1_000 < _counters(deployment, uid)["sent"] < 4_000
        assert circuit.since
        assert down < circuit.since < down + MINUTE
        assert (flow.status, campaign_state(flow, None)) == (FlowStatus.PAUSED, CampaignState.PAUSED_ERROR)
        assert flow.paused_by
        assert (flow.paused_by.channel_uid, flow.paused_by.cause) == (CHANNEL, "ConnectTimeoutError")
        assert _counters(deployment, uid)["failed"] == 0
        calls = len(deployment.provider.calls)
        deployment.pool.run_for(5 * MINUTE)
        assert len(deployment.provider.calls) == calls
        _resume(deployment, uid)
        deployment.pool.run_for(2 * MINUTE)
        assert _flow(deployment, uid).status is FlowStatus.COMPLETED
        assert _counters(deployment, uid)["sent"] == 5_000
        accepted = _accepted(deployment, refused)
        assert (len(accepted), set(accepted.values())) == (5_000, {1})


class _Throttling:
    """A provider that accepts `most` messages in any second, and throttles the others."""

    def __init__(self, most: int) -> None:
        self.most, self.refused = most, 0
        self.deployment: Deployment | None = None

    def answer(self, message: OutgoingMessage) -> SendResult:
        """Accept or throttle a message by the time at which its call arrived."""
        assert self.deployment
        calls = self.deployment.provider.calls
        at = next(each.at for each in reversed(calls) if each.message is message)
        if sum(at - SECOND < each.at <= at for each in calls[-100:]) <= self.most:
            return Accepted(str(message.uid))
        self.refused += 1
        return Throttled()

    def busiest(self) -> int:
        """Return the largest number of calls in any second."""
        assert self.deployment
        moments = sorted(sent.at for sent in self.deployment.provider.calls)
        return max(bisect_left(moments, at + SECOND) - index for index, at in enumerate(moments))


def _send_600(monkeypatch: pytest.MonkeyPatch, milliseconds: int) -> tuple[_Throttling, timedelta]:
    """Send 600 messages through a channel with 14 messages/s and ten workers. Return the provider and the duration.

    Every contact gets exactly one message.
    """
    throttling = _Throttling(14)
    with concurrent_workers(
        monkeypatch, throttling.answer, lambda: timedelta(milliseconds=milliseconds), WORKERS
    ) as deployment:
        throttling.deployment = deployment
        uid = _launch(deployment, 600, {"rate_per_second": 14}, max_retries=0)
        deployment.pool.run_for(2 * MINUTE)
        assert _flow(deployment, uid).status is FlowStatus.COMPLETED
        counters = _counters(deployment, uid)
        assert (counters["sent"], counters["failed"], counters["retried"]) == (600, 0, 0)
        assert len(deployment.provider.calls) == 600 + throttling.refused
        return throttling, deployment.provider.calls[-1].at - deployment.provider.calls[0].at


def test_ten_workers_together_send_no_more_than_14_messages_a_second(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    throttling, took = _send_600(monkeypatch, milliseconds=20)
    assert (throttling.busiest(), throttling.refused) == (14, 0)
    assert took < SECOND * 600 / 14 * 1.1


def test_a_provider_that_is_slower_than_its_rate_throttles_some_messages_and_fails_no_contact(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A worker sends four messages a second, so the rest of its batch can be late. A throttled message is retried."""
    throttling, _ = _send_600(monkeypatch, milliseconds=250)
    assert throttling.busiest() <= 14 + 10


def test_a_balance_for_100_messages_sends_100_of_250_and_a_resume_after_a_top_up_sends_the_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A message costs one cent. A rejected message is refunded, so its price pays for another one."""

    def answer(message: OutgoingMessage) -> SendResult:
        number = int(message.uid.contact[1:])
        return PermanentFailure("rejected") if number % 10 == 0 else Accepted(str(message.uid))

    def takes() -> timedelta:
        return timedelta(milliseconds=50)

    with concurrent_workers(monkeypatch, answer, takes, WORKERS) as deployment:
        uid = _launch(deployment, 250, {"prices": {"MESSAGE": "0.01"}}, max_retries=0)
        deployment.pool.run_for(3 * MINUTE)
        flow, counters = _flow(deployment, uid), _counters(deployment, uid)
        assert (counters["sent"], counters["spent"]) == (100, 1_000_000)
        assert (flow.status, campaign_state(flow, None)) == (FlowStatus.PAUSED, CampaignState.PAUSED_BALANCE)
        with pytest.raises(InsufficientBalance):
            _resume(deployment, uid)
        _pay(deployment, "2.00", "two")
        calls = len(deployment.provider.calls)
        deployment.pool.run_for(5 * MINUTE)
        assert (len(deployment.provider.calls), _flow(deployment, uid).status) == (calls, FlowStatus.PAUSED)
        _resume(deployment, uid)
        deployment.pool.run_for(3 * MINUTE)
        assert _flow(deployment, uid).status is FlowStatus.PARTIAL_COMPLETED
        counters = _counters(deployment, uid)
        assert (counters["sent"], counters["failed"], counters["spent"]) == (225, 25, 2_250_000)
        assert set(deployment.provider.times_called().values()) == {1}
        balance = deployment.uncounted_ports().balances.find(HERE)
        assert balance
        assert (balance.available, balance.reserved) == (750_000, 0)
        ledger = deployment.uncounted_ports().balances.list_entries(HERE, 100, None).items
        assert sum(entry.units for entry in ledger if entry.kind is LedgerEntryKind.SPENT) == -2_250_000


def test_a_launch_publishes_version_1_of_the_campaign(monkeypatch: pytest.MonkeyPatch) -> None:
    with concurrent_workers(
        monkeypatch, lambda message: Accepted(str(message.uid)), lambda: SECOND / 100, 1
    ) as deployment:
        uid = _launch(deployment, 3, {})
        deployment.pool.run_for(MINUTE)
        assert deployment.uncounted_ports().catalog.get(HERE, Campaign, "message").latest_version == 1
        assert _flow(deployment, uid).status is FlowStatus.COMPLETED
