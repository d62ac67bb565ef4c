"""Test publishing a campaign that is running."""

from tests.builders import wait
from tests.integration.harness import Story, story
from tests.integration.launching.event_helpers import ORDER, open_campaign, report, sent_to
from tests.integration.launching.schedule_helpers import (
    DAY,
    HOUR,
    MINUTE,
    create_scheduled_campaign,
    flows,
    launch,
    status,
)

__all__ = ["story"]


def test_each_start_uses_the_published_version(story: Story) -> None:
    campaign = create_scheduled_campaign(story, "2026-03-02T10:00", rrule="FREQ=DAILY", timezone="UTC")
    launch(story, campaign)
    other = story.add_template("Changed")
    steps = [{**story.send("hello", channelUid=story.channel), "templateUid": other}]
    story.expect(200, story.api.patch(f"/campaigns/{campaign}", {"steps": steps}))
    story.advance(2 * HOUR, step=MINUTE)
    story.expect(200, story.api.post(f"/campaigns/{campaign}/publish"))
    story.advance(DAY, step=5 * MINUTE)
    assert [flow["campaignVersion"] for flow in flows(story, campaign)] == [1, 2]
    assert [call.message.content["text"] for call in story.provider.calls][-1] == "Changed"


def test_publishing_another_rule_changes_the_next_start(story: Story) -> None:
    campaign = create_scheduled_campaign(story, "2026-03-02T10:00", rrule="FREQ=DAILY", timezone="UTC")
    launch(story, campaign)
    late = {"type": "scheduled", "at": "2026-03-02T15:00", "rrule": "FREQ=DAILY", "timezone": "UTC"}
    story.expect(200, story.api.patch(f"/campaigns/{campaign}", {"trigger": late}))
    assert status(story, campaign)["schedule"]["nextStarts"][0] == "2026-03-02T10:00:00.000Z"
    story.expect(200, story.api.post(f"/campaigns/{campaign}/publish"))
    assert status(story, campaign)["schedule"]["nextStarts"][0] == "2026-03-02T15:00:00.000Z"


def test_new_entrants_use_the_newest_version_and_open_executions_keep_theirs(story: Story) -> None:
    story.set_up(contacts=3)
    steps = [story.send("a", channelUid=story.channel), wait("pause", "P1D"), story.send("b", channelUid=story.channel)]
    campaign, flow = open_campaign(story, *steps)
    report(story, {})
    story.run()
    changed = story.add_template("Version two")
    newer = [{**story.send("c", channelUid=story.channel), "templateUid": changed}]
    story.expect(200, story.api.patch(f"/campaigns/{campaign}", {"steps": newer}))
    report(story, {"contactUid": story.contacts[1]})
    story.run()
    story.expect(200, story.api.post(f"/campaigns/{campaign}/publish"))
    report(story, {"contactUid": story.contacts[2]})
    story.run()
    story.advance(DAY + MINUTE, step=HOUR)
    nodes = {
        contact: [call.message.uid.node for call in story.provider.calls if call.message.uid.contact == contact]
        for contact in story.contacts
    }
    assert nodes == {story.contacts[0]: ["a", "b"], story.contacts[1]: ["a", "b"], story.contacts[2]: ["c"]}
    assert [story.execution(flow, each)["campaignVersion"] for each in story.contacts] == [1, 1, 2]


def test_publishing_another_event_changes_the_subscription(story: Story) -> None:
    story.set_up(contacts=3)
    campaign, _ = open_campaign(story)
    story.expect(200, story.api.patch(f"/campaigns/{campaign}", {"trigger": {**ORDER, "event": "order.paid"}}))
    story.expect(200, story.api.post(f"/campaigns/{campaign}/publish"))
    report(story, {}, {"name": "order.paid", "contactUid": story.contacts[1]})
    story.run()
    assert sent_to(story) == [story.contacts[1]]
