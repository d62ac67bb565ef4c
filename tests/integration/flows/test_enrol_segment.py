"""Flows over segments enrol each member once, also after repeats, pauses, cancels and changes of the segment."""

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.core.flows import enrol_segment as expanding
from chalicelib.model.contact import Contact
from chalicelib.model.contact_shards import CONTACT_SHARDS
from chalicelib.model.event import Event
from chalicelib.model.flow import Flow
from chalicelib.model.ids import FlowUid
from chalicelib.model.queue_messages import EnrolSegment
from chalicelib.model.segment import Segment
from chalicelib.workers.jobs import run_job
from tests.builders import wait
from tests.integration.harness import Story, story

__all__ = ["story"]
VIP = {"tag": "vip"}
PLENTY, TOO_LITTLE = timedelta(minutes=1), timedelta(seconds=1)


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Split a few contacts into many jobs and pages."""
    monkeypatch.setattr(expanding, "CONTACTS_PER_JOB", 50)
    monkeypatch.setattr(expanding, "PAGE", 3)


def add_people(story: Story, count: int, prefix: str = "p", **fields: Any) -> list[str]:
    uids = [f"{prefix}{number}" for number in range(count)]
    stamps: dict[str, Any] = {"created_at": story.now, "updated_at": story.now}
    people = [Contact(uid=uid, email=f"{uid}@example.com", first_name=uid, **stamps, **fields) for uid in uids]
    for start in range(0, count, 25):
        assert story.world.ports.contacts.add_many(story.api.workspace, people[start : start + 25]) == ()
    return uids


def new_segment(story: Story, written: object) -> str:
    return str(story.expect(201, story.api.post("/v1/segments", {"name": "Some", "filter": written}))["uid"])


def _start_flow(story: Story, written: object, *steps: Any) -> str:
    """Start a flow without enrolling its contacts."""
    campaign = story.campaign(*(steps or [story.send("hello")]))
    body = {"channelUid": story.channel, "campaignUid": campaign, "segmentUid": new_segment(story, written)}
    return str(story.expect(201, story.api.post("/flows", body))["uid"])


def _stored(story: Story, flow: str) -> Flow:
    return story.world.ports.catalog.get(story.api.workspace, Flow, flow)


def _enrolled(story: Story, flow: str) -> list[str]:
    ports, stored = story.world.ports, _stored(story, flow)
    pages = [ports.executions.page(story.api.workspace, FlowUid(flow), n, 5_000, None) for n in range(stored.shards)]
    return sorted(row.key.contact for page in pages for row in page.items)


def _job(story: Story, flow: str, chunk: int, **fields: Any) -> EnrolSegment:
    return EnrolSegment(workspace=story.api.workspace, flow=flow, chunk=chunk, **fields)


def _finish(story: Story, flow: str) -> Any:
    story.run()
    story.advance(timedelta(seconds=5))
    return story.flow(flow)


class TestMembers:
    def test_a_launch_reaches_all_500_members_and_no_other_contact(self, story: Story) -> None:
        story.set_up(contacts=3)
        members = add_people(story, 500, tags=("vip",))
        add_people(story, 40, "other")
        segment = new_segment(story, VIP)
        campaign = story.campaign(story.send("hello"), audience={"segmentUid": segment})
        body = {"channelUid": story.channel}
        flow = story.expect(202, story.api.post(f"/v1/campaigns/{campaign}/launch", body))["flowUid"]
        assert story.flow(flow)["status"] == "queued"
        shown = _finish(story, flow)
        assert (shown["status"], shown["segmentUid"], shown["contactCount"]) == ("completed", segment, 500)
        assert (shown["stats"]["total"], shown["stats"]["completed"]) == (500, 500)
        assert sorted(sent.message.uid.contact for sent in story.provider.calls) == sorted(members)
        recounted = story.expect(200, story.api.post(f"/flows/{flow}/recount"))
        assert recounted["stats"]["completed"] == 500

    def test_contacts_that_become_members_after_the_start_are_not_enrolled(self, story: Story) -> None:
        story.set_up(contacts=2)
        add_people(story, 5, tags=("vip",))
        flow = _start_flow(story, VIP, story.send("hello"), wait("pause", "PT1H"), story.send("again"))
        story.advance(timedelta(seconds=1))
        add_people(story, 3, "late", tags=("vip",))
        story.expect(200, story.api.patch(f"/v1/contacts/{story.contacts[0]}", {"tags": ["vip"]}))
        story.advance(timedelta(hours=2), step=timedelta(minutes=10))
        shown = story.flow(flow)
        assert (shown["status"], shown["contactCount"], shown["stats"]["sent"]) == ("completed", 5, 10)

    def test_contacts_created_between_start_and_enrolment_are_not_enrolled(self, story: Story) -> None:
        story.set_up(contacts=0)
        add_people(story, 5, tags=("vip",))
        flow = _start_flow(story, VIP)
        story.time_travel.shift(timedelta(seconds=1))
        add_people(story, 3, "late", tags=("vip",))
        story.run()
        assert _enrolled(story, flow) == [f"p{number}" for number in range(5)]

    def test_consent_and_attributes_are_read_when_a_message_is_sent(self, story: Story) -> None:
        story.set_up(contacts=0)
        add_people(story, 4, tags=("vip",))
        flow = _start_flow(story, VIP, wait("pause", "PT1H"), story.send("hello"))
        story.run()
        story.expect(200, story.api.patch("/v1/contacts/p0", {"tags": [], "firstName": "New"}))
        story.expect(200, story.api.patch("/v1/contacts/p1", {"consent": {"console": {"MESSAGE": "REVOKED"}}}))
        story.advance(timedelta(hours=1, seconds=5), step=timedelta(minutes=5))
        texts = {sent.message.uid.contact: sent.message.content["text"] for sent in story.provider.calls}
        assert texts == {"p0": "Hello New", "p2": "Hello p2", "p3": "Hello p3"}
        assert story.flow(flow)["metadata"]["skipReasons"] == {"consent_revoked": 1}

    def test_an_empty_segment_completes(self, story: Story) -> None:
        story.set_up(contacts=2)
        shown = _finish(story, _start_flow(story, {"tag": "nobody"}))
        assert (shown["status"], shown["contactCount"], shown["stats"]["total"]) == ("completed", 0, 0)

    @pytest.mark.parametrize(
        ("written", "members"),
        [
            ({"event": "order.placed"}, ["p0", "p1", "p2"]),
            ({"event": "order.placed", "is": False}, ["p3", "p4"]),
            ({"event": "order.placed", "op": "exists", "value": False}, ["p3", "p4"]),
            ({"event": "order.placed", "times": 2}, ["p1", "p2"]),
            ({"event": "order.placed", "op": "gte", "value": 3}, ["p2"]),
            ({"event": "order.placed", "op": "lt", "value": 2}, ["p0", "p3", "p4"]),
            ({"event": "order.placed", "op": "eq", "value": 1}, ["p0"]),
            ({"event": "order.placed", "within": "P1D"}, ["p0", "p2"]),
            ({"event": "order.placed", "where": {"property": "total", "op": "gt", "value": 15}}, ["p2"]),
            ({"all": [{"tag": "even"}, {"event": "order.placed"}]}, ["p0", "p2"]),
            ({"not": [{"event": "order.placed", "within": "P1D"}, {"tag": "even"}]}, ["p1", "p3"]),
        ],
    )
    def test_events_of_a_contact_decide_its_membership(self, story: Story, written: object, members: list[str]) -> None:
        """Contact p0 ordered once today, p1 twice last week, and p2 three times, once of them today."""
        story.set_up(contacts=0)
        add_people(story, 5)
        for number in (0, 2, 4):
            story.expect(200, story.api.patch(f"/v1/contacts/p{number}", {"tags": ["even"]}))
        days = {"p0": [0], "p1": [6, 7], "p2": [0, 6, 7]}
        did = [
            Event(id=f"{uid}-{day}", name="order.placed", contact_uid=uid, properties={"total": 10 * int(uid[1])},
                  occurred_at=story.now - timedelta(days=day, hours=1))
            for uid, each in days.items()
            for day in each
        ]  # fmt: skip
        story.world.ports.events.add_many(story.api.workspace, did)
        flow = _start_flow(story, written)
        story.run()
        assert _enrolled(story, flow) == members
        assert story.flow(flow)["contactCount"] == len(members)


@pytest.mark.usefixtures("small_chunks")
class TestRepeated:
    def test_redelivered_jobs_reset_no_execution_and_count_each_contact_once(self, story: Story) -> None:
        story.set_up(contacts=0)
        members = add_people(story, 300, tags=("vip",))
        flow = _start_flow(story, VIP, wait("pause", "PT1H"), story.send("hello"))
        ports = story.world.ports
        run_job(ports, _job(story, flow, 0), lambda: PLENTY)
        parts = _stored(story, flow).chunks - 1
        assert parts == 6
        for chunk in range(1, parts):
            run_job(ports, _job(story, flow, chunk), lambda: PLENTY)
            run_job(ports, _job(story, flow, chunk), lambda: PLENTY)
        assert story.flow(flow)["status"] == "queued"
        story.run()
        before = {uid: story.execution(flow, uid) for uid in members[:5]}
        assert before["p0"]["nodeId"] == "pause"
        story.advance(timedelta(minutes=10), step=timedelta(minutes=1))
        for chunk in range(parts + 1):
            run_job(ports, _job(story, flow, chunk), lambda: PLENTY)
        assert {uid: story.execution(flow, uid) for uid in before} == before
        shown = story.flow(flow)
        assert (shown["contactCount"], shown["stats"]["total"]) == (300, 300)
        story.advance(timedelta(hours=1), step=timedelta(minutes=10))
        assert set(story.provider.times_called().values()) == {1}
        assert len(story.provider.calls) == 300

    def test_a_job_that_dies_between_pages_is_repeated_with_the_same_result(self, story: Story) -> None:
        story.set_up(contacts=0)
        add_people(story, 120, tags=("vip",))
        flow = _start_flow(story, VIP)
        ports = story.world.ports
        run_job(ports, _job(story, flow, 0), lambda: PLENTY)
        half = iter([PLENTY] * 20)
        with pytest.raises(StopIteration):
            run_job(ports, _job(story, flow, 1), lambda: next(half))
        assert 0 < len(_enrolled(story, flow)) < 120
        shown = _finish(story, flow)
        assert (shown["status"], shown["contactCount"], shown["stats"]["completed"]) == ("completed", 120, 120)
        assert set(story.provider.times_called().values()) == {1}

    def test_a_repeated_planning_job_keeps_the_first_plan(self, story: Story) -> None:
        """Change the filter between two deliveries of the planning job."""
        story.set_up(contacts=0)
        add_people(story, 10, tags=("vip",))
        add_people(story, 10, "other")
        flow = _start_flow(story, VIP)
        ports = story.world.ports
        run_job(ports, _job(story, flow, 0), lambda: PLENTY)
        segment = _stored(story, flow).segment_uid
        story.expect(200, story.api.patch(f"/v1/segments/{segment}", {"filter": {"not": VIP}}))
        run_job(ports, _job(story, flow, 0), lambda: PLENTY)
        story.run()
        assert _enrolled(story, flow) == sorted(f"p{number}" for number in range(10))

    def test_a_job_without_time_hands_over_page_by_page(self, story: Story) -> None:
        story.set_up(contacts=0)
        add_people(story, 60, tags=("vip",))
        flow = _start_flow(story, VIP)
        ports = story.world.ports
        run_job(ports, _job(story, flow, 0), lambda: PLENTY)
        story.world.drain("JobQueue")
        assert len(_enrolled(story, flow)) == 60
        left = iter([PLENTY, TOO_LITTLE])
        again = _start_flow(story, VIP)
        run_job(ports, _job(story, again, 0), lambda: PLENTY)
        run_job(ports, _job(story, again, 1), lambda: next(left))
        shown = _finish(story, again)
        assert (shown["status"], shown["contactCount"]) == ("completed", 60)

    def test_the_watchdog_sends_lost_jobs_again(self, story: Story) -> None:
        story.set_up(contacts=0)
        add_people(story, 20, tags=("vip",))
        flow = _start_flow(story, VIP)
        story.world.aws.client("sqs").purge_queue(QueueUrl=story.world.queues["JobQueue"])
        story.advance(timedelta(minutes=6), step=timedelta(seconds=30))
        assert story.flow(flow)["status"] == "completed"
        assert len(story.provider.calls) == 20


@pytest.mark.usefixtures("small_chunks")
class TestStopped:
    def _half(self, story: Story) -> str:
        """Return a flow that is paused after its first pages."""
        story.set_up(contacts=0)
        add_people(story, 200, tags=("vip",))
        flow = _start_flow(story, VIP)
        run_job(story.world.ports, _job(story, flow, 0), lambda: PLENTY)
        looked: list[int] = []

        def time_left() -> timedelta:
            looked.append(1)
            if len(looked) == 10:
                story.set_status(flow, "paused")
            return PLENTY

        run_job(story.world.ports, _job(story, flow, 1), time_left)
        assert len(looked) == 10
        return flow

    def test_a_pause_stops_enrolment_and_a_resume_continues_it(self, story: Story) -> None:
        flow = self._half(story)
        enrolled = len(_enrolled(story, flow))
        assert 0 < enrolled < 200
        story.run()
        assert len(_enrolled(story, flow)) == enrolled
        shown = story.flow(flow)
        assert (shown["status"], shown["stats"]["total"]) == ("paused", enrolled)
        assert story.set_status(flow, "running")["status"] == "queued"
        shown = _finish(story, flow)
        assert (shown["status"], shown["contactCount"], shown["stats"]["sent"]) == ("completed", 200, 200)

    def test_a_cancel_stops_enrolment_and_skips_the_enrolled_contacts(self, story: Story) -> None:
        flow = self._half(story)
        enrolled = len(_enrolled(story, flow))
        story.set_status(flow, "cancelled")
        story.run()
        assert len(_enrolled(story, flow)) == enrolled
        shown = story.flow(flow)
        assert (shown["status"], shown["stats"]["skipped"]) == ("cancelled", enrolled)
        assert shown["metadata"]["skipReasons"] == {"cancelled": enrolled}
        assert not _stored(story, flow).settled_at
        story.advance(timedelta(minutes=40), step=timedelta(minutes=1))
        assert _stored(story, flow).settled_at
        assert story.provider.calls == []

    def test_an_execution_that_is_enrolled_after_the_cancel_is_skipped_too(self, story: Story) -> None:
        flow = self._half(story)
        story.set_status(flow, "cancelled")
        story.run()
        search = expanding._Search.of(story.world.ports, story.api.workspace, _stored(story, flow))
        before = len(_enrolled(story, flow))
        for shard in range(CONTACT_SHARDS):
            search.enrol_page(_stored(story, flow), _job(story, flow, 2), shard)
        assert len(_enrolled(story, flow)) > before
        story.advance(timedelta(minutes=40), step=timedelta(minutes=1))
        executions = story.api.all_pages(f"/flows/{flow}/executions?limit=100")
        assert {(each["status"], each["reason"]) for each in executions} == {("skipped", "cancelled")}
        assert _stored(story, flow).settled_at

    def test_a_flow_set_to_draft_and_started_again_enrols_all_members(self, story: Story) -> None:
        story.set_up(contacts=0)
        add_people(story, 30, tags=("vip",))
        flow = _start_flow(story, VIP)
        run_job(story.world.ports, _job(story, flow, 0), lambda: PLENTY)
        story.set_status(flow, "draft")
        story.run()
        assert _enrolled(story, flow) == []
        story.set_status(flow, "queued")
        shown = _finish(story, flow)
        assert (shown["status"], shown["contactCount"]) == ("completed", 30)


class TestRequests:
    def test_an_unknown_segment_is_named_with_all_other_problems(self, story: Story) -> None:
        story.set_up()
        body = {"channelUid": "nope", "campaignUid": story.short_campaign(), "segmentUid": "nope"}
        reply = story.api.post("/flows", body)
        assert (reply.status, sorted(each["field"] for each in reply.json["details"])) == (
            422,
            ["channelUid", "channelUid", "segmentUid"],
        )

    def test_a_draft_over_a_segment_waits_for_its_start(self, story: Story) -> None:
        story.set_up(contacts=0)
        add_people(story, 2, tags=("vip",))
        body = {"channelUid": story.channel, "campaignUid": story.short_campaign(), "status": "draft"}
        flow = story.expect(201, story.api.post("/flows", body | {"segmentUid": new_segment(story, VIP)}))["uid"]
        story.advance(timedelta(minutes=5), step=timedelta(minutes=1))
        add_people(story, 2, "more", tags=("vip",))
        refused = story.api.post(f"/flows/{flow}/contacts", {"contactUids": ["p0"]})
        assert refused.status == 409
        story.set_status(flow, "running")
        assert _finish(story, flow)["stats"]["completed"] == 4

    def test_a_deleted_segment_stops_the_flow_with_the_reason(self, story: Story) -> None:
        story.set_up(contacts=0)
        flow = _start_flow(story, VIP)
        stored = _stored(story, flow)
        story.world.ports.catalog.remove(story.api.workspace, Segment, stored.segment_uid or "")
        story.run()
        shown = story.flow(flow)
        assert shown["status"] == "error"
        assert "was not found" in shown["metadata"]["pauseReason"]

    def test_each_start_of_a_schedule_searches_the_segment_again(self, story: Story) -> None:
        story.set_up(contacts=0)
        add_people(story, 2, tags=("vip",))
        trigger = {"type": "scheduled", "at": "2026-03-02T10:00:00", "rrule": "FREQ=HOURLY", "count": 2}
        audience = {"segmentUid": new_segment(story, VIP)}
        campaign = story.campaign(
            story.send("hello", channelUid=story.channel), trigger=trigger, audience=audience, startGrace="PT1H"
        )
        story.expect(202, story.api.post(f"/campaigns/{campaign}/launch"))
        story.advance(timedelta(minutes=70), step=timedelta(minutes=1))
        assert len(story.provider.calls) == 2
        add_people(story, 3, "new", tags=("vip",))
        story.advance(timedelta(minutes=60), step=timedelta(minutes=1))
        flows = story.api.all_pages(f"/flows?campaignUid={campaign}")
        assert [each["contactCount"] for each in flows] == [5, 2]
        assert len(story.provider.calls) == 7

    def test_validation_names_a_missing_segment(self, story: Story) -> None:
        story.set_up(contacts=0)
        campaign = story.short_campaign(audience={"segmentUid": "nope"})
        found = story.expect(200, story.api.post(f"/campaigns/{campaign}/validate"))
        assert [error["field"] for error in found["errors"]] == ["audience.segmentUid"]
