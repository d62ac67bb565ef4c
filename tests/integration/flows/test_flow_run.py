"""A flow from the API through the queues to the provider and back into statistics."""

from datetime import timedelta

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
