"""Status changes that an operator may make, and those refused: product.md, “Flow statuses”."""

from datetime import timedelta

import pytest

from chalicelib.model.flow import Flow, FlowStatus
from chalicelib.model.message import OutgoingMessage, PermanentFailure
from tests.integration.harness import Story, story

__all__ = ["story"]

ALLOWED = {
    "draft": {"queued", "running", "cancelled"},
    "queued": {"paused", "cancelled", "draft"},
    "running": {"paused", "cancelled"},
    "paused": {"running", "queued", "cancelled"},
    "error": {"running", "queued", "cancelled"},
    "completed": set(),
    "partial_completed": set(),
    "cancelled": set(),
    "failed": set(),
    "timeout": set(),
}
ENDED = {"completed", "partial_completed", "cancelled", "failed", "timeout"}
#: Status after an allowed change, if it differs. A start queues the flow; an enrolled flow runs.
SHOWN = {("draft", "running"): "queued", ("paused", "queued"): "running", ("error", "queued"): "running"}


def flow_in(story: Story, status: str) -> str:
    """Return a flow in this status. Statuses that need receipts are written directly."""
    story.set_up()
    steps = [story.send("hello"), {"id": "pause", "type": "WAIT", "for": "P1D"}, {"id": "end", "type": "END"}]
    if status in {"completed", "failed"}:
        steps = [story.send("hello")]
    if status == "failed":
        story.provider.answer = lambda _: PermanentFailure("no")
    flow = story.start(story.campaign(*steps), status="draft")
    if status == "draft":
        return flow
    story.set_status(flow, "queued")
    if status == "queued":
        return flow
    story.run()
    story.advance(timedelta(seconds=3))
    if status in {"paused", "cancelled"}:
        story.set_status(flow, status)
    if status in {"error", "timeout", "partial_completed"}:
        write_status(story, flow, status)
    assert story.flow(flow)["status"] == status
    return flow


def write_status(story: Story, flow: str, status: str) -> None:
    catalog, workspace = story.world.ports.catalog, story.api.workspace
    stored = catalog.get(workspace, Flow, flow)
    catalog.save(workspace, stored.model_copy(update={"status": FlowStatus(status)}))


@pytest.mark.parametrize("current", sorted(ALLOWED))
def test_a_refused_status_change_lists_the_allowed_statuses(story: Story, current: str) -> None:
    flow = flow_in(story, current)
    for wanted in sorted(set(ALLOWED) - ALLOWED[current] - {current}):
        reply = story.api.patch(f"/flows/{flow}", {"status": wanted, "description": "not kept"})
        assert reply.status == 409, (current, wanted)
        assert (reply.json["current"], set(reply.json["allowed"])) == (current, ALLOWED[current])
    shown = story.flow(flow)
    assert (shown["status"], shown["description"]) == (current, "")
    same = story.api.patch(f"/flows/{flow}", {"status": current})
    assert same.status == 200
    assert same.data == shown


@pytest.mark.parametrize(("current", "wanted"), [(c, w) for c, wishes in ALLOWED.items() for w in sorted(wishes)])
def test_an_allowed_status_change_takes_effect(story: Story, current: str, wanted: str) -> None:
    flow = flow_in(story, current)
    reply = story.api.patch(f"/flows/{flow}", {"status": wanted})
    assert (reply.status, reply.data["status"]) == (200, SHOWN.get((current, wanted), wanted))
    story.run()
    story.advance(timedelta(seconds=3))
    later = story.flow(flow)["status"]
    assert later == ("running" if wanted in {"running", "queued"} else wanted)
    assert max(story.provider.times_called().values(), default=0) <= 1


@pytest.mark.parametrize("current", sorted(ALLOWED))
def test_a_flow_can_be_deleted_unless_it_is_queued_or_running(story: Story, current: str) -> None:
    flow = flow_in(story, current)
    story.time_travel.shift(timedelta(seconds=1))
    reply = story.api.delete(f"/v1/flows/{flow}")
    if current in {"running", "queued"}:
        assert (reply.status, reply.json["current"]) == (409, current)
        assert set(reply.json["allowed"]) == set(ALLOWED) - {"running", "queued"}
        assert story.flow(flow)["status"] == current
        return
    assert (reply.status, set(reply.json)) == (200, {"message"})
    assert story.api.get(f"/flows/{flow}").status == 404
    story.run()
    story.advance(timedelta(days=2), timedelta(hours=6))
    table = story.world.aws.provision()["EXECUTIONS_TABLE"]
    assert story.world.aws.client("dynamodb").scan(TableName=table)["Items"] == []
    assert story.api.get("/flows").json["data"] == []
    assert story.api.get(f"/v1/messages?contactUid={story.contacts[0]}").json["data"] == []
    assert story.api.delete(f"/flows/{flow}").status == 404
    assert max(story.provider.times_called().values(), default=0) <= 1


@pytest.mark.parametrize("wish", ["done", "RUNNING", "", "Paused", 1, ["paused"], {"is": "paused"}])
def test_an_unknown_status_is_a_422_that_names_the_known_ones(story: Story, wish: object) -> None:
    flow = flow_in(story, "draft")
    reply = story.api.patch(f"/flows/{flow}", {"status": wish})
    assert (reply.status, reply.json["details"][0]["field"]) == (422, "status")
    if wish == "done":
        assert "'partial_completed'" in reply.json["details"][0]["message"]


def test_an_empty_change_is_a_422(story: Story) -> None:
    flow = flow_in(story, "draft")
    for body in ({}, {"status": None}, None):
        assert story.api.patch(f"/flows/{flow}", body).status == 422


@pytest.mark.parametrize("current", sorted(ALLOWED))
def test_configuration_changes_only_in_draft_or_paused_and_the_description_always(story: Story, current: str) -> None:
    flow = flow_in(story, current)
    reply = story.api.patch(f"/flows/{flow}", {"configuration": {"maxRetries": 0}, "description": "new"})
    shown = story.flow(flow)
    if current in {"draft", "paused"}:
        assert (reply.status, shown["configuration"]["maxRetries"], shown["description"]) == (200, 0, "new")
        return
    assert (reply.status, reply.json["current"], reply.json["allowed"]) == (409, current, ["draft", "paused"])
    assert (shown["configuration"]["maxRetries"], shown["description"]) == (3, "")
    described = story.expect(200, story.api.patch(f"/flows/{flow}", {"description": "new"}))
    assert (described["description"], described["status"]) == ("new", current)


def test_a_queued_flow_can_return_to_draft_grow_and_start_again(story: Story) -> None:
    flow = flow_in(story, "queued")
    assert story.set_status(flow, "draft")["queuedAt"] is None
    story.run()
    assert (story.flow(flow)["status"], story.provider.calls) == ("draft", [])
    more = story.add_contacts(2)
    added = story.expect(200, story.api.post(f"/flows/{flow}/contacts", {"contactUids": more}))
    assert (added["added"], added["contactCount"]) == (2, 5)
    story.set_status(flow, "queued")
    story.run()
    story.advance(timedelta(seconds=5))
    assert story.flow(flow)["status"] == "running"
    assert sorted(story.provider.recipients()) == [f"c{n}@example.com" for n in range(5)]


def test_a_queued_flow_that_is_paused_and_resumed_loses_no_contact(story: Story) -> None:
    flow = flow_in(story, "queued")
    assert story.set_status(flow, "paused")["status"] == "paused"
    story.run()
    assert story.provider.calls == []
    story.set_status(flow, "running")
    story.run()
    story.advance(timedelta(seconds=5))
    assert len(story.provider.calls) == 3


def test_only_messages_in_flight_are_sent_after_a_pause(story: Story) -> None:
    story.set_up(contacts=12)
    flow = story.start(story.short_campaign())
    answers: list[dict[str, object]] = []

    def pause(_: OutgoingMessage) -> None:
        if not answers:
            answers.append(story.set_status(flow, "paused"))

    story.provider.during = pause
    story.run()
    metadata = answers[0]["metadata"]
    assert isinstance(metadata, dict)
    assert 1 <= len(story.provider.calls) <= metadata["inFlight"]
    story.advance(timedelta(minutes=5), timedelta(seconds=30))
    assert len(story.provider.calls) <= metadata["inFlight"]
    story.set_status(flow, "running")
    story.run()
    story.advance(timedelta(seconds=10))
    assert story.flow(flow)["status"] == "completed"
    assert sorted(story.provider.recipients()) == sorted(f"c{n}@example.com" for n in range(12))


def test_blocking_a_campaign_pauses_its_flows_until_it_is_unblocked(story: Story) -> None:
    flow = flow_in(story, "running")
    campaign = story.flow(flow)["campaignUid"]
    story.expect(200, story.api.patch(f"/campaigns/{campaign}", {"availability": "INACTIVE"}))
    assert story.flow(flow)["status"] == "running"
    blocked = story.expect(200, story.api.patch(f"/campaigns/{campaign}", {"availability": "BLOCKED"}))
    shown = story.flow(flow)
    assert (shown["status"], shown["metadata"]["pauseReason"]) == ("paused", "campaign_blocked")
    assert blocked["state"] == "PAUSED_ERROR"
    for reply in (
        story.api.patch(f"/flows/{flow}", {"status": "running"}),
        story.api.post(f"/campaigns/{campaign}/resume"),
    ):
        assert (reply.status, reply.json["current"]) == (409, "BLOCKED")
    story.expect(200, story.api.patch(f"/campaigns/{campaign}", {"availability": "DEPRECATED"}))
    assert story.set_status(flow, "running")["status"] == "running"
