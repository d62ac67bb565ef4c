"""DynamoDB throttles the writes of one execution while it writes the others."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.integration.harness import Story, story

__all__ = ["story"]

SLOW = {"Error": {"Code": "ThrottlingException", "Message": "slow"}, "ResponseMetadata": {"HTTPStatusCode": 400}}


class Throttled:
    """A client that throttles the execution of one contact, from one write on, for a number of attempts."""

    def __init__(self, client: Any, contact: str) -> None:
        self._client, self._contact = client, contact
        self.writes = self.refused = 0
        #: Which writes of the contact's row are refused, by their number.
        self.refuses = range(0)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def batch_execute_statement(self, **request: Any) -> Any:
        statements = request["Statements"]
        hit = [each["Statement"].startswith("UPDATE") and self._is_refused(each["Parameters"]) for each in statements]
        rest = [each for each, is_hit in zip(statements, hit, strict=True) if not is_hit]
        told = iter(self._client.batch_execute_statement(Statements=rest)["Responses"] if rest else ())
        return {"Responses": [{"Error": {"Code": "ThrottlingError"}} if is_hit else next(told) for is_hit in hit]}

    def update_item(self, **request: Any) -> Any:
        if self._is_refused([request["Key"]["sk"]]):
            raise ClientError(SLOW, "UpdateItem")  # type: ignore[arg-type]  # less than AWS tells
        return self._client.update_item(**request)

    def _is_refused(self, values: Any) -> bool:
        if {"S": self._contact} not in values:
            return False
        self.writes += 1
        is_hit = self.writes - 1 in self.refuses
        self.refused += is_hit
        return is_hit


@pytest.fixture
def throttled(story: Story) -> Iterator[Throttled]:
    """A flow over five contacts; the execution of the third one is throttled."""
    story.set_up(contacts=5)
    executions: Any = story.world.ports.executions
    client, sleep = executions._client, executions._sleep
    executions._client, executions._sleep = Throttled(client, story.contacts[2]), lambda _: None
    yield executions._client
    executions._client, executions._sleep = client, sleep


def _send_to_all(story: Story) -> str:
    flow = story.start(story.campaign(story.send("one")))
    story.advance(timedelta(minutes=20), step=timedelta(seconds=10))
    return flow


@pytest.mark.parametrize("tries", [1, 3, 4, 8, 100])
def test_a_claim_that_cannot_be_written_costs_nobody_a_message(story: Story, throttled: Throttled, tries: int) -> None:
    throttled.refuses = range(tries)
    flow = _send_to_all(story)
    shown = story.flow(flow)
    assert throttled.refused == tries
    assert (shown["status"], shown["stats"]["sent"], shown["stats"]["unknown"]) == ("completed", 5, 0)
    assert sorted(call.message.uid.contact for call in story.provider.calls) == sorted(story.contacts)


@pytest.mark.parametrize("tries", [1, 4, 12])
def test_what_became_of_a_message_is_saved_as_long_as_there_is_time(
    story: Story, throttled: Throttled, tries: int
) -> None:
    throttled.refuses = range(1, 1 + tries)
    flow = _send_to_all(story)
    shown = story.flow(flow)
    assert throttled.refused == tries
    assert (shown["status"], shown["stats"]["sent"], shown["stats"]["unknown"]) == ("completed", 5, 0)
    assert len(story.provider.calls) == 5


def test_a_message_that_cannot_be_saved_at_all_is_unknown_and_is_the_only_one(
    story: Story, throttled: Throttled
) -> None:
    throttled.refuses = range(1, 21)
    flow = _send_to_all(story)
    shown = story.flow(flow)
    assert (shown["status"], shown["stats"]["sent"], shown["stats"]["unknown"]) == ("partial_completed", 4, 1)
    assert len(story.provider.calls) == 5
