"""Of many who launch a campaign at the same moment, one starts it."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from chalicelib.core.launching.launch_campaign import LaunchRequest, launch_campaign
from chalicelib.errors import Conflict
from chalicelib.model.flow import Flow
from tests.integration.harness import Story, story

__all__ = ["story"]


def _launch(story: Story, campaign: str) -> Flow | Conflict:
    wish = LaunchRequest(contact_uids=tuple(story.contacts))
    try:
        launched = launch_campaign(story.world.ports, story.api.workspace, campaign, wish)
    except Conflict as conflict:
        return conflict
    assert launched.flow
    return launched.flow


def test_of_twelve_launches_at_once_one_starts_a_flow(story: Story) -> None:
    story.set_up(contacts=2)
    campaign = story.short_campaign()
    with ThreadPoolExecutor(12) as pool:
        results = list(pool.map(lambda _: _launch(story, campaign), range(12)))
    assert sum(isinstance(result, Flow) for result in results) == 1
    story.run()
    assert set(story.provider.times_called().values()) == {1}
    assert len(story.provider.calls) == 2


def test_a_campaign_that_is_over_can_be_launched_again(story: Story) -> None:
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
