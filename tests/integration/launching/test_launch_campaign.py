"""Test launching: what is refused, and that one of several concurrent launches wins."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from chalicelib.core.launching.launch_campaign import LaunchRequest, launch_campaign
from chalicelib.errors import Conflict
from chalicelib.model.flow import Flow
from tests.integration.harness import Story, fields_of, story

__all__ = ["story"]


def _launch(story: Story, campaign: str) -> Flow | Conflict:
    request = LaunchRequest(contact_uids=tuple(story.contacts))
    try:
        launched = launch_campaign(story.world.ports, story.api.workspace, campaign, request)
    except Conflict as conflict:
        return conflict
    assert launched.flow
    return launched.flow


def test_one_of_twelve_concurrent_launches_starts_a_flow(story: Story) -> None:
    story.set_up(contacts=2)
    campaign = story.short_campaign()
    with ThreadPoolExecutor(12) as pool:
        results = list(pool.map(lambda _: _launch(story, campaign), range(12)))
    assert sum(isinstance(result, Flow) for result in results) == 1
    story.run()
    assert set(story.provider.times_called().values()) == {1}
    assert len(story.provider.calls) == 2


def test_a_finished_campaign_can_be_launched_again(story: Story) -> None:
    story.set_up(contacts=1)
    campaign = story.short_campaign()
    for launches in (1, 2):
        assert isinstance(_launch(story, campaign), Flow)
        story.run()
        assert len(story.provider.calls) == launches


@pytest.mark.parametrize("status", ["queued", "paused"])
def test_a_campaign_with_an_open_flow_is_not_launched_again(story: Story, status: str) -> None:
    story.set_up(contacts=1)
    campaign = story.short_campaign()
    flow = _launch(story, campaign)
    assert isinstance(flow, Flow)
    if status == "paused":
        story.set_status(flow.uid, status)
    assert isinstance(_launch(story, campaign), Conflict)


def test_a_running_campaign_is_not_started_again(story: Story) -> None:
    story.set_up()
    url = f"/campaigns/{story.short_campaign(audience={'contactUids': story.contacts}, trigger={'type': 'api'})}"
    flow = story.expect(202, story.api.post(f"{url}/trigger"))["flowUid"]
    for route in ("launch", "trigger"):
        reply = story.api.post(f"{url}/{route}")
        assert (reply.status, reply.json["current"]) == (409, "RUNNING")
        assert flow in reply.json["message"]
    assert story.api.delete(url).json["current"] == "RUNNING"
    story.run()
    story.advance(timedelta(seconds=5))
    assert story.flow(flow)["trigger"] == "api"
    assert story.api.post(f"{url}/launch").status == 202


def test_a_missing_audience_and_channel_are_reported_together(story: Story) -> None:
    story.set_up()
    campaign = story.campaign(story.send("a"))
    reply = story.api.post(f"/campaigns/{campaign}/launch")
    assert (reply.status, fields_of(reply)) == (422, ["audience", "channelUid"])
    body = {"contactUids": story.contacts, "channelUid": story.channel}
    assert story.api.post(f"/campaigns/{campaign}/launch", body).status == 202
    for audience in ({"contactUids": ["x"], "segmentUid": "y"}, {"segmentUid": "y"}, {"contactUids": []}):
        assert story.api.post(f"/campaigns/{story.short_campaign()}/trigger", audience).status == 422


@pytest.mark.parametrize("availability", ["PENDING", "DEPRECATED", "INACTIVE", "BLOCKED"])
def test_only_an_active_campaign_starts(story: Story, availability: str) -> None:
    story.set_up()
    campaign = story.short_campaign(availability=availability, audience={"contactUids": story.contacts})
    body = {"channelUid": story.channel, "campaignUid": campaign, "contactUids": story.contacts}
    for reply in (story.api.post("/flows", body), story.api.post(f"/campaigns/{campaign}/launch")):
        assert (reply.status, reply.json["current"], reply.json["allowed"]) == (409, availability, ["ACTIVE"])
    assert story.api.get("/flows").json["data"] == []
