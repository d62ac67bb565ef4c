"""The table of scenarios. A new one is one entry; every tier runs all of them."""

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
AT_ONCE = ((timedelta(0), do.launch),)
ONE = (send("a"), end())
TWO = (send("a"), wait("w", "PT30S"), send("b"), end())
LONG = (send("a"), wait("w", "PT40M"), send("b"), end())
GAP = (("a", "b", 30 * SECOND),)
#: Of a message in the scenarios with a balance: a cent.
PRICE = 10_000
ORDER = EventTrigger(event="order.placed")


def _stumble(letter: OutgoingMessage, before: int) -> SendResult:
    """Twice a passing refusal, with a throttle in between."""
    return (TransientFailure("busy"), Throttled(2 * SECOND), TransientFailure("busy"), Accepted("id"))[min(before, 3)]


def _refuse_first(letter: OutgoingMessage, before: int) -> SendResult:
    """Each contact fares otherwise."""
    return {
        "c0": PermanentFailure("rejected"),
        "c1": RecipientSuppressed("bounced"),
        "c2": TransientFailure("busy"),
    }.get(letter.uid.contact, Accepted("id"))


def _lose_first(letter: OutgoingMessage, before: int) -> SendResult:
    return Accepted("id") if before else OutcomeUnknown("read_timeout")


def _fault_first(letter: OutgoingMessage, before: int) -> SendResult:
    return Accepted("id") if before else ChannelFailure("account_suspended")


def _fault_at_first(letter: OutgoingMessage, before: int) -> SendResult:
    """Three tries of everybody fail by the channel: five in a row open its circuit."""
    return Accepted("id") if before >= 2 else ChannelFailure("account_suspended")


def _ab_is_stable(world: World) -> Iterator[str]:
    """I12: the lane follows from campaign, node and contact, and from nothing that a fault could change."""
    for flow in world.flows():
        for row in world.rows(flow):
            lane = "left" if stable_fraction(world.scenario.name, "ab", row.key.contact) < 0.5 else "right"
            went = {visit.exit for visit in row.path if visit.node == "ab"}
            got = {each.node for each in world.provider.tries if each.contact == row.key.contact}
            if (went | got) - {lane}:
                yield f"I12 {row.key.execution_id} belongs on lane {lane}, went {sorted(went)} and got {sorted(got)}"


def _books_are_true(world: World) -> Iterator[str]:
    """I9: nothing is made or lost, nothing is negative, and what a flow that is over did not spend is free again."""
    with world.board.aside():
        balance = world.bare.balances.find(HERE)
        purses = {flow.uid: world.bare.budgets.find_budget(HERE, FlowUid(flow.uid)) for flow in world.flows()}
        ledger = world.bare.balances.list_entries(HERE, 100, None).items
    free, reserved = (balance.free, balance.reserved) if balance else (0, 0)
    if min(free, reserved, *(purse.left for purse in purses.values())) < 0:
        yield f"I9 {balance} is negative, or one of {purses}"
    if free + sum(purse.drawn for purse in purses.values()) != world.notes["paid in"]:
        yield f"I9 {balance} and {purses} do not make the {world.notes['paid in']} that were paid in"
    if free + reserved != sum(entry.units for entry in ledger):
        yield f"I9 the ledger {ledger} does not make {balance}"
    for flow in world.flows():
        booked = -sum(entry.units for entry in ledger if entry.flow == flow.uid)
        spent, purse = sum(counters_of(row)["spent"] for row in world.rows(flow)), purses[flow.uid]
        if flow.is_over and not purse.drawn == purse.settled == spent == booked:
            yield f"I9 flow {flow.uid} spent {spent}, its purse says {purse}, the ledger {booked}"
        if flow.is_over and spent != (cost := len(_chargeable(world, flow)) * PRICE):
            yield f"I9 flow {flow.uid} spent {spent} for messages of {cost}"


def _chargeable(world: World, flow: Flow) -> set[str]:
    """Messages that the provider took, however often, and those of which nobody knows whether it did."""
    maybe = {MessageOutcome.SENT, MessageOutcome.UNKNOWN}
    rows = ((row, node) for row in world.rows(flow) for node, result in row.results.items() if result.outcome in maybe)
    taken = {each.message for each in world.provider.tries if each.is_accepted and each.flow == flow.uid}
    return taken | {str(row.message_uid(node)) for row, node in rows}


def _tagged_once(world: World) -> Iterator[str]:
    with world.board.aside():
        contacts = world.bare.contacts.page("here", 100, None).items
    for contact in contacts:
        if contact.tags.count("vip") > 1 or (contact.uid in {"c0", "c1"} and "vip" not in contact.tags):
            yield f"I3 {contact.uid} has the tags {contact.tags}"


def _versions_kept(world: World) -> Iterator[str]:
    """Who began on version 1 ends on version 1."""
    for flow in world.flows():
        for row in world.rows(flow):
            nodes = {str(node) for node in row.results}
            if not nodes <= ({"a", "b"} if row.version == 1 else {"x", "b"}):
                yield f"I3 {row.key.execution_id} on version {row.version} has the messages {sorted(nodes)}"


SCENARIOS: tuple[Scenario, ...] = (
    # ---- node types ----
    Scenario("send", ONE, AT_ONCE, is_small=True),
    Scenario("wait", TWO, AT_ONCE, contacts=1, gaps=GAP, is_small=True),
    Scenario("wait_long", LONG, AT_ONCE, gaps=(("a", "b", 40 * MINUTE),)),
    Scenario("condition", (condition("if", {"tag": "vip"}, [send("a")], [send("b")]), end()), AT_ONCE),
    Scenario(
        "ab_test",
        (ab_test("ab", left=[send("left")], right=[send("right")]), end()),
        AT_ONCE,
        contacts=4,
        check=_ab_is_stable,
    ),
    Scenario(
        "tag", (tag("t", "vip"), condition("if", {"tag": "vip"}, [send("a")], []), end()), AT_ONCE, check=_tagged_once
    ),
    Scenario(
        "send_tag",
        (send("a"), tag("t", "vip"), condition("if", {"tag": "vip"}, [send("b")], []), end()),
        AT_ONCE,
        check=_tagged_once,
    ),
    # ---- what providers answer ----
    Scenario("retry", ONE, AT_ONCE, contacts=1, answer=_stumble, configuration={"retry_delay_ms": 4_000}),
    Scenario(
        "refusals",
        ONE,
        AT_ONCE,
        contacts=4,
        answer=_refuse_first,
        configuration={"max_retries": 1, "retry_delay_ms": 1_000},
    ),
    Scenario("lost_hold", ONE, AT_ONCE, answer=_lose_first),
    Scenario(
        "lost_resend",
        ONE,
        AT_ONCE,
        answer=_lose_first,
        channel={"lost_answer": LostResponsePolicy.RESEND},
        resends=True,
    ),
    Scenario("channel_fault", ONE, AT_ONCE, answer=_fault_first, configuration={"max_retries": 0}),
    Scenario(
        "circuit",
        ONE,
        (*AT_ONCE, (5 * MINUTE, do.resume), (10 * MINUTE, do.resume), (HOUR, do.resume)),
        contacts=6,
        answer=_fault_at_first,
        configuration={"max_retries": 0, "retry_delay_ms": 1_000},
    ),
    Scenario(
        "operator_retry",
        ONE,
        (*AT_ONCE, (10 * MINUTE, do.retry("failed"))),
        contacts=1,
        flows=2,
        answer=lambda letter, before: PermanentFailure("rejected"),
        configuration={"max_retries": 0},
    ),
    # ---- pacing ----
    Scenario("paced", ONE, AT_ONCE, contacts=3, configuration={"pause_between_contacts_ms": 10_000}, pace=10 * SECOND),
    Scenario("rate", ONE, AT_ONCE, contacts=4, channel={"rate_per_second": 0.2}, pace=5 * SECOND),
    Scenario(
        "balance",
        ONE,
        (
            (timedelta(0), do.both(do.pay_in("0.02", "one"), do.launch)),
            (10 * MINUTE, do.both(do.pay_in("0.03", "two"), do.resume)),
            (HOUR, do.resume),
        ),
        contacts=3,
        channel={"prices": {"MESSAGE": "0.01"}},
        check=_books_are_true,
    ),
    Scenario(
        "balance_resend",
        ONE,
        ((timedelta(0), do.both(do.pay_in("0.03", "one"), do.launch)),),
        answer=_lose_first,
        channel={"prices": {"MESSAGE": "0.01"}, "lost_answer": LostResponsePolicy.RESEND},
        resends=True,
        act=do.receipts(Engagement.DELIVERED),
        check=_books_are_true,
    ),
    # ---- contacts that change while they wait ----
    Scenario("opt_out", TWO, (*AT_ONCE, (10 * SECOND, do.opt_out(0))), act=do.opt_out(1)),
    Scenario("erasure", TWO, (*AT_ONCE, (10 * SECOND, do.erase(0))), act=do.erase(1)),
    # ---- operators, at every call ----
    Scenario("pause", TWO, (*AT_ONCE, (5 * SECOND, do.pause), (20 * MINUTE, do.resume)), act=do.pause_for, gaps=GAP),
    Scenario("pause_resume", TWO, AT_ONCE, contacts=1, act=do.pause_and_resume, gaps=GAP),
    Scenario("cancel", TWO, (*AT_ONCE, (10 * SECOND, do.cancel)), act=do.cancel),
    Scenario("recount", TWO, (*AT_ONCE, (10 * SECOND, do.recount)), contacts=1, act=do.recount, gaps=GAP),
    # ---- launch fan-out ----
    Scenario("fan_out", ONE, AT_ONCE, contacts=12),
    # ---- triggers ----
    Scenario(
        "api",
        ONE,
        ((timedelta(0), do.trigger("k1")), (MINUTE, do.trigger("k1"))),
        campaign={"trigger": ApiTrigger()},
        act=do.trigger("k1"),
    ),
    Scenario(
        "scheduled",
        ONE,
        (*AT_ONCE, (5 * MINUTE, do.tick), (5 * MINUTE, do.tick)),
        act=do.tick,
        campaign={"trigger": ScheduledTrigger(at=START + 5 * MINUTE, timezone="UTC")},
    ),
    Scenario(
        "event",
        ONE,
        (*AT_ONCE, (MINUTE, do.report(0, "e1")), (2 * MINUTE, do.bus(0, "e1"))),
        walks={"c0": 1},
        campaign={"trigger": ORDER, "audience": None},
        act=do.bus(0, "e1"),
    ),
    Scenario(
        "re_entry",
        ONE,
        (*AT_ONCE, (MINUTE, do.report(0, "e1")), (HOUR, do.report(0, "e2"))),
        walks={"c0": 2},
        campaign={"trigger": ORDER, "audience": None, "entry": EntryPolicy(again=True)},
    ),
    Scenario(
        "re_entry_double",
        ONE,
        (*AT_ONCE, (MINUTE, do.report(0, "e1")), (10 * MINUTE, do.bus(0, "e1"))),
        walks={"c0": 1},
        campaign={"trigger": ORDER, "audience": None, "entry": EntryPolicy(again=True)},
        act=do.bus(0, "e1"),
    ),
    Scenario(
        "contact_event",
        ONE,
        (*AT_ONCE, (MINUTE, do.change(0, {"tags": ("new",)}))),
        walks={"c0": 1},
        campaign={"trigger": EventTrigger(event="contact.tagged"), "audience": None},
    ),
    # ---- receipts ----
    Scenario(
        "receipts",
        TWO,
        (*AT_ONCE, (2 * MINUTE, do.receipts(Engagement.CLICKED, Engagement.OPENED))),
        channel={"reports_receipts": True},
        gaps=GAP,
        act=do.receipts(Engagement.DELIVERED, Engagement.SENT),
    ),
    Scenario("late_receipt", ONE, AT_ONCE, channel={"reports_receipts": True}, act=do.receipts(Engagement.DELIVERED)),
    Scenario(
        "receipt_after_end",
        ONE,
        (*AT_ONCE, (20 * MINUTE, do.receipts(Engagement.DELIVERED))),
        contacts=1,
        channel={"reports_receipts": True},
    ),
    # ---- versions ----
    Scenario(
        "version",
        TWO,
        (
            *AT_ONCE,
            (MINUTE, do.report(0, "e1")),
            (MINUTE + 10 * SECOND, do.publish((send("x"), wait("w", "PT30S"), send("b"), end()))),
            (HOUR, do.report(1, "e2")),
        ),
        walks={"c0": 1, "c1": 1},
        campaign={"trigger": ORDER, "audience": None},
        check=_versions_kept,
        gaps=GAP,
    ),
)
BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}
