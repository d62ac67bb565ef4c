"""A SEND goes on with its fallback when its own channel is refused for good: once, and never when it may be out."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.model.channel import Channel
from chalicelib.model.message import (
    Accepted,
    OutcomeUnknown,
    OutgoingMessage,
    PermanentFailure,
    RecipientSuppressed,
    SendResult,
    TransientFailure,
)
from chalicelib.wiring import use_ports
from tests.integration.consent_helpers import reasons
from tests.integration.harness import Story
from tests.integration.reporting_channel import ReportingChannel, publish_reports, story

__all__ = ["story"]

SECOND = timedelta(seconds=1)


@dataclass
class Chat(ReportingChannel):
    """A channel type that not every contact has, with its own address."""

    unreachable_codes: frozenset[str] = frozenset({"no_app"})
    own_way: bool = False
    name: str = "chat"

    def read_events(self, callback: Any) -> Any:
        return ()

    def falls_back(self, channel: Channel) -> bool:
        return self.own_way


@dataclass
class Both:
    """A story with two media, and a campaign of one SEND by chat with the console in its place."""

    story: Story
    chat: Chat
    chat_channel: str
    step: dict[str, Any] = field(default_factory=dict)

    def start(self, *steps: dict[str, Any], **fields: Any) -> str:
        flow = self.story.start(self.story.campaign(self.step, *steps), **fields)
        self.story.advance(SECOND * 3)
        return flow

    def sent(self) -> list[tuple[str, str]]:
        """Return the messages that each channel type was asked to send, by message uid without the flow."""
        calls = [*self.chat.calls, *self.story.provider.calls]
        return [(each.message.channel.type, str(each.message.uid).split(".", 3)[3]) for each in calls]

    def row(self, flow: str) -> Any:
        return self.story.execution(flow, self.story.contacts[0])

    def counts(self, flow: str) -> list[int]:
        stats = self.story.flow(flow)["stats"]
        return [stats[word] for word in ("sent", "unknown", "skipped", "failed")]


@pytest.fixture
def both(story: Story) -> Both:
    chat, console = Chat(story.provider.clock), ReportingChannel(story.provider.clock)
    story.provider = console
    story.world.ports = replace(story.world.ports, channel_types={"chat": chat, "console": console})
    use_ports(story.world.ports)
    story.set_up(1)
    made = story.expect(201, story.api.post("/v1/channels", {"name": "Chat", "type": "chat"}))["uid"]
    template = story.add_template("Hello by chat", channelType="chat")
    fallback = {"mode": "channel", "channelUid": story.channel, "templateUid": story.template}
    step = {"id": "hello", "type": "SEND", "channelUid": made, "templateUid": template, "fallback": fallback}
    return Both(story, chat, made, step)


@pytest.mark.parametrize(
    "refusal", [PermanentFailure("bad_number"), RecipientSuppressed("opted_out"), PermanentFailure("no_app")]
)
def test_what_is_refused_for_good_goes_by_the_fallback(both: Both, refusal: SendResult) -> None:
    both.chat.answer = lambda message: refusal
    lanes = [
        {"label": "yes", "when": {"message": "hello", "channelUsed": both.story.channel}, "steps": []},
        {"label": "no", "steps": [{"id": "end", "type": "END"}]},
    ]
    flow = both.start({"id": "if", "type": "CONDITION", "lanes": lanes})
    assert both.sent() == [("chat", "hello.1"), ("console", "hello.1.1")]
    assert both.counts(flow) == [1, 0, 0, 0]
    row = both.row(flow)
    assert row["status"] == "completed"
    assert [each["exit"] for each in row["history"] if each["nodeId"] == "if"] == ["yes"]
    (message,) = both.story.api.all_pages(f"/v1/messages?flowUid={flow}")
    assert (message["channelUid"], message["uid"].split(".")[-1]) == (both.story.channel, "1")
    assert both.story.api.get(f"/v1/messages/{message['uid']}").status == 200


@pytest.mark.parametrize(
    "answer",
    [
        lambda message: Accepted("1"),
        lambda message: OutcomeUnknown("read_timeout"),
        lambda message: TransientFailure("busy"),
    ],
    ids=["accepted", "unknown", "retryable"],
)
def test_nothing_else_leads_to_the_fallback(both: Both, answer: Callable[[OutgoingMessage], SendResult]) -> None:
    both.chat.answer = answer
    both.start(configuration={"maxRetries": 0})
    assert [medium for medium, _ in both.sent()] == ["chat"]


def test_a_lost_answer_before_the_refusal_forbids_the_fallback(both: Both) -> None:
    """The first try may have arrived: the contact would get two."""
    answers: Iterator[SendResult] = iter([OutcomeUnknown("read_timeout"), PermanentFailure("bad_number")])
    both.chat.answer = lambda message: next(answers)
    both.chat.deduplicates = True
    flow = both.start()
    both.story.advance(SECOND * 6)
    assert both.sent() == [("chat", "hello.1")] * 2
    assert both.counts(flow) == [0, 0, 0, 1]


def test_a_receipt_keeps_a_lost_message_from_being_sent_again(both: Both) -> None:
    both.chat.answer = lambda message: OutcomeUnknown("read_timeout")
    both.chat.deduplicates = True
    flow = both.start()
    publish_reports(both.story, {"message": str(both.chat.calls[0].message.uid), "engagement": "delivered"})
    both.story.advance(SECOND * 6)
    assert both.sent() == [("chat", "hello.1")]
    assert both.counts(flow) == [1, 0, 0, 0]
    assert both.story.flow(flow)["stats"]["delivered"] == 1


def test_the_refused_message_has_no_say_in_what_became_of_the_other(both: Both) -> None:
    both.chat.answer = lambda message: PermanentFailure("bad_number")
    flow = both.start()
    first, second = both.chat.calls[0].message.uid, both.story.provider.calls[0].message.uid
    publish_reports(both.story, {"message": str(first), "engagement": "failed"})
    publish_reports(both.story, {"message": str(second), "engagement": "delivered"})
    (message,) = both.story.api.all_pages(f"/v1/messages?flowUid={flow}")
    assert (message["status"], both.story.flow(flow)["stats"]["delivered"]) == ("delivered", 1)


def test_when_the_fallback_is_refused_too_it_has_failed(both: Both) -> None:
    both.chat.answer = both.story.provider.answer = lambda message: PermanentFailure("bad_number")
    flow = both.start()
    assert both.sent() == [("chat", "hello.1"), ("console", "hello.1.1")]
    assert (both.counts(flow), both.row(flow)["reason"]) == ([0, 0, 0, 1], "bad_number")


def test_without_a_fallback_that_is_possible_the_refusal_counts(both: Both) -> None:
    both.story.expect(
        201, both.story.api.post("/v1/suppressions", {"email": "c0@example.com", "channelType": "console"})
    )
    both.chat.answer = lambda message: PermanentFailure("bad_number")
    flow = both.start()
    assert (both.counts(flow), both.row(flow)["reason"]) == ([0, 0, 0, 1], "bad_number")


def test_who_has_no_such_device_gets_the_next_by_the_fallback_at_once(both: Both) -> None:
    both.chat.answer = lambda message: PermanentFailure("no_app")
    both.start()
    flow = both.start()
    assert [medium for medium, _ in both.sent()] == ["chat", "console", "console"]
    assert both.counts(flow) == [1, 0, 0, 0]
    both.story.expect(200, both.story.api.patch(f"/v1/contacts/{both.story.contacts[0]}", {"email": "new@example.com"}))
    both.start()
    assert len(both.chat.calls) == 2


def test_what_was_learnt_is_forgotten_after_a_week(both: Both) -> None:
    both.chat.answer = lambda message: PermanentFailure("no_app")
    both.start()
    both.story.advance(timedelta(days=8), timedelta(hours=12))
    both.start()
    assert len(both.chat.calls) == 2


def test_a_failure_that_is_reported_later_is_remembered_too(both: Both) -> None:
    both.story.provider.unreachable_codes = frozenset({"no_mailbox"})
    flow = both.story.start(both.story.short_campaign())
    both.story.advance(SECOND)
    uid = str(both.story.provider.calls[0].message.uid)
    publish_reports(both.story, {"message": uid, "engagement": "failed", "code": "no_mailbox", "is_soft": True})
    (message,) = both.story.api.all_pages(f"/v1/messages?flowUid={flow}")
    assert message["status"] == "failed"
    again = both.story.start(both.story.short_campaign())
    both.story.advance(SECOND)
    assert reasons(both.story, again) == {"not_capable": 1}


def test_where_the_provider_falls_back_we_do_not(both: Both) -> None:
    both.chat.own_way = True
    both.chat.answer = lambda message: PermanentFailure("no_app")
    both.start()
    flow = both.start()
    assert [medium for medium, _ in both.sent()] == ["chat"]
    assert reasons(both.story, flow) == {"not_capable": 1}


def test_a_paused_flow_goes_on_with_the_fallback_after_it(both: Both) -> None:
    flow = ""

    def refuse(message: OutgoingMessage) -> SendResult:
        both.story.set_status(message.uid.flow, "paused")
        return PermanentFailure("bad_number")

    both.chat.answer = refuse
    flow = both.start()
    assert both.sent() == [("chat", "hello.1")]
    both.story.set_status(flow, "running")
    both.story.advance(SECOND * 3)
    assert both.sent() == [("chat", "hello.1"), ("console", "hello.1.1")]
