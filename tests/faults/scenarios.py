"""The table of scenarios. Every tier runs all entries."""

from collections.abc import Iterator
from datetime import timedelta

from chalicelib.core.flows.progress import counters_of
from chalicelib.model.channel import LostResponsePolicy
from chalicelib.model.execution import Engagement, MessageOutcome
from chalicelib.model.flow import Flow
from chalicelib.model.ids import FlowUid
from chalicelib.model.message import (
    Accepted,
    ChannelFailure,
    OutcomeUnknown,
    OutgoingMessage,
    PermanentFailure,
    RecipientSuppressed,
    SendResult,
    Throttled,
    TransientFailure,
)
from chalicelib.model.stable_random import stable_fraction
from chalicelib.model.trigger import ApiTrigger, EntryPolicy, EventTrigger, ScheduledTrigger
from tests.builders import ab_test, condition, end, send, tag, wait
from tests.faults import operators as do
from tests.faults.sample_data import HERE
from tests.faults.scenario import Scenario
from tests.faults.simulation import World
from tests.memory.clock import START

SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
LAUNCH_NOW = ((timedelta(0), do.launch),)
ONE_SEND = (send("a"), end())
TWO_SENDS = (send("a"), wait("w", "PT30S"), send("b"), end())
LONG = (send("a"), wait("w", "PT40M"), send("b"), end())
GAP = (("a", "b", 30 * SECOND),)
#: Price of a message in the scenarios with a balance: one cent, in millionths.
PRICE = 10_000
ORDER = EventTrigger(event="order.placed")


def _fail_twice(message: OutgoingMessage, before: int) -> SendResult:
    """Return two transient failures with a throttle in between, then accept."""
    return (TransientFailure("busy"), Throttled(2 * SECOND), TransientFailure("busy"), Accepted("id"))[min(before, 3)]


def _refuse_by_contact(message: OutgoingMessage, before: int) -> SendResult:
    """Return a different result for each contact."""
    return {
        "c0": PermanentFailure("rejected"),
        "c1": RecipientSuppressed("bounced"),
        "c2": TransientFailure("busy"),
    }.get(message.uid.contact, Accepted("id"))


def _lose_first(message: OutgoingMessage, before: int) -> SendResult:
    return Accepted("id") if before else OutcomeUnknown("read_timeout")


def _fault_first(message: OutgoingMessage, before: int) -> SendResult:
    return Accepted("id") if before else ChannelFailure("account_suspended")


def _fault_twice(message: OutgoingMessage, before: int) -> SendResult:
    """Return a channel failure for the first two attempts of each message; five in a row open the circuit."""
    return Accepted("id") if before >= 2 else ChannelFailure("account_suspended")


def _ab_is_stable(world: World) -> Iterator[str]:
    """Check I12: the lane depends on campaign, node and contact only, so no fault can change it."""
    for flow in world.flows():
        for execution in world.executions(flow):
            lane = "left" if stable_fraction(world.scenario.name, "ab", execution.key.contact) < 0.5 else "right"
            taken = {visit.exit for visit in execution.path if visit.node == "ab"}
            sent = {each.node for each in world.provider.attempts if each.contact == execution.key.contact}
            if (taken | sent) - {lane}:
                found = f"took {sorted(taken)} and was sent {sorted(sent)}"
                yield f"I12 {execution.key.execution_id} belongs on lane {lane}, {found}"


def _balance_adds_up(world: World) -> Iterator[str]:
    """Check I9: no money appears or disappears, no balance is negative, and a flow that ended refunds the rest."""
    with world.injector.uncounted():
        balance = world.direct.balances.find(HERE)
        budgets = {flow.uid: world.direct.budgets.find_budget(HERE, FlowUid(flow.uid)) for flow in world.flows()}
        ledger = world.direct.balances.list_entries(HERE, 100, None).items
    free, reserved = (balance.available, balance.reserved) if balance else (0, 0)
    if min(free, reserved, *(budget.left for budget in budgets.values())) < 0:
        yield f"I9 {balance} is negative, or one of {budgets}"
    if free + sum(budget.drawn for budget in budgets.values()) != world.notes["paid in"]:
        yield f"I9 {balance} and {budgets} do not add up to the {world.notes['paid in']} that were paid in"
    if free + reserved != sum(entry.units for entry in ledger):
        yield f"I9 the ledger {ledger} does not add up to {balance}"
    for flow in world.flows():
        booked = -sum(entry.units for entry in ledger if entry.flow == flow.uid)
        spent, budget = sum(counters_of(execution)["spent"] for execution in world.executions(flow)), budgets[flow.uid]
        if flow.is_over and not budget.drawn == budget.settled == spent == booked:
            yield f"I9 flow {flow.uid} spent {spent}, its budget is {budget}, the ledger has {booked}"
        if flow.is_over and spent != (cost := len(_chargeable(world, flow)) * PRICE):
            yield f"I9 flow {flow.uid} spent {spent} for messages that cost {cost}"


def _chargeable(world: World, flow: Flow) -> set[str]:
    """Return the messages that the provider accepted at least once, and those with an unknown outcome."""
    maybe = {MessageOutcome.SENT, MessageOutcome.UNKNOWN}
    executions = [
        (execution, node)
        for execution in world.executions(flow)
        for node, result in execution.results.items()
        if result.outcome in maybe
    ]
    taken = {each.message for each in world.provider.attempts if each.is_accepted and each.flow == flow.uid}
    return taken | {str(execution.message_uid(node)) for execution, node in executions}


def _tagged_once(world: World) -> Iterator[str]:
    with world.injector.uncounted():
        contacts = world.direct.contacts.page("here", 100, None).items
    for contact in contacts:
        if contact.tags.count("vip") > 1 or (contact.uid in {"c0", "c1"} and "vip" not in contact.tags):
            yield f"I3 {contact.uid} has the tags {contact.tags}"


def _versions_kept(world: World) -> Iterator[str]:
    """Check that an execution ends on the version on which it began."""
    for flow in world.flows():
        for execution in world.executions(flow):
            nodes = {str(node) for node in execution.results}
            if not nodes <= ({"a", "b"} if execution.version == 1 else {"x", "b"}):
                yield f"I3 {execution.key.execution_id} on version {execution.version} has the messages {sorted(nodes)}"


SCENARIOS: tuple[Scenario, ...] = (
    # ---- node types ----
    Scenario("send", ONE_SEND, LAUNCH_NOW, is_small=True),
    Scenario("wait", TWO_SENDS, LAUNCH_NOW, contacts=1, gaps=GAP, is_small=True),
    Scenario("wait_long", LONG, LAUNCH_NOW, gaps=(("a", "b", 40 * MINUTE),)),
    Scenario("condition", (condition("if", {"tag": "vip"}, [send("a")], [send("b")]), end()), LAUNCH_NOW),
    Scenario(
        "ab_test",
        (ab_test("ab", left=[send("left")], right=[send("right")]), end()),
        LAUNCH_NOW,
        contacts=4,
        check=_ab_is_stable,
    ),
    Scenario(
        "tag",
        (tag("t", "vip"), condition("if", {"tag": "vip"}, [send("a")], []), end()),
        LAUNCH_NOW,
        check=_tagged_once,
    ),
    Scenario(
        "send_tag",
        (send("a"), tag("t", "vip"), condition("if", {"tag": "vip"}, [send("b")], []), end()),
        LAUNCH_NOW,
        check=_tagged_once,
    ),
    # ---- results of providers ----
    Scenario("retry", ONE_SEND, LAUNCH_NOW, contacts=1, answer=_fail_twice, configuration={"retry_delay_ms": 4_000}),
    Scenario(
        "refusals",
        ONE_SEND,
        LAUNCH_NOW,
        contacts=4,
        answer=_refuse_by_contact,
        configuration={"max_retries": 1, "retry_delay_ms": 1_000},
    ),
    Scenario("lost_hold", ONE_SEND, LAUNCH_NOW, answer=_lose_first),
    Scenario(
        "lost_resend",
        ONE_SEND,
        LAUNCH_NOW,
        answer=_lose_first,
        channel={"lost_answer": LostResponsePolicy.RESEND},
        resends=True,
    ),
    Scenario("channel_fault", ONE_SEND, LAUNCH_NOW, answer=_fault_first, configuration={"max_retries": 0}),
    Scenario(
        "circuit",
        ONE_SEND,
        (*LAUNCH_NOW, (5 * MINUTE, do.resume), (10 * MINUTE, do.resume), (HOUR, do.resume)),
        contacts=6,
        answer=_fault_twice,
        configuration={"max_retries": 0, "retry_delay_ms": 1_000},
    ),
    Scenario(
        "operator_retry",
        ONE_SEND,
        (*LAUNCH_NOW, (10 * MINUTE, do.retry("failed"))),
        contacts=1,
        flows=2,
        answer=lambda message, before: PermanentFailure("rejected"),
        configuration={"max_retries": 0},
    ),
    # ---- pacing ----
    Scenario(
        "paced", ONE_SEND, LAUNCH_NOW, contacts=3, configuration={"pause_between_contacts_ms": 10_000}, pace=10 * SECOND
    ),
    Scenario("rate", ONE_SEND, LAUNCH_NOW, contacts=4, channel={"rate_per_second": 0.2}, pace=5 * SECOND),
    Scenario(
        "balance",
        ONE_SEND,
        (
            (timedelta(0), do.both(do.pay_in("0.02", "one"), do.launch)),
            (10 * MINUTE, do.both(do.pay_in("0.03", "two"), do.resume)),
            (HOUR, do.resume),
        ),
        contacts=3,
        channel={"prices": {"MESSAGE": "0.01"}},
        check=_balance_adds_up,
    ),
    Scenario(
        "balance_resend",
        ONE_SEND,
        ((timedelta(0), do.both(do.pay_in("0.03", "one"), do.launch)),),
        answer=_lose_first,
        channel={"prices": {"MESSAGE": "0.01"}, "lost_answer": LostResponsePolicy.RESEND},
        resends=True,
        act=do.receipts(Engagement.DELIVERED),
        check=_balance_adds_up,
    ),
    # ---- contacts that change while they wait ----
    Scenario("opt_out", TWO_SENDS, (*LAUNCH_NOW, (10 * SECOND, do.opt_out(0))), act=do.opt_out(1)),
    Scenario("erasure", TWO_SENDS, (*LAUNCH_NOW, (10 * SECOND, do.erase(0))), act=do.erase(1)),
    # ---- operators, at every call ----
    Scenario(
        "pause", TWO_SENDS, (*LAUNCH_NOW, (5 * SECOND, do.pause), (20 * MINUTE, do.resume)), act=do.pause_for, gaps=GAP
    ),
    Scenario("pause_resume", TWO_SENDS, LAUNCH_NOW, contacts=1, act=do.pause_and_resume, gaps=GAP),
    Scenario("cancel", TWO_SENDS, (*LAUNCH_NOW, (10 * SECOND, do.cancel)), act=do.cancel),
    Scenario("recount", TWO_SENDS, (*LAUNCH_NOW, (10 * SECOND, do.recount)), contacts=1, act=do.recount, gaps=GAP),
    # ---- launch fan-out ----
    Scenario("fan_out", ONE_SEND, LAUNCH_NOW, contacts=12),
    # ---- triggers ----
    Scenario(
        "api",
        ONE_SEND,
        ((timedelta(0), do.trigger("k1")), (MINUTE, do.trigger("k1"))),
        campaign={"trigger": ApiTrigger()},
        act=do.trigger("k1"),
    ),
    Scenario(
        "scheduled",
        ONE_SEND,
        (*LAUNCH_NOW, (5 * MINUTE, do.tick), (5 * MINUTE, do.tick)),
        act=do.tick,
        campaign={"trigger": ScheduledTrigger(at=START + 5 * MINUTE, timezone="UTC")},
    ),
    Scenario(
        "event",
        ONE_SEND,
        (*LAUNCH_NOW, (MINUTE, do.report(0, "e1")), (2 * MINUTE, do.duplicate_event(0, "e1"))),
        enrolled={"c0": 1},
        campaign={"trigger": ORDER, "audience": None},
        act=do.duplicate_event(0, "e1"),
    ),
    Scenario(
        "re_entry",
        ONE_SEND,
        (*LAUNCH_NOW, (MINUTE, do.report(0, "e1")), (HOUR, do.report(0, "e2"))),
        enrolled={"c0": 2},
        campaign={"trigger": ORDER, "audience": None, "entry": EntryPolicy(again=True)},
    ),
    Scenario(
        "re_entry_double",
        ONE_SEND,
        (*LAUNCH_NOW, (MINUTE, do.report(0, "e1")), (10 * MINUTE, do.duplicate_event(0, "e1"))),
        enrolled={"c0": 1},
        campaign={"trigger": ORDER, "audience": None, "entry": EntryPolicy(again=True)},
        act=do.duplicate_event(0, "e1"),
    ),
    Scenario(
        "contact_event",
        ONE_SEND,
        (*LAUNCH_NOW, (MINUTE, do.change(0, {"tags": ("new",)}))),
        enrolled={"c0": 1},
        campaign={"trigger": EventTrigger(event="contact.tagged"), "audience": None},
    ),
    # ---- receipts ----
    Scenario(
        "receipts",
        TWO_SENDS,
        (*LAUNCH_NOW, (2 * MINUTE, do.receipts(Engagement.CLICKED, Engagement.OPENED))),
        channel={"reports_receipts": True},
        gaps=GAP,
        act=do.receipts(Engagement.DELIVERED, Engagement.SENT),
    ),
    Scenario(
        "late_receipt", ONE_SEND, LAUNCH_NOW, channel={"reports_receipts": True}, act=do.receipts(Engagement.DELIVERED)
    ),
    Scenario(
        "receipt_after_end",
        ONE_SEND,
        (*LAUNCH_NOW, (20 * MINUTE, do.receipts(Engagement.DELIVERED))),
        contacts=1,
        channel={"reports_receipts": True},
    ),
    # ---- versions ----
    Scenario(
        "version",
        TWO_SENDS,
        (
            *LAUNCH_NOW,
            (MINUTE, do.report(0, "e1")),
            (MINUTE + 10 * SECOND, do.publish((send("x"), wait("w", "PT30S"), send("b"), end()))),
            (HOUR, do.report(1, "e2")),
        ),
        enrolled={"c0": 1, "c1": 1},
        campaign={"trigger": ORDER, "audience": None},
        check=_versions_kept,
        gaps=GAP,
    ),
)
BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}
