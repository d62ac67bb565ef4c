"""Test charging in a prepaid workspace: limits of the balance, crashes, and pauses."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.model.message import (
    Accepted,
    AccountUnpaid,
    OutcomeUnknown,
    OutgoingMessage,
    PermanentFailure,
)
from chalicelib.wiring import use_ports
from tests.integration.billing.billing_helpers import (
    PRICE,
    KillingPort,
    WorkerKilled,
    balance_of,
    check_ledger,
    prepay,
    top_up,
)
from tests.integration.harness import Story, story

__all__ = ["story"]


def _state(story: Story, flow: str) -> str:
    campaign = story.flow(flow)["campaignUid"]
    return str(story.expect(200, story.api.get(f"/v1/campaigns/{campaign}/status"))["state"])


def test_a_flow_pauses_at_an_empty_balance_and_a_top_up_does_not_resume_it(story: Story) -> None:
    prepay(story, "1.00", contacts=150)
    flow = story.start(story.short_campaign())
    story.advance(timedelta(seconds=20))
    shown = story.flow(flow)
    assert (shown["status"], shown["metadata"]["pauseReason"]) == ("paused", "balance")
    assert (shown["stats"]["sent"], shown["stats"]["pending"], shown["stats"]["spent"]) == (100, 50, "1.00")
    assert _state(story, flow) == "PAUSED_BALANCE"
    top_up(story, "2.00")
    story.advance(timedelta(seconds=20))
    assert len(story.provider.calls) == 100
    story.set_status(flow, "running")
    story.advance(timedelta(minutes=2))
    assert (story.flow(flow)["status"], story.flow(flow)["stats"]["sent"]) == ("completed", 150)
    assert set(story.provider.times_called().values()) == {1}
    assert balance_of(story) == ("1.50", "0.00")
    check_ledger(story, 3_000_000)
    ledger = story.api.get("/v1/balance/transactions").data
    assert sorted((entry["type"], entry["amount"]) for entry in ledger) == [
        ("spent", "-1.50"), ("topup", "1.00"), ("topup", "2.00"),
    ]  # fmt: skip


def test_refused_messages_cost_nothing(story: Story) -> None:
    prepay(story, "0.20", contacts=40)
    refused = {f"c{number}@example.com" for number in range(0, 40, 4)}
    story.provider.answer = lambda message: (
        PermanentFailure("x") if message.to in refused else Accepted(str(message.uid))
    )
    flow = story.start(story.short_campaign())
    story.advance(timedelta(seconds=20))
    stats = story.flow(flow)["stats"]
    assert (stats["sent"], stats["spent"]) == (20, "0.20")
    check_ledger(story, 200_000)


def test_a_message_with_a_lost_response_is_charged(story: Story) -> None:
    prepay(story, "1.00", contacts=3)
    story.provider.answer = lambda _: OutcomeUnknown("read_timeout")
    flow = story.start(story.short_campaign())
    story.advance(timedelta(minutes=2))
    assert story.flow(flow)["stats"]["spent"] == "0.03"
    assert balance_of(story) == ("0.97", "0.00")


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(
    ("port", "method"),
    [
        ("budgets", "reserve"), ("budgets", "charge"), ("budgets", "refund"), ("budgets", "reconcile"),
        ("executions", "save_many"), ("statistics", "register_batch"), ("statistics", "record_batch"),
    ],
)  # fmt: skip
def test_after_a_crash_the_ledger_equals_the_sent_messages(story: Story, port: str, method: str, after: bool) -> None:
    prepay(story, "1.00", contacts=12)
    story.provider.answer = lambda message: (
        PermanentFailure("x") if message.to == "c1@example.com" else Accepted(str(message.uid))
    )
    flow = story.start(story.short_campaign())
    ports = story.world.ports
    killing = KillingPort(getattr(ports, port), method, after)
    use_ports(replace(ports, **{port: killing}))
    for _ in range(120):
        try:
            story.advance(timedelta(seconds=5), timedelta(seconds=5))
        except WorkerKilled:
            story.time_travel.shift(timedelta(minutes=4))
    assert killing.died
    use_ports(ports)
    story.advance(timedelta(hours=2), timedelta(minutes=1))
    shown = story.flow(flow)
    assert shown["status"] == "partial_completed"
    spent = (shown["stats"]["sent"] + shown["stats"]["unknown"]) * PRICE
    balance = ports.balances.find(story.api.workspace)
    assert balance
    assert (balance.available, balance.reserved) == (1_000_000 - spent, 0)
    check_ledger(story, 1_000_000)


def test_messages_that_a_crashed_worker_may_have_sent_are_charged(story: Story) -> None:
    prepay(story, "1.00", contacts=3)

    def kill(_: OutgoingMessage) -> None:
        story.provider.during = lambda _: None
        raise WorkerKilled

    story.provider.during = kill
    flow = story.start(story.short_campaign())
    with pytest.raises(WorkerKilled):
        story.advance(timedelta(seconds=10))
    story.time_travel.shift(timedelta(minutes=4))
    story.advance(timedelta(hours=1), timedelta(minutes=1))
    assert story.flow(flow)["stats"]["unknown"] == 3
    assert balance_of(story) == ("0.97", "0.00")
    check_ledger(story, 1_000_000)


def test_two_flows_share_a_balance_and_neither_overdraws_it(story: Story) -> None:
    prepay(story, "0.30", contacts=20)
    flows = [story.start(story.short_campaign()) for _ in range(2)]
    story.advance(timedelta(seconds=30))
    assert sum(story.flow(flow)["stats"]["sent"] for flow in flows) <= 30
    check_ledger(story, 300_000)
    for flow in flows:
        if story.flow(flow)["status"] == "paused":
            story.set_status(flow, "cancelled")
    story.advance(timedelta(minutes=3))
    sent = sum(story.flow(flow)["stats"]["sent"] for flow in flows)
    assert balance_of(story) == (f"{0.30 - sent / 100:.2f}", "0.00")


def test_an_empty_balance_refuses_launch_trigger_start_and_resume(story: Story) -> None:
    prepay(story, "0.05", contacts=10)
    campaign = story.short_campaign(audience={"contactUids": story.contacts})
    flow = story.start(campaign)
    story.advance(timedelta(seconds=10))
    assert story.flow(flow)["status"] == "paused"
    other = story.short_campaign(audience={"contactUids": story.contacts})
    new = {"channelUid": story.channel, "campaignUid": other, "contactUids": story.contacts}
    for reply in (
        story.api.post(f"/v1/campaigns/{other}/launch"),
        story.api.post(f"/v1/campaigns/{other}/trigger"),
        story.api.post("/flows", new),
        story.api.patch(f"/flows/{flow}", {"status": "running"}),
        story.api.post(f"/v1/campaigns/{campaign}/resume"),
    ):
        assert (reply.status, reply.json.get("error")) == (402, "insufficient_balance"), reply.text
        assert (reply.json["balance"], reply.json["requiredAmount"]) == ("0.00", "0.01")
    assert story.flow(flow)["status"] == "paused"


def test_the_balance_reloads_in_time_but_at_most_three_times_a_day(story: Story) -> None:
    reload = {"enabled": True, "threshold": "0.05", "amount": "0.10"}
    prepay(story, "0.10", contacts=60)
    story.expect(200, story.api.put("/v1/balance/auto-reload", reload))
    flow = story.start(story.short_campaign())
    story.advance(timedelta(seconds=20))
    assert (story.flow(flow)["status"], story.flow(flow)["stats"]["sent"]) == ("paused", 40)
    assert [entry["type"] for entry in story.api.get("/v1/balance/transactions").data].count("reload") == 3
    check_ledger(story, 400_000)


def test_an_unpaid_provider_account_pauses_the_flow_but_opens_no_circuit(story: Story) -> None:
    story.set_up(contacts=8)
    story.provider.answer = lambda _: AccountUnpaid("131042")
    flow = story.start(story.short_campaign(), configuration={"maxRetries": 0})
    story.advance(timedelta(seconds=10))
    assert len(story.provider.calls) == 1
    assert (story.flow(flow)["metadata"]["pauseReason"], _state(story, flow)) == ("balance: 131042", "PAUSED_BALANCE")
    story.provider.answer = lambda message: Accepted(str(message.uid))
    story.set_status(flow, "running")
    story.advance(timedelta(seconds=10))
    assert (story.flow(flow)["status"], story.flow(flow)["stats"]["failed"]) == ("completed", 0)


def test_a_flow_can_be_deleted_after_its_spending_is_reconciled(story: Story) -> None:
    prepay(story, "1.00", contacts=30)
    flow = story.start(story.short_campaign(), configuration={"pauseBetweenContactsMs": 1000})
    story.advance(timedelta(seconds=5))
    story.set_status(flow, "paused")
    sent = len(story.provider.calls)
    assert 0 < sent < 30
    assert story.api.delete(f"/flows/{flow}").status == 503
    story.advance(timedelta(minutes=2))
    assert story.api.delete(f"/flows/{flow}").status == 200
    assert balance_of(story) == (f"{1 - sent / 100:.2f}", "0.00")
