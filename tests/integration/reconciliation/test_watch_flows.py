"""Who is stuck is counted, listed and set going again."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from chalicelib.wiring import use_ports
from tests.integration.harness import Story, story

__all__ = ["story"]


class Deaf:
    """A queue that loses every hint."""

    def send(self, *_: Any) -> None:
        return None

    def backlog(self) -> int:
        return 0


def test_executions_without_a_step_message_are_counted_listed_and_enqueued(story: Story) -> None:
    story.set_up(contacts=2)
    flow = story.start(story.short_campaign())
    use_ports(replace(story.world.ports, steps=Deaf()))
    story.world.drain("JobQueue")
    story.time_travel.shift(timedelta(minutes=3))
    url = f"/v1/flows/{flow}"
    assert story.expect(200, story.api.post(f"{url}/recount"))["metadata"]["stuck"] == 2
    assert len(story.api.all_pages(f"{url}/executions?stuck=true")) == 2
    use_ports(story.world.ports)
    story.api.post(f"{url}/recount")
    story.advance(timedelta(seconds=5))
    shown = story.flow(flow)
    assert (shown["status"], shown["metadata"]["stuck"], shown["stats"]["completed"]) == ("completed", 0, 2)
    assert story.api.all_pages(f"{url}/executions?stuck=true") == []
