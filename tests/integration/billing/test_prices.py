"""Test the cost of messages: in the execution, in the flow, and in the estimate."""

from datetime import timedelta

from chalicelib.model.message import Accepted, OutcomeUnknown, OutgoingMessage, PermanentFailure, SendResult
from tests.integration.harness import Story, story

__all__ = ["story"]


def _priced(story: Story, contacts: int, **fields: object) -> None:
    story.set_up(contacts=contacts)
    body = {"name": "Console", "type": "console", "prices": {"MESSAGE": "0.0075"}, **fields}
    story.expect(200, story.api.put(f"/v1/channels/{story.channel}", body))


def test_sent_and_unknown_messages_are_charged_and_refused_ones_are_not(story: Story) -> None:
    _priced(story, contacts=4)
    results: dict[str, SendResult] = {
        "c0@example.com": PermanentFailure("x"),
        "c1@example.com": OutcomeUnknown("read_timeout"),
    }
    story.provider.answer = lambda message: results.get(message.to, Accepted(str(message.uid)))
    flow = story.start(story.short_campaign())
    story.advance(timedelta(seconds=5))
    stats = story.flow(flow)["stats"]
    assert (stats["spent"], stats["currency"]) == ("0.0225", "EUR")
    costs = {each["contactUid"]: each["cost"] for each in story.api.get(f"/v1/messages?flowUid={flow}").data}
    assert [costs[contact] for contact in story.contacts] == ["0.00", "0.0075", "0.0075", "0.0075"]
    story.expect(200, story.api.post(f"/flows/{flow}/recount"))
    assert story.flow(flow)["stats"]["spent"] == "0.0225"


def test_a_message_is_charged_per_part(story: Story) -> None:
    _priced(story, contacts=1)
    story.provider.parts = 3
    flow = story.start(story.short_campaign())
    story.advance(timedelta(seconds=5))
    assert story.flow(flow)["stats"]["spent"] == "0.0225"


def test_an_unknown_message_of_a_crashed_worker_is_charged(story: Story) -> None:
    _priced(story, contacts=1)

    class WorkerKilled(BaseException):
        """Simulates the crash of a worker."""

    def kill(_: OutgoingMessage) -> None:
        story.provider.during = lambda _: None
        raise WorkerKilled

    story.provider.during = kill
    flow = story.start(story.short_campaign())
    story.world.drain("JobQueue")
    try:
        story.world.deliver_all("StepQueue")
    except WorkerKilled:
        story.time_travel.shift(timedelta(minutes=5))
    story.advance(timedelta(minutes=10), step=timedelta(seconds=10))
    stats = story.flow(flow)["stats"]
    assert (stats["unknown"], stats["spent"]) == (1, "0.0075")


def test_an_estimate_includes_the_cost_of_all_contacts(story: Story) -> None:
    _priced(story, contacts=5)
    campaign = story.short_campaign(audience={"contactUids": story.contacts})
    cost = story.expect(200, story.api.post(f"/v1/campaigns/{campaign}/estimate", {}))["cost"]
    assert (cost["expected"], cost["worst"]) == ("0.0375", "0.0375")


def test_an_invalid_price_is_refused_with_its_field(story: Story) -> None:
    body = {"name": "Console", "type": "console", "prices": {"MESSAGE": "free"}, "pricesByPrefix": {"49": {}}}
    reply = story.api.post("/v1/channels", body)
    assert reply.status == 422
    assert {problem["field"] for problem in reply.json["details"]} >= {"prices.MESSAGE"}
