"""Test the cost of messages with a lost response, on a prepaid channel that sends them again."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.model.execution import DeliveryReceipt, Engagement, Execution, ExecutionKey
from chalicelib.model.ids import ContactUid, FlowUid, NodeId
from chalicelib.model.message import (
    Accepted,
    OutcomeUnknown,
    OutgoingMessage,
    PermanentFailure,
    SendResult,
    TransientFailure,
)
from chalicelib.ports import ExpectUnclaimed, Save
from chalicelib.wiring import use_ports
from tests.integration.billing.billing_helpers import KillingPort, WorkerKilled, balance_of, check_ledger, top_up
from tests.integration.consent_helpers import swap_ports
from tests.integration.harness import PatchedPort, Story, story

__all__ = ["story"]

LOST, ACCEPTED = OutcomeUnknown("read_timeout"), Accepted("id")
FIRST = timedelta(seconds=2)


def prepay(story: Story, amount: str, contacts: int = 1) -> None:
    story.set_up(contacts=contacts)
    _charge(story, "0.01")
    top_up(story, amount)


def _charge(story: Story, price: str) -> None:
    body = {"name": "Console", "type": "console", "lostAnswer": "resend", "prices": {"MESSAGE": price}}
    story.expect(200, story.api.put(f"/v1/channels/{story.channel}", body))


def _answer(story: Story, *results: SendResult) -> None:
    """Script the results of the attempts of each message. The last result repeats."""

    def answer(message: OutgoingMessage) -> SendResult:
        tried = story.provider.times_called()[str(message.uid)]
        return results[min(tried, len(results)) - 1]

    story.provider.answer = answer


def _lose_one(story: Story, amount: str = "1.00", then: SendResult = ACCEPTED) -> str:
    """Start a flow of one message, and lose the response of its first attempt."""
    prepay(story, amount)
    _answer(story, LOST, then)
    flow = story.start(story.campaign(story.send("one")), configuration={"retryDelayMs": 5_000})
    story.advance(FIRST)
    assert len(story.provider.calls) == 1
    return flow


def _finish(story: Story, flow: str) -> Any:
    story.advance(timedelta(minutes=20), step=timedelta(seconds=5))
    shown = story.flow(flow)
    check_ledger(story, sum(_top_ups(story)))
    return shown["stats"]


def _top_ups(story: Story) -> list[int]:
    ledger = story.world.ports.balances.list_entries(story.api.workspace, 100, None).items
    return [entry.units for entry in ledger if entry.kind == "topup"]


def _key(story: Story, flow: str) -> ExecutionKey:
    return ExecutionKey(story.api.workspace, FlowUid(flow), ContactUid(story.contacts[0]))


def _report(story: Story, flow: str, engagement: Engagement = Engagement.DELIVERED) -> None:
    """Store a delivery report for the message before its next attempt."""
    receipt = DeliveryReceipt(engagement, story.now)
    assert story.world.ports.executions.put_receipt(_key(story, flow), 1, NodeId("one"), receipt)


def _recount(story: Story, flow: str) -> None:
    story.expect(200, story.api.post(f"/v1/flows/{flow}/recount"))


@pytest.mark.parametrize("recounted", [False, True])
@pytest.mark.parametrize("engagement", [Engagement.DELIVERED, Engagement.BOUNCED])
def test_a_message_known_only_by_its_receipt_is_charged(story: Story, engagement: Engagement, recounted: bool) -> None:
    flow = _lose_one(story)
    if recounted:
        _recount(story, flow)
    _report(story, flow, engagement)
    stats = _finish(story, flow)
    assert (stats["sent"], stats["unknown"], stats["spent"], len(story.provider.calls)) == (1, 0, "0.01", 1)
    assert balance_of(story) == ("0.99", "0.00")


@pytest.mark.parametrize("recounted", [False, True])
def test_a_message_that_is_sent_again_is_charged_once(story: Story, recounted: bool) -> None:
    flow = _lose_one(story)
    assert story.flow(flow)["stats"]["spent"] == "0.01"
    if recounted:
        _recount(story, flow)
    stats = _finish(story, flow)
    assert (stats["sent"], stats["spent"], len(story.provider.calls)) == (1, "0.01", 2)
    assert balance_of(story) == ("0.99", "0.00")


def test_a_message_with_only_lost_responses_is_charged_once(story: Story) -> None:
    stats = _finish(story, _lose_one(story, then=LOST))
    assert (stats["unknown"], stats["spent"], len(story.provider.calls)) == (1, "0.01", 4)
    assert balance_of(story) == ("0.99", "0.00")


def test_the_last_cent_is_enough_to_send_it_again(story: Story) -> None:
    flow = _lose_one(story, amount="0.01")
    assert _finish(story, flow)["sent"] == 1
    assert (story.flow(flow)["status"], balance_of(story)) == ("completed", ("0.00", "0.00"))


@pytest.mark.parametrize(("price", "cost"), [("0.03", "0.03"), ("0.002", "0.01")])
def test_after_a_price_change_the_higher_price_is_charged(story: Story, price: str, cost: str) -> None:
    flow = _lose_one(story)
    _charge(story, price)
    assert _finish(story, flow)["spent"] == cost
    assert balance_of(story) == (f"{1 - float(cost):.2f}", "0.00")


@pytest.mark.parametrize("recounted", [False, True])
@pytest.mark.parametrize("then", [PermanentFailure("rejected"), TransientFailure("busy")])
def test_a_message_that_is_finally_refused_costs_nothing(story: Story, then: SendResult, recounted: bool) -> None:
    flow = _lose_one(story, then=then)
    if recounted:
        _recount(story, flow)
    stats = _finish(story, flow)
    assert (stats["sent"], stats["unknown"], stats["spent"]) == (0, 0, "0.00")
    assert balance_of(story) == ("1.00", "0.00")


def test_a_message_that_is_not_sent_again_stays_unknown_and_charged(story: Story) -> None:
    """The contact may have the message. If it were skipped, it would cost nothing and a retry would send it twice."""
    flow = _lose_one(story)
    story.expect(200, story.api.patch(f"/v1/contacts/{story.contacts[0]}", {"status": "UNSUBSCRIBED"}))
    stats = _finish(story, flow)
    assert (stats["unknown"], stats["skipped"], stats["spent"], len(story.provider.calls)) == (1, 0, "0.01", 1)
    assert balance_of(story) == ("0.99", "0.00")


@pytest.mark.parametrize("reported", [False, True])
def test_a_message_of_a_cancelled_flow_stays_unknown_and_charged(story: Story, reported: bool) -> None:
    flow = _lose_one(story)
    if reported:
        _report(story, flow)
    story.set_status(flow, "cancelled")
    stats = _finish(story, flow)
    assert (stats["sent"], stats["unknown"], stats["spent"]) == (reported, not reported, "0.01")
    assert balance_of(story) == ("0.99", "0.00")


def test_a_paused_flow_with_an_unknown_message_can_be_deleted(story: Story) -> None:
    flow = _lose_one(story)
    story.set_status(flow, "paused")
    _recount(story, flow)
    story.expect(200, story.api.delete(f"/flows/{flow}"))
    assert balance_of(story) == ("0.99", "0.00")


def test_a_retry_of_the_flow_sends_and_charges_a_second_message(story: Story) -> None:
    flow = _lose_one(story, then=LOST)
    assert _finish(story, flow)["unknown"] == 1
    story.provider.answer = lambda _: ACCEPTED
    again = story.expect(201, story.api.post(f"/v1/flows/{flow}/retry", {"of": "unknown"}))["uid"]
    assert _finish(story, again)["spent"] == "0.01"
    assert balance_of(story) == ("0.98", "0.00")


def test_a_recount_during_a_refusal_refunds_once(story: Story) -> None:
    """The first attempt has paid, so the second one charges nothing and the budget does not show it."""
    flow = _lose_one(story, then=PermanentFailure("rejected"))
    executions = story.world.ports.executions

    def page(*arguments: Any) -> Any:
        swap_ports(story, executions=executions)
        story.time_travel.shift(timedelta(seconds=10))
        story.world.deliver_all("StepQueue")
        return executions.page(*arguments)

    swap_ports(story, executions=PatchedPort(executions, page=page))
    _recount(story, flow)
    assert len(story.provider.calls) == 2
    check_ledger(story, 1_000_000)
    assert _finish(story, flow)["spent"] == "0.00"
    assert balance_of(story) == ("1.00", "0.00")


def test_an_execution_of_the_previous_version_is_charged_what_it_cost(story: Story) -> None:
    """The previous version stored no cost and refunded the charge."""
    flow = _lose_one(story)
    ports, key = story.world.ports, _key(story, flow)
    (execution,) = ports.executions.find_many([key], 1, strong=True).values()
    _store(story, replace(execution, paid=0, seq=execution.seq + 1), execution.seq)
    _recount(story, flow)
    assert balance_of(story) == ("1.00", "0.00")
    story.set_status(flow, "paused")
    story.set_status(flow, "running")
    assert _finish(story, flow)["spent"] == "0.01"
    assert balance_of(story) == ("0.99", "0.00")


def _store(story: Story, execution: Execution, seen: int) -> None:
    assert story.world.ports.executions.save_many([Save(execution, ExpectUnclaimed(seen, story.now))], 1) == (True,)


def _report_all(story: Story, flow: str) -> None:
    for contact in story.contacts:
        key = replace(_key(story, flow), contact=ContactUid(contact))
        story.world.ports.executions.put_receipt(
            key, 1, NodeId("one"), DeliveryReceipt(Engagement.DELIVERED, story.now)
        )


@pytest.mark.parametrize("reported", [False, True])
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(
    ("of", "port", "method"),
    [
        ("first", "budgets", "charge"), ("first", "executions", "save_many"), ("first", "statistics", "record_batch"),
        ("second", "executions", "save_many"), ("second", "statistics", "register_batch"),
        ("second", "statistics", "record_batch"), ("second", "budgets", "reconcile"),
    ],
)  # fmt: skip
def test_after_a_crash_every_message_is_charged_once(
    story: Story, of: str, port: str, method: str, after: bool, reported: bool
) -> None:
    """Crash in the first or in the second attempt. `reported`: delivery reports arrive before the next one."""
    prepay(story, "1.00", contacts=4)
    _answer(story, LOST, ACCEPTED)
    flow = story.start(story.campaign(story.send("one")), configuration={"retryDelayMs": 5_000})
    ports = story.world.ports
    if of == "second":
        story.advance(FIRST)
    killing = KillingPort(getattr(ports, port), method, after)
    use_ports(replace(ports, **{port: killing}))
    for _ in range(60):
        try:
            story.advance(timedelta(seconds=3), timedelta(seconds=3))
        except WorkerKilled:
            story.time_travel.shift(timedelta(minutes=4))
            if reported and story.provider.calls:
                _report_all(story, flow)
    assert killing.died
    use_ports(ports)
    stats = _finish(story, flow)
    assert stats["sent"] + stats["unknown"] == 4
    assert (stats["spent"], balance_of(story)) == ("0.04", ("0.96", "0.00"))
