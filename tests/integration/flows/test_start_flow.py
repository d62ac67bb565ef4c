"""Start of flows: a started flow sends to every contact, and a draft of an unavailable campaign is refused."""

from datetime import timedelta

from chalicelib.model.campaign import Campaign
from chalicelib.model.ids import WorkspaceUid
from tests.integration.harness import Story, story

__all__ = ["story"]


def test_every_contact_gets_one_message_and_the_flow_completes(story: Story) -> None:
    story.set_up(contacts=25)
    flow = story.start(story.short_campaign())
    story.run()
    story.advance(timedelta(seconds=5))
    shown = story.flow(flow)
    assert shown["status"] == "completed", shown
    assert shown["stats"]["sent"] == shown["stats"]["completed"] == shown["stats"]["total"] == 25
    assert sorted(story.provider.recipients()) == sorted(f"c{n}@example.com" for n in range(25))
    assert set(story.provider.times_called().values()) == {1}


def test_a_draft_starts_only_while_its_campaign_is_active(story: Story) -> None:
    story.set_up()
    flow = story.start(story.short_campaign(), status="draft")
    campaign = story.flow(flow)["campaignUid"]
    story.expect(200, story.api.patch(f"/campaigns/{campaign}", {"status": "INACTIVE"}))
    reply = story.api.patch(f"/flows/{flow}", {"status": "queued"})
    assert (reply.status, reply.json["current"], reply.json["allowed"]) == (409, "INACTIVE", ["ACTIVE"])
    story.world.ports.catalog.remove(WorkspaceUid(story.api.workspace), Campaign, campaign)
    gone = story.api.patch(f"/flows/{flow}", {"status": "queued"})
    assert (gone.status, gone.json["current"]) == (409, "DELETED")
    assert story.api.delete(f"/flows/{flow}").status == 200
