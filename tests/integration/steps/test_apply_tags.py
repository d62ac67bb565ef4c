"""Apply TAG steps: against concurrent changes of the contact, and after a crash."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.errors import Conflict
from chalicelib.model.contact import Contact
from chalicelib.model.ids import WorkspaceUid
from chalicelib.wiring import use_ports
from tests.builders import condition, tag, wait
from tests.integration.harness import Story, story

__all__ = ["story"]


VIP = {"tag": "vip"}


def _recounted(story: Story, flow: str) -> Any:
    return story.expect(200, story.api.post(f"/flows/{flow}/recount"))["stats"]


def _comparable(stats: Any) -> Any:
    return {name: value for name, value in stats.items() if name not in {"estimatedCompletionAt", "messagesPerMinute"}}


def _tags(story: Story, contact: str) -> list[str]:
    return list(story.expect(200, story.api.get(f"/v1/contacts/{contact}"))["tags"])


def test_a_condition_sees_a_tag_of_the_same_execution(story: Story) -> None:
    story.set_up(contacts=3)
    steps = [tag("mark", "vip"), condition("c", VIP, [story.send("hello")], []), tag("again", "seen")]
    flow = story.start(story.campaign(*steps))
    story.advance(timedelta(seconds=10))
    assert story.flow(flow)["status"] == "completed"
    assert len(story.provider.calls) == 3
    assert _tags(story, story.contacts[0]) == ["vip", "seen"]
    assert _comparable(_recounted(story, flow)) == _comparable(story.flow(flow)["stats"])


class Meddling:
    """Contacts that another writer changes between our read and our write, `times` times."""

    def __init__(self, story: Story, times: int) -> None:
        self._contacts, self._story, self.left = story.world.ports.contacts, story, times
        self._ours = True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._contacts, name)

    def save(self, workspace: WorkspaceUid, before: Contact, after: Contact, *told: Any) -> Contact:
        self._meddle(before)
        return self._contacts.save(workspace, before, after, *told)

    def save_many(self, workspace: WorkspaceUid, changes: Sequence[tuple[Contact, Contact]]) -> tuple[bool, ...]:
        for before, _ in changes:
            self._meddle(before)
        return self._contacts.save_many(workspace, changes)

    def _meddle(self, before: Contact) -> None:
        if self._ours and self.left:
            self.left -= 1
            self._ours = False
            change = {"firstName": f"Other{self.left}", "tags": [*before.tags, f"other{self.left}"]}
            self._story.expect(200, self._story.api.patch(f"/v1/contacts/{before.uid}", change))
            self._ours = True


@pytest.mark.parametrize("times", [1, 4, 7])
def test_a_tag_and_a_concurrent_change_are_both_stored(story: Story, times: int) -> None:
    story.set_up(contacts=1)
    flow = story.start(story.campaign(tag("mark", "vip"), story.send("hello")))
    story.world.ports = replace(story.world.ports, contacts=Meddling(story, times))
    use_ports(story.world.ports)
    story.advance(timedelta(minutes=5), step=timedelta(seconds=10))
    assert story.flow(flow)["status"] == "completed"
    assert Counter(_tags(story, story.contacts[0])) == Counter([*(f"other{n}" for n in range(times)), "vip"])
    assert story.expect(200, story.api.get(f"/v1/contacts/{story.contacts[0]}"))["firstName"] == "Other0"
    assert [sent.message.content["text"] for sent in story.provider.calls] == ["Hello Other0"]
    assert story.flow(flow)["stats"]["nodes"]["mark"] == {"entered": 1, "here": 0, "left": {"next": 1}}


def test_a_tag_that_was_stored_before_a_crash_is_not_added_twice(story: Story) -> None:
    story.set_up(contacts=1)
    flow = story.start(story.campaign(tag("mark", "vip"), story.send("hello")))
    executions, crashes = story.world.ports.executions, [1]

    class Crashing:
        def __getattr__(self, name: str) -> Any:
            return getattr(executions, name)

        def save_many(self, saves: Any, shards: int) -> Any:
            if crashes:
                crashes.pop()
                raise Conflict("the process died here")
            return executions.save_many(saves, shards)

    use_ports(replace(story.world.ports, executions=Crashing()))  # type: ignore[arg-type]  # delegates the rest
    story.advance(timedelta(minutes=5), step=timedelta(seconds=10))
    assert crashes == []
    assert story.flow(flow)["status"] == "completed"
    assert _tags(story, story.contacts[0]) == ["vip"]
    assert len(story.provider.calls) == 1


def test_an_erased_contact_or_one_with_the_tags_does_not_delay_the_others(story: Story) -> None:
    story.set_up(contacts=3)
    full = {"tags": [f"t{number}" for number in range(50)]}
    story.expect(200, story.api.patch(f"/v1/contacts/{story.contacts[0]}", full))
    flow = story.start(story.campaign(wait("pause", "PT1M"), tag("mark", "vip"), story.send("hello")))
    story.advance(timedelta(seconds=5))
    assert story.api.delete(f"/v1/contacts/{story.contacts[1]}").status in {200, 202, 204}
    story.advance(timedelta(minutes=2), step=timedelta(seconds=10))
    shown = story.flow(flow)
    assert shown["status"] == "partial_completed"
    assert shown["metadata"]["failureReasons"] == {"too_many_tags": 1}
    assert shown["metadata"]["skipReasons"] == {"contact_not_found": 1}
    assert story.provider.recipients() == ["c2@example.com"]
