"""What happens under a count of a flow's rows: somebody enters, a receipt comes, a worker dies, another count ends."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from chalicelib.core.events.ingest_events import ingest_events
from chalicelib.core.flows import create_flow
from chalicelib.core.flows.progress import counters_of
from chalicelib.core.notifications.manage_subscriptions import find_subscriptions
from chalicelib.core.receipts.update_engagement import MatchedMessage, find_message, update_engagement
from chalicelib.core.reconciliation.recount_flow import recount_flow
from chalicelib.core.reconciliation.request_recount import request_recount
from chalicelib.errors import RetryLater
from chalicelib.model.base import StoredDocument
from chalicelib.model.event import Event
from chalicelib.model.event_subscription import EventSubscriptions
from chalicelib.model.execution import DeliveryReceipt, Engagement, Execution
from chalicelib.model.flow import Flow
from chalicelib.model.ids import FlowUid, NodeId, WorkspaceUid
from chalicelib.model.queue_messages import Job, Recount, ScheduledStep, build_step_message
from chalicelib.ports import Page
from tests.integration.consent_helpers import Once, swap_ports
from tests.integration.harness import START, PatchedPort, Story, story

__all__ = ["story"]
SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
UNTIL = START + 2 * HOUR
#: The watchdog's round at which the campaign is closed: a quarter of an hour behind its end.
CLOSED = UNTIL - START + 15 * MINUTE
LADDER = (Engagement.DELIVERED, Engagement.OPENED, Engagement.CLICKED, Engagement.REPLIED)


def stored(story: Story, flow: str) -> Flow:
    return story.world.ports.catalog.get(story.api.workspace, Flow, flow)


def rows(story: Story, flow: str) -> list[Execution]:
    executions, uid, shards = story.world.ports.executions, FlowUid(flow), stored(story, flow).shards
    pages = (executions.page(story.api.workspace, uid, shard, 100, None) for shard in range(shards))
    return [row for page in pages for row in page.items]


def shown(story: Story, flow: str) -> Counter[str]:
    counters = story.world.ports.statistics.read(story.api.workspace, FlowUid(flow), stored(story, flow).stats_epoch)
    return Counter({name: count for name, count in counters.items() if name != "movements"})


def counted(story: Story, flow: str) -> Counter[str]:
    return sum((counters_of(row) for row in rows(story, flow)), Counter())


def has_counted(story: Story, shard: int, act: Callable[[], object]) -> None:
    """Does something each time a pass has read this shard."""
    executions = story.world.ports.executions

    def page(*wanted: Any) -> Page[Execution]:
        found = executions.page(*wanted)
        if wanted[2] == shard:
            act()
        return found

    swap_ports(story, executions=PatchedPort(executions, page=page))


def count_now(story: Story, job: Job, *spans: int) -> None:
    """As a worker with so many seconds left at each look; a minute without."""
    left: Iterator[int] = iter(spans)
    assert isinstance(job, Recount)
    recount_flow(story.world.ports, job, lambda: SECOND * next(left, 60))


# ---- the end of an event campaign ----


@pytest.fixture
def event_flow(story: Story) -> str:
    """A campaign that is open for two hours; nobody has entered yet."""
    story.set_up(contacts=3)
    trigger = {"type": "event", "event": "order.placed", "until": UNTIL.isoformat().replace("+00:00", "Z")}
    campaign = story.campaign(story.send("hello", channelUid=story.channel), trigger=trigger)
    return str(story.expect(202, story.api.post(f"/campaigns/{campaign}/launch"))["flowUid"])


def order(story: Story) -> Event:
    at = UNTIL - MINUTE
    return Event(id="e1", name="order.placed", contact_uid=story.contacts[0], properties={}, occurred_at=at)


def test_who_enters_under_a_count_is_sent_to_although_the_campaign_is_closed_before_the_count_ends(
    story: Story, event_flow: str
) -> None:
    story.advance(CLOSED - 2 * SECOND, step=30 * SECOND)
    entered: list[int] = []

    def enter_and_close() -> None:
        if not entered:
            entered.append(ingest_events(story.world.ports, story.api.workspace, [order(story)]))
            story.time_travel.shift(4 * SECOND)
            story.tick()

    has_counted(story, 15, enter_and_close)
    story.expect(202, story.api.post(f"/v1/flows/{event_flow}/recount"))
    story.world.deliver_all("JobQueue")
    assert (entered, stored(story, event_flow).closed_at is None) == ([1], False)
    story.advance(2 * MINUTE)
    assert (len(story.provider.calls), story.flow(event_flow)["status"]) == (1, "completed")


def test_who_was_on_the_way_into_a_campaign_when_it_was_closed_is_sent_to_before_it_ends(
    story: Story, event_flow: str
) -> None:
    story.advance(CLOSED - 10 * SECOND, step=30 * SECOND)
    ports, workspace, before = story.world.ports, story.api.workspace, stored(story, event_flow)
    heard = find_subscriptions(ports, workspace)
    story.time_travel.shift(15 * SECOND)
    story.tick()
    assert (before.takes_entrants, stored(story, event_flow).takes_entrants) == (True, False)
    known: Iterator[Flow] = iter([before])
    entered: list[int] = []

    def find(workspace: WorkspaceUid, kind: type[StoredDocument], uid: str) -> StoredDocument | None:
        """Listeners, and at first the flow, as a worker knows them who has read them before."""
        if kind is EventSubscriptions:
            return heard
        return (next(known, None) if kind is Flow else None) or ports.catalog.find(workspace, kind, uid)

    def enter() -> None:
        if not entered:
            behind = replace(ports, catalog=PatchedPort(ports.catalog, find=find))
            entered.append(ingest_events(behind, workspace, [order(story)]))

    has_counted(story, 15, enter)
    story.expect(202, story.api.post(f"/v1/flows/{event_flow}/recount"))
    story.world.deliver_all("JobQueue")
    assert (entered, story.flow(event_flow)["status"]) == ([1], "running")
    story.advance(2 * MINUTE)
    assert (len(story.provider.calls), story.flow(event_flow)["status"]) == (1, "completed")


def test_a_campaign_that_is_closed_when_everybody_is_through_ends_about_a_minute_later(
    story: Story, event_flow: str
) -> None:
    ingest_events(story.world.ports, story.api.workspace, [order(story)])
    story.advance(CLOSED, step=30 * SECOND)
    assert len(story.provider.calls) == 1
    story.advance(3 * MINUTE)
    closed, ended = stored(story, event_flow).closed_at, stored(story, event_flow).completed_at
    assert closed is not None
    assert ended is not None
    assert ended - closed <= 61 * SECOND


# ---- large flows: a pass of many jobs ----


@pytest.fixture
def two_shards(story: Story, monkeypatch: pytest.MonkeyPatch) -> str:
    """A flow of four contacts in two shards; nothing is enrolled."""
    monkeypatch.setattr(create_flow, "CONTACTS_PER_SHARD", 2)
    story.set_up(contacts=4)
    return story.start(story.campaign(story.send("one")))


def held(story: Story) -> list[tuple[Job, timedelta]]:
    """The jobs that are asked for from now on, which nobody gets."""
    asked: list[tuple[Job, timedelta]] = []

    def send(job: Job, delay: timedelta = timedelta(0)) -> None:
        asked.append((job, delay))

    swap_ports(story, jobs=PatchedPort(story.world.ports.jobs, send=send))
    return asked


def report(story: Story, row: Execution, engagement: Engagement, again: bool = False) -> None:
    found = find_message(story.world.ports, row.message_uid(NodeId("one")))
    assert isinstance(found, MatchedMessage)
    update_engagement(story.world.ports, found, DeliveryReceipt(engagement, story.now), again)


def test_a_count_that_began_while_contacts_were_enrolled_does_not_end_the_flow_over_those(
    story: Story, two_shards: str
) -> None:
    ports = story.world.ports
    asked = held(story)
    count_now(story, Recount(workspace=story.api.workspace, flow=two_shards, pass_id="first"), 60, 1)
    ((behind, _),) = asked
    swap_ports(story, jobs=ports.jobs)
    story.world.deliver_all("JobQueue")
    second = ports.executions.page(story.api.workspace, FlowUid(two_shards), 1, 100, None).items
    ports.steps.send([ScheduledStep(build_step_message(row.key, row.seq), story.now) for row in second], story.now)
    story.world.drain("StepQueue")
    count_now(story, behind)
    assert (stored(story, two_shards).status, len(story.provider.calls)) == ("running", len(second))
    story.advance(MINUTE)
    assert (stored(story, two_shards).status, len(story.provider.calls)) == ("completed", 4)


def sent(story: Story) -> Job:
    """Everybody is written to; the count that is asked for then."""
    story.world.drain("JobQueue")
    asked = held(story)
    story.world.deliver_all("StepQueue")
    ((job, _),) = asked
    asked.clear()
    return job


def test_a_job_that_died_when_it_had_ended_the_flow_loses_no_receipt_when_it_comes_again(
    story: Story, two_shards: str
) -> None:
    first = sent(story)
    asked = held(story)
    story.time_travel.shift(61 * SECOND)
    story.tick()  # The watchdog remembers what has moved.
    count_now(story, first, 60, 1)
    ((last, _),) = asked
    asked.clear()
    report(story, rows(story, two_shards)[0], Engagement.DELIVERED)
    statistics = story.world.ports.statistics

    def read(*wanted: Any) -> Any:
        """It dies when the flow is over."""
        if stored(story, two_shards).is_over:
            raise RetryLater("died")
        return statistics.read(*wanted)

    swap_ports(story, statistics=PatchedPort(statistics, read=read))
    with pytest.raises(RetryLater, match="died"):
        count_now(story, last)
    swap_ports(story, statistics=statistics)
    count_now(story, last)
    for job, _ in asked:
        count_now(story, job)
    assert stored(story, two_shards).status == "completed"
    assert (shown(story, two_shards)["delivered"], shown(story, two_shards)) == (1, counted(story, two_shards))


def test_a_receipt_that_was_left_on_its_row_alone_under_the_count_that_ends_the_flow_is_shown_in_the_end(
    story: Story, two_shards: str
) -> None:
    first = sent(story)
    asked = held(story)
    count_now(story, first, 60, 1)
    ((last, _),) = asked
    asked.clear()
    row, receipt = rows(story, two_shards)[0], DeliveryReceipt(Engagement.DELIVERED, story.now)
    story.world.ports.executions.put_receipt(row.key, 2, NodeId("one"), receipt)  # And died.
    report(story, row, Engagement.DELIVERED, again=True)
    count_now(story, last)
    assert stored(story, two_shards).is_over
    for job, _ in asked:
        count_now(story, job)
    assert (shown(story, two_shards)["delivered"], shown(story, two_shards)) == (1, counted(story, two_shards))


# ---- counts that are asked for more than once ----


def test_a_count_that_was_overtaken_by_one_that_saw_a_row_open_ends_the_flow_all_the_same(
    story: Story, two_shards: str
) -> None:
    """The other one read the row before it was over, and wrote what it had counted behind the last look of this one."""
    first = sent(story)
    asked = held(story)
    overtake = Once(lambda: open_flow_again(story, two_shards))
    has_counted(story, 1, overtake)
    count_now(story, first)
    assert overtake.done
    assert not stored(story, two_shards).is_over
    ((again, delay),) = asked
    assert delay == timedelta(0)
    count_now(story, again)
    assert stored(story, two_shards).status == "completed"


def open_flow_again(story: Story, flow: str) -> None:
    """What a pass leaves that saw a row open: the next generation of statistics, and no end."""
    before = stored(story, flow)
    statistics, uid = story.world.ports.statistics, FlowUid(flow)
    statistics.replace(story.api.workspace, uid, before.stats_epoch + 1, {"total": 4, "completed": 3}, before.rev)
    changed = before.model_copy(update={"stats_epoch": before.stats_epoch + 1})
    story.world.ports.catalog.save(story.api.workspace, changed)


def test_a_count_is_dropped_when_a_whole_one_began_and_ended_since_it_was_asked_for(
    story: Story, two_shards: str
) -> None:
    story.world.drain()
    passes: list[int] = []
    has_counted(story, 0, lambda: passes.append(stored(story, two_shards).stats_epoch))
    for _ in range(6):
        request_recount(story.world.ports, story.api.workspace, stored(story, two_shards))
    epoch = stored(story, two_shards).stats_epoch
    story.world.drain("JobQueue")
    assert passes == [epoch, epoch + 1]


def test_a_wish_of_whom_nobody_knows_when_he_saw_the_flow_is_always_counted(story: Story, two_shards: str) -> None:
    story.world.drain()
    passes: list[int] = []
    has_counted(story, 0, lambda: passes.append(1))
    for _ in range(3):
        story.world.ports.jobs.send(Recount(workspace=story.api.workspace, flow=two_shards, pass_id="old"))
    story.world.drain("JobQueue")
    assert len(passes) == 3


def test_a_job_of_the_version_before_in_the_middle_of_a_pass_is_counted_from_the_first_shard_on(
    story: Story, two_shards: str
) -> None:
    sent(story)
    old = Recount(workspace=story.api.workspace, flow=two_shards, pass_id="old", shard=1, movements=0)
    count_now(story, old)
    assert stored(story, two_shards).status == "completed"
    assert shown(story, two_shards) == counted(story, two_shards)


def test_a_wish_without_an_epoch_can_be_read_by_the_version_before() -> None:
    assert set(Recount(workspace="w", flow="f", pass_id="p").model_dump()) == {
        "kind", "w", "f", "passId", "shard", "movements", "takes",
    }  # fmt: skip


def climb(story: Story, flow: str) -> list[timedelta]:
    """A receipt comes under every pass over the flow; the ages of the flow at which there was one."""
    passes: list[timedelta] = []
    plain, all_rows = story.world.ports, rows(story, flow)

    def receive() -> None:
        ended = stored(story, flow).completed_at
        passes.append(story.now - ended if ended else timedelta(0))
        step, index = divmod(len(passes) - 1, len(all_rows))
        found = find_message(plain, all_rows[index].message_uid(NodeId("one")))
        assert found is not None
        update_engagement(plain, found, DeliveryReceipt(LADDER[step], story.now))

    has_counted(story, 0, receive)
    return passes


def test_a_flow_that_is_over_is_counted_ever_more_seldom_while_receipts_come_under_each_count(
    story: Story, two_shards: str
) -> None:
    story.world.drain()
    plain = story.world.ports.executions
    passes = climb(story, two_shards)
    story.expect(202, story.api.post(f"/v1/flows/{two_shards}/recount"))
    for _ in range(3):
        story.expect(202, story.api.post(f"/v1/flows/{two_shards}/recount"))
    story.advance(DAY / 4, step=MINUTE)
    story.advance(DAY * 3 / 4, step=10 * MINUTE)
    ages = passes[4:]
    assert len(passes) <= 16
    assert all(later >= 2 * age for age, later in pairwise(ages))
    swap_ports(story, executions=plain)
    story.advance(2 * DAY, step=10 * MINUTE)
    assert shown(story, two_shards) == counted(story, two_shards)
    assert not stored(story, two_shards).is_active
