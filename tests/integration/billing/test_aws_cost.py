"""Test the AWS usage of a flow: against a second meter, in the API, and against the estimate."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.aws import usage_meter as usage
from chalicelib.model.execution import Engagement
from chalicelib.model.queued_report import LinkVisit
from tests.bench.calls import MeteredStory, _watching, open_story
from tests.bench.consumed_capacity import Telling

CONTACTS = 60


@pytest.fixture
def story() -> Iterator[MeteredStory]:
    usage._remainders.clear()
    with open_story() as story:
        story.meter = Telling(story.meter._peek)
        story.set_up(CONTACTS)
        yield story


def _flow(story: MeteredStory, *steps: dict[str, Any]) -> tuple[str, str]:
    """Run a flow to its end and return it with its campaign."""
    campaign = story.campaign(*steps, audience={"contactUids": story.contacts})
    flow = story.start(campaign)
    with _watching(story):
        story.run()
        story.advance(timedelta(seconds=5))
    assert story.flow(flow)["status"] == "completed"
    return flow, campaign


def test_the_stored_usage_equals_that_of_a_second_meter(story: MeteredStory) -> None:
    flow, campaign = _flow(story, story.send("one"), story.send("two"))
    aws, asked = story.flow(flow)["cost"]["aws"], story.meter.tally
    units = aws["units"]
    assert units["queueRequests"] == asked.sqs_requests
    assert units["invocations"] == asked.sqs_batches
    # The last writes of a process are counted with its next batch.
    assert 0.97 <= units["writeUnits"] / asked.write_units.total() <= 1
    assert 0.97 <= units["readUnits"] / sum(asked.read_units.values()) <= 1
    assert (aws["currency"], aws["region"]) == ("USD", "us-east-1")
    status = story.expect(200, story.api.get(f"/v1/campaigns/{campaign}/status"))
    assert status["cost"]["aws"] == aws
    story.expect(200, story.api.post(f"/flows/{flow}/recount"))
    assert story.flow(flow)["cost"]["aws"] == aws


def test_the_estimate_is_within_a_tenth_of_the_usage(story: MeteredStory) -> None:
    steps = (story.send("one"), {"id": "tag", "type": "TAG", "add": ["vip"]}, story.send("two"))
    flow, campaign = _flow(story, *steps)
    default = {"channelUid": story.channel}
    expected = story.expect(200, story.api.post(f"/v1/campaigns/{campaign}/estimate", default))["cost"]["aws"]["units"]
    counted = story.flow(flow)["cost"]["aws"]["units"]
    for name in ("writeUnits", "readUnits", "queueRequests"):
        assert expected[name] == pytest.approx(counted[name], rel=0.1), name


def test_delivery_reports_count_as_usage(story: MeteredStory) -> None:
    body = {"name": "Console", "type": "console", "reportsReceipts": True}
    story.channel = story.expect(201, story.api.post("/v1/channels", body))["uid"]
    campaign = story.short_campaign(audience={"contactUids": story.contacts})
    estimate = story.expect(200, story.api.post(f"/v1/campaigns/{campaign}/estimate", {}))
    flow = story.start(campaign)
    with _watching(story):
        story.run()
        for each in story.provider.calls:
            opened = LinkVisit(message_uid=str(each.message.uid), engagement=Engagement.OPENED, at=story.now)
            story.world.ports.receipt_queue.send(opened.model_dump_json())
        story.advance(timedelta(seconds=5))
    assert story.flow(flow)["stats"]["opened"] == CONTACTS
    units, asked = story.flow(flow)["cost"]["aws"]["units"], story.meter.tally
    assert 0.97 <= units["writeUnits"] / asked.write_units.total() <= 1.03
    expected = estimate["cost"]["aws"]["units"]
    assert expected["writeUnits"] == pytest.approx(units["writeUnits"], rel=0.1)


def test_a_draft_flow_has_no_usage(story: MeteredStory) -> None:
    campaign = story.short_campaign()
    cost = story.flow(story.start(campaign, status="draft"))["cost"]
    assert (cost["messages"]["amount"], cost["aws"]["amount"]) == ("0.00", "0.000000")
    other = story.short_campaign()
    assert story.expect(200, story.api.get(f"/v1/campaigns/{other}/status"))["cost"] is None
