"""What one step does beside its message, and what it makes of reads that lag."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.errors import RetryLater
from chalicelib.model.contact import Contact
from chalicelib.model.ids import ContactUid, WorkspaceUid
from chalicelib.model.message import OutgoingMessage
from tests.builders import condition, end, tag
from tests.integration.consent_helpers import swap_ports
from tests.integration.harness import PatchedPort, Story, story

__all__ = ["story"]


def _tags(story: Story) -> list[list[str]]:
    return [story.expect(200, story.api.get(f"/v1/contacts/{uid}"))["tags"] for uid in story.contacts]


def _one_round(story: Story) -> None:
    """The jobs that start a flow, then just one delivery of the steps that are there."""
    story.world.drain("JobQueue")
    story.world.deliver_all("StepQueue")


class TestATagBehindASend:
    def test_is_done_by_the_step_that_sent(self, story: Story) -> None:
        story.set_up(contacts=3)
        lane = condition("which", {"tag": "greeted"}, [end("yes")], [end("no")])
        flow = story.start(story.campaign(story.send("hello"), tag("mark", "greeted"), lane))
        _one_round(story)
        assert _tags(story) == [["greeted"]] * 3
        ways = [story.execution(flow, uid)["history"] for uid in story.contacts]
        assert [[visit["nodeId"] for visit in way][:3] for way in ways] == [["hello", "mark", "which"]] * 3
        assert story.world.deliver_all("StepQueue") == 0

    def test_is_left_to_a_step_of_its_own_while_the_contacts_cannot_be_written(self, story: Story) -> None:
        story.set_up(contacts=2)
        flow = story.start(story.campaign(story.send("hello"), tag("mark", "greeted")))
        contacts = story.world.ports.contacts

        def away(*_: object) -> Any:
            raise RetryLater("DynamoDB is throttled")

        swap_ports(story, contacts=PatchedPort(contacts, save=away, save_many=away))
        _one_round(story)
        assert [story.execution(flow, uid)["nodeId"] for uid in story.contacts] == ["mark"] * 2
        assert story.flow(flow)["stats"]["sent"] == 2
        swap_ports(story, contacts=contacts)
        story.advance(timedelta(minutes=10), step=timedelta(seconds=10))
        assert _tags(story) == [["greeted"]] * 2
        assert (story.flow(flow)["status"], len(story.provider.calls)) == ("completed", 2)

    def test_fails_whom_it_would_give_too_many_and_their_message_stays_sent(self, story: Story) -> None:
        story.set_up(contacts=2)
        full = {"tags": [f"t{number}" for number in range(50)]}
        story.expect(200, story.api.patch(f"/v1/contacts/{story.contacts[0]}", full))
        flow = story.start(story.campaign(story.send("hello"), tag("mark", "greeted")))
        story.advance(timedelta(seconds=5))
        shown = story.flow(flow)
        assert (shown["stats"]["sent"], shown["metadata"]["failureReasons"]) == (2, {"too_many_tags": 1})
        assert [len(tags) for tags in _tags(story)] == [50, 1]

    def test_keeps_what_somebody_else_wrote_while_the_message_was_under_way(self, story: Story) -> None:
        story.set_up(contacts=2)

        def meddle(_: OutgoingMessage) -> None:
            story.provider.during = lambda _: None
            for uid in story.contacts:
                story.expect(200, story.api.patch(f"/v1/contacts/{uid}", {"tags": ["other"], "firstName": "Other"}))

        story.provider.during = meddle
        story.start(story.campaign(story.send("hello"), tag("mark", "greeted")))
        story.advance(timedelta(seconds=5))
        assert _tags(story) == [["other", "greeted"]] * 2

    def test_tells_a_campaign_that_listens_once_for_each(self, story: Story) -> None:
        story.set_up(contacts=3)
        thanks = story.send("thanks", channelUid=story.channel)
        listening = story.campaign(thanks, trigger={"type": "event", "event": "contact.tagged"})
        story.expect(202, story.api.post(f"/v1/campaigns/{listening}/launch"))
        story.start(story.campaign(story.send("hello"), tag("mark", "greeted")))
        story.advance(timedelta(minutes=5), step=timedelta(seconds=5))
        nodes = [call.message.uid.node for call in story.provider.calls]
        assert sorted(nodes) == ["hello"] * 3 + ["thanks"] * 3


class TestAnOutdatedContact:
    """What is known of a contact may lag behind what they or their operator said just now."""

    def _read_early(self, story: Story, before: Mapping[ContactUid, Contact]) -> None:
        contacts = story.world.ports.contacts

        def find_many(workspace: WorkspaceUid, uids: Sequence[ContactUid], strong: bool) -> Any:
            return contacts.find_many(workspace, uids, strong) if strong else {uid: before[uid] for uid in uids}

        swap_ports(story, contacts=PatchedPort(contacts, find_many=find_many))

    def _change(self, story: Story, **changes: Any) -> dict[ContactUid, Contact]:
        """The contacts as they were before the change."""
        uids = [ContactUid(uid) for uid in story.contacts]
        before = story.world.ports.contacts.find_many(story.api.workspace, uids, strong=True)
        for uid in story.contacts:
            story.expect(200, story.api.patch(f"/v1/contacts/{uid}", changes))
        return before

    def test_is_not_skipped_for_a_no_that_was_taken_back(self, story: Story) -> None:
        story.set_up(contacts=2)
        self._change(story, status="UNSUBSCRIBED")
        self._read_early(story, self._change(story, status="ACTIVE"))
        flow = story.start(story.campaign(story.send("one")))
        story.advance(timedelta(seconds=30))
        assert (story.flow(flow)["status"], len(story.provider.calls)) == ("completed", 2)

    @pytest.mark.parametrize("is_sent", [False, True])
    def test_takes_the_lane_of_what_is_true_now(self, story: Story, is_sent: bool) -> None:
        story.set_up(contacts=2)
        self._read_early(story, self._change(story, tags=["vip"]))
        lanes = ([story.send("thanks")], [story.send("offer")]) if is_sent else ([end("yes")], [end("no")])
        flow = story.start(story.campaign(condition("which", {"tag": "vip"}, *lanes)))
        # The second look at a row that was withdrawn meets the contact as it is.
        contacts = story.world.ports.contacts
        _one_round(story)
        swap_ports(story, contacts=contacts._port if is_sent else contacts)
        story.advance(timedelta(seconds=30))
        nodes = [[visit["nodeId"] for visit in story.execution(flow, uid)["history"]] for uid in story.contacts]
        assert {node for way in nodes for node in way} <= {"which", "thanks", "yes"}
        assert {call.message.uid.node for call in story.provider.calls} == ({"thanks"} if is_sent else set())
        assert story.flow(flow)["status"] == "completed"
