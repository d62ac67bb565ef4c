"""Ten workers at once: a provider that goes down under 5,000 contacts, one that throttles, a balance that runs out."""

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
from tests.faults.concurrent_workers import Site, at_work
from tests.faults.sample_data import CHANNEL, HERE, build_campaign, furnish
from tests.memory.clock import START

WORKERS = 10
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


def _launch(site: Site, contacts: int, channel: dict[str, Any], **configuration: Any) -> str:
    """A flow of one message; its contacts are there, and as many as it takes are at work on it."""
    ports = site.look()
    furnish(ports, contacts, channel)
    ports.catalog.add(HERE, build_campaign("mail", (send("a"), end()), contacts, configuration))
    if "prices" in channel:
        _pay(site, "1.00", "one")
    flow = launch_campaign(ports, HERE, "mail", LaunchRequest(channel_uid=CHANNEL)).flow
    assert flow
    return flow.uid


def _pay(site: Site, amount: str, uid: str) -> None:
    top_up(site.look(), HERE, TopUp(amount=amount), uid)


def _flow(site: Site, uid: str) -> Flow:
    return site.look().catalog.get(HERE, Flow, uid)


def _resume(site: Site, uid: str) -> None:
    change_flow(site.look(), HERE, uid, FlowChange(status=FlowStatus.RUNNING))


def _rows(site: Site, uid: str) -> list[Execution]:
    return [row for key, row in site.crew.backend.executions.rows.items() if key.flow == uid]


def _counters(site: Site, uid: str) -> Counter[str]:
    """As the rows say, and, checked here, as the statistics of the flow do."""
    flow = _flow(site, uid)
    counted = sum((counters_of(row) for row in _rows(site, uid)), Counter[str]())
    live = dict(site.look().statistics.read(HERE, FlowUid(uid), flow.stats_epoch))
    live.pop("movements", None)
    assert live == dict(counted)
    return counted


def _accepted(site: Site, refused: Counter[str]) -> Counter[str]:
    """By contact, how often the provider took a message."""
    tries = Counter(str(sent.letter.uid.contact) for sent in site.provider.calls)
    tries.subtract(refused)
    return +tries


def test_a_provider_that_goes_down_under_5000_contacts_stops_the_flow_and_fails_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    down, up = START + 10 * SECOND, START + 6 * MINUTE
    refused: Counter[str] = Counter()

    def is_down(now: datetime) -> bool:
        return down <= now < up

    def answer(letter: OutgoingMessage) -> SendResult:
        if not is_down(site.crew.now):
            return Accepted(str(letter.uid))
        refused[str(letter.uid.contact)] += 1
        return TransientFailure("ConnectTimeoutError", unreached=True)

    def takes() -> timedelta:
        return 3 * SECOND if is_down(site.crew.now) else timedelta(milliseconds=50)

    with at_work(monkeypatch, answer, takes, WORKERS) as site:
        uid = _launch(site, 5_000, {}, max_retries=0, retry_delay_ms=1_000)
        site.crew.spend(2 * MINUTE)
        flow, circuit = _flow(site, uid), site.look().circuits.get(HERE, CHANNEL)
        assert 1_000 < _counters(site, uid)["sent"] < 4_000
        assert circuit.since
        assert down < circuit.since < down + MINUTE
        assert (flow.status, campaign_state(flow, None)) == (FlowStatus.PAUSED, CampaignState.PAUSED_ERROR)
        assert flow.paused_by
        assert (flow.paused_by.channel_uid, flow.paused_by.cause) == (CHANNEL, "ConnectTimeoutError")
        assert _counters(site, uid)["failed"] == 0
        calls = len(site.provider.calls)
        site.crew.spend(5 * MINUTE)
        assert len(site.provider.calls) == calls
        _resume(site, uid)
        site.crew.spend(2 * MINUTE)
        assert _flow(site, uid).status is FlowStatus.COMPLETED
        assert _counters(site, uid)["sent"] == 5_000
        accepted = _accepted(site, refused)
        assert (len(accepted), set(accepted.values())) == (5_000, {1})


class _Throttling:
    """A provider that takes so many in any second, and refuses those above."""

    def __init__(self, most: int) -> None:
        self.most, self.refused = most, 0
        self.site: Site | None = None

    def answer(self, letter: OutgoingMessage) -> SendResult:
        """By when each call reached it."""
        assert self.site
        calls = self.site.provider.calls
        at = next(each.at for each in reversed(calls) if each.letter is letter)
        if sum(at - SECOND < each.at <= at for each in calls[-100:]) <= self.most:
            return Accepted(str(letter.uid))
        self.refused += 1
        return Throttled()

    def busiest(self) -> int:
        """The most calls in any second."""
        assert self.site
        moments = sorted(sent.at for sent in self.site.provider.calls)
        return max(bisect_left(moments, at + SECOND) - index for index, at in enumerate(moments))


def _send_600(monkeypatch: pytest.MonkeyPatch, milliseconds: int) -> tuple[_Throttling, timedelta]:
    """By a channel of 14 a second, over ten workers; nobody fails, and nobody gets two. How long it took."""
    throttling = _Throttling(14)
    with at_work(monkeypatch, throttling.answer, lambda: timedelta(milliseconds=milliseconds), WORKERS) as site:
        throttling.site = site
        uid = _launch(site, 600, {"rate_per_second": 14}, max_retries=0)
        site.crew.spend(2 * MINUTE)
        assert _flow(site, uid).status is FlowStatus.COMPLETED
        counters = _counters(site, uid)
        assert (counters["sent"], counters["failed"], counters["retried"]) == (600, 0, 0)
        assert len(site.provider.calls) == 600 + throttling.refused
        return throttling, site.provider.calls[-1].at - site.provider.calls[0].at


def test_a_provider_that_throttles_at_14_a_second_gets_no_more_from_ten_workers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    throttling, took = _send_600(monkeypatch, milliseconds=20)
    assert (throttling.busiest(), throttling.refused) == (14, 0)
    assert took < SECOND * 600 / 14 * 1.1


def test_a_provider_that_is_slower_than_its_rate_throttles_some_and_fails_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A worker serves four a second and may be late by what is left of its batch; a throttle is waited for."""
    throttling, _ = _send_600(monkeypatch, milliseconds=250)
    assert throttling.busiest() <= 14 + 10


def test_a_balance_of_100_messages_sends_100_of_250_and_only_a_resume_sends_the_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A message costs a cent; what is refused is refunded, so others are sent for it."""

    def answer(letter: OutgoingMessage) -> SendResult:
        number = int(letter.uid.contact[1:])
        return PermanentFailure("rejected") if number % 10 == 0 else Accepted(str(letter.uid))

    def takes() -> timedelta:
        return timedelta(milliseconds=50)

    with at_work(monkeypatch, answer, takes, WORKERS) as site:
        uid = _launch(site, 250, {"prices": {"MESSAGE": "0.01"}}, max_retries=0)
        site.crew.spend(3 * MINUTE)
        flow, counters = _flow(site, uid), _counters(site, uid)
        assert (counters["sent"], counters["spent"]) == (100, 1_000_000)
        assert (flow.status, campaign_state(flow, None)) == (FlowStatus.PAUSED, CampaignState.PAUSED_BALANCE)
        with pytest.raises(InsufficientBalance):
            _resume(site, uid)
        _pay(site, "2.00", "two")
        calls = len(site.provider.calls)
        site.crew.spend(5 * MINUTE)
        assert (len(site.provider.calls), _flow(site, uid).status) == (calls, FlowStatus.PAUSED)
        _resume(site, uid)
        site.crew.spend(3 * MINUTE)
        assert _flow(site, uid).status is FlowStatus.PARTIAL_COMPLETED
        counters = _counters(site, uid)
        assert (counters["sent"], counters["failed"], counters["spent"]) == (225, 25, 2_250_000)
        assert set(site.provider.times_called().values()) == {1}
        balance = site.look().balances.find(HERE)
        assert balance
        assert (balance.free, balance.reserved) == (750_000, 0)
        ledger = site.look().balances.list_entries(HERE, 100, None).items
        assert sum(entry.units for entry in ledger if entry.kind is LedgerEntryKind.SPENT) == -2_250_000


def test_the_campaign_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    with at_work(monkeypatch, lambda letter: Accepted(str(letter.uid)), lambda: SECOND / 100, 1) as site:
        uid = _launch(site, 3, {})
        site.crew.spend(MINUTE)
        assert site.look().catalog.get(HERE, Campaign, "mail").latest_version == 1
        assert _flow(site, uid).status is FlowStatus.COMPLETED
