"""Creation of flows through the API, as api.md documents it."""

import re
from datetime import timedelta

import pytest

from tests.integration.harness import Story, fields_of, story

__all__ = ["story"]

CONFIGURATION = {
    "maxRetries": 3,
    "pauseBetweenContactsMs": 5000,
    "pauseBetweenContactsSaltMs": 1000,
    "retryDelayMs": 5000,
    "timeoutMs": 300000,
    "maxConcurrentMessages": 1,
}
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


@pytest.mark.parametrize("prefix", ["", "/v1"])
def test_the_documented_curl_calls_create_pause_and_resume_a_flow(story: Story, prefix: str) -> None:
    story.set_up()
    body = {
        "channelUid": story.channel,
        "campaignUid": story.short_campaign(),
        "contactUids": story.contacts,
        "description": "Black Friday campaign for VIP customers",
        "configuration": CONFIGURATION,
    }
    made = story.api.post(f"{prefix}/flows", body)
    assert (made.status, made.data["status"]) == (201, "queued")
    assert made.json["message"]
    url = f"{prefix}/flows/{made.data['uid']}"
    story.run()
    read = story.api.get(url)
    assert (read.status, read.data["status"]) == (200, "running")
    assert read.data["configuration"] == CONFIGURATION
    assert read.data["description"] == body["description"]
    assert read.headers["x-request-id"]
    assert read.headers["cache-control"] == "no-store"
    paused = story.api.patch(url, {"status": "paused"})
    assert (paused.status, paused.data["status"], paused.data["metadata"]["inFlight"]) == (200, "paused", 0)
    assert MOMENT.fullmatch(paused.data["pausedAt"])
    story.advance(timedelta(minutes=1))
    assert len(story.provider.calls) == 1
    resumed = story.api.patch(url, {"status": "running"})
    assert (resumed.status, resumed.data["status"], resumed.data["pausedAt"]) == (200, "running", None)
    story.advance(timedelta(seconds=30))
    done = story.api.get(url).data
    assert (done["status"], done["stats"]["sent"]) == ("completed", 3)
    assert len(story.provider.calls) == 3


def test_a_flow_is_created_from_snake_case_fields(story: Story) -> None:
    story.set_up()
    body = {
        "channel_uid": story.channel,
        "campaign_uid": story.short_campaign(),
        "contact_uids": story.contacts,
        "configuration": {"pause_between_contacts_ms": 5, "max_concurrent_messages": 2},
    }
    made = story.expect(201, story.api.post("/v1/flows", body))
    assert made["configuration"]["pauseBetweenContactsMs"] == 5


def test_pacing_that_the_flow_omits_comes_from_its_campaign(story: Story) -> None:
    story.set_up()
    campaign = story.short_campaign(configuration={"pauseBetweenContactsMs": 5000, "maxRetries": 1})
    flow = story.start(campaign, status="draft", configuration={"pauseBetweenContactsSaltMs": 1000})
    shown = story.flow(flow)["configuration"]
    assert (shown["pauseBetweenContactsMs"], shown["pauseBetweenContactsSaltMs"], shown["maxRetries"]) == (
        5000,
        1000,
        1,
    )
    changed = story.expect(200, story.api.patch(f"/flows/{flow}", {"configuration": {"maxRetries": 7}}))
    assert changed["configuration"] == shown | {"maxRetries": 7}
    wrong = story.api.patch(f"/flows/{flow}", {"configuration": {"pauseBetweenContactsMs": 10}})
    assert (wrong.status, fields_of(wrong)) == (422, ["configuration"])
    assert "pauseBetweenContactsSaltMs (1000)" in wrong.json["details"][0]["message"]
