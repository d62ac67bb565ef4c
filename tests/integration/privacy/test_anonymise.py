"""A contact made nameless: nothing tells who it was, nothing is sent to it, and every count stays as it was."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.model.event import Event
from chalicelib.wiring import use_ports
from tests.integration.consent_helpers import consent, newsletter, reasons, send_one
from tests.integration.harness import Story, story
from tests.integration.privacy.test_erase_contact import (
    CANARIES,
    Failing,
    canary,
    everything_but_catalog_free,
    left,
    live,
)

__all__ = ["canary", "story"]


def anonymise(story: Story, uid: str) -> Any:
    return story.expect(200, story.api.post(f"/v1/contacts/{uid}/anonymise"))


def counts(story: Story, flow: str) -> dict[str, Any]:
    """All but what is by the minute."""
    return {name: value for name, value in story.flow(flow)["stats"].items() if name != "messagesPerMinute"}


def test_nothing_in_any_table_tells_who_it_was(story: Story, canary: str) -> None:
    live(story, canary)
    assert len(left(story)) >= 5
    shown = anonymise(story, canary)
    # What a condition compares with is the campaign's author's, not the contact's.
    assert set(left(story)) <= {"canary-attribute"}
    assert everything_but_catalog_free(story) > 0
    assert (shown["uid"], shown["status"], shown["email"], shown["tags"]) == (canary, "BLOCKED", None, [])
    assert shown["consent"]["console"] == {"NEWSLETTER": "GRANTED", "MESSAGE": "PENDING"}
    assert story.api.get(f"/v1/contacts/{canary}").data == shown
    assert story.api.get(f"/v1/contacts?email={CANARIES[0]}").json["data"] == []


def test_who_waits_gets_nothing_more_and_ends_when_it_would_have(story: Story, canary: str) -> None:
    flow = live(story, canary)
    sent = len(story.provider.calls)
    before = counts(story, flow)
    anonymise(story, canary)
    story.advance(timedelta(minutes=5), timedelta(seconds=30))
    assert counts(story, flow) == before
    story.advance(timedelta(days=3), timedelta(hours=3))
    shown = story.flow(flow)
    assert len(story.provider.calls) == sent
    assert (shown["status"], shown["stats"]["sent"], shown["stats"]["completed"]) == ("completed", 1, 1)
    assert shown["stats"]["nodes"]["again"]["skipped"] == 1
    assert set(left(story)) <= {"canary-attribute"}


def test_counts_of_flows_segments_and_events_stay(story: Story, canary: str) -> None:
    placed = {"name": "order.placed", "contact_uid": canary, "properties": {"to": CANARIES[0]}}
    for number in range(2):
        event = {**placed, "id": f"{CANARIES[0]}-{number}", "occurred_at": story.now - timedelta(days=number)}
        story.world.ports.events.add_many(story.api.workspace, [Event.model_validate(event)])
    flow = send_one(story)
    bought = {"filter": {"event": "order.placed", "op": "gte", "value": 2}}
    before = story.flow(flow), story.api.post("/v1/segments/preview", bought).data["count"]
    timeline = story.api.all_pages(f"/v1/contacts/{canary}/timeline")
    for _ in range(2):
        anonymise(story, canary)
    assert left(story) == []
    assert (story.flow(flow), story.api.post("/v1/segments/preview", bought).data["count"]) == before
    assert story.expect(200, story.api.post(f"/v1/flows/{flow}/recount"))["stats"] == before[0]["stats"]
    after = story.api.all_pages(f"/v1/contacts/{canary}/timeline")
    assert [(each["kind"], each["at"]) for each in after] == [(each["kind"], each["at"]) for each in timeline]
    assert [each["properties"] for each in after if each["kind"] == "event"] == [{}, {}]


def test_its_addresses_are_free_and_a_no_stays_with_them(story: Story, canary: str) -> None:
    consent(story, canary, "REVOKED")
    anonymise(story, canary)
    again = {"email": CANARIES[0], "consent": {"console": {"NEWSLETTER": "GRANTED"}}}
    made = story.api.post("/v1/contacts", again)
    assert (made.status, made.data["uid"] != canary) == (201, True)
    story.contacts = [made.data["uid"]]
    assert reasons(story, send_one(story, newsletter(story))) == {"suppressed": 1}


def test_a_stranger_and_a_reader_cannot(story: Story, canary: str) -> None:
    url = f"/v1/contacts/{canary}/anonymise"
    assert story.world.new_caller().post(url).status == 404
    assert story.api.get(f"/v1/contacts/{canary}").data["email"] == CANARIES[0]


@pytest.mark.parametrize(
    "port", ["contacts.save", "consents.remove_all", "events.anonymise_all", "executions.find_flows"]
)
def test_what_breaks_off_is_finished_by_its_job(story: Story, canary: str, port: str) -> None:
    live(story, canary)
    name, method = port.split(".")
    use_ports(replace(story.world.ports, **{name: Failing(getattr(story.world.ports, name), method)}))
    assert story.api.post(f"/v1/contacts/{canary}/anonymise").status == 503
    use_ports(story.world.ports)
    story.advance(timedelta(minutes=3), timedelta(seconds=20))
    assert set(left(story)) <= {"canary-attribute"}
    assert story.api.get(f"/v1/contacts/{canary}").data["status"] == "BLOCKED"
