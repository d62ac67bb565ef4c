"""Test event campaigns: conditions, repeated events, re-entry, pauses, ends, and recovery of lost messages."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.errors import RetryLater
from chalicelib.model.ids import ContactUid
from chalicelib.model.message import Accepted, PermanentFailure
from chalicelib.wiring import use_ports
from tests.builders import condition, tag, wait
from tests.integration.harness import START, Story, story
from tests.integration.launching.event_helpers import DAY, HOUR, MINUTE, ORDER, open_campaign, report, sent_to

__all__ = ["story"]
NEW = {"email": "new@example.com", "firstName": "New"}
ANN = {"email": "ann@example.com", "firstName": "Ann", "tags": ["onboarding"]}


@pytest.fixture(autouse=True)
def _set_up(story: Story) -> None:
    story.set_up(contacts=3)


# ---- entry ----


def test_the_event_enters_its_contact_only(story: Story) -> None:
    campaign, flow = open_campaign(story)
    report(story, {}, {"contactUid": story.contacts[1], "name": "order.returned"})
    story.run()
    assert sent_to(story) == [story.contacts[0]]
    shown = story.flow(flow)
    assert (shown["status"], shown["openEnded"], shown["stats"]["total"], shown["stats"]["completed"]) == (
        "running", True, 1, 1,
    )  # fmt: skip
    assert story.execution(flow, story.contacts[0])["eventId"]
    assert story.expect(200, story.api.get(f"/v1/campaigns/{campaign}/status"))["state"] == "RUNNING"


def test_the_condition_reads_properties_contact_and_history(story: Story) -> None:
    when = {"all": [
        {"property": "cart.total", "op": "gte", "value": 100},
        {"tag": "vip"},
        {"event": "order.returned", "is": False},
    ]}  # fmt: skip
    open_campaign(story, trigger={**ORDER, "when": when})
    for contact in story.contacts[:2]:
        story.expect(200, story.api.patch(f"/v1/contacts/{contact}", {"tags": ["vip"]}))
    large, small = {"properties": {"cart": {"total": 120}}}, {"properties": {"cart": {"total": 99}}}
    report(story, {"contactUid": story.contacts[1], "name": "order.returned"})
    story.run()
    report(story, *({**each, "contactUid": contact} for contact in story.contacts for each in (small, large)))
    story.run()
    assert sent_to(story) == [story.contacts[0]]


def test_an_event_names_its_contact_by_email_phone_or_external_id_too(story: Story) -> None:
    open_campaign(story)
    story.expect(200, story.api.patch(f"/v1/contacts/{story.contacts[1]}", {"externalId": "X-1"}))
    answer = report(
        story, {"email": "C0@example.com"}, {"externalId": "X-1"}, {"email": "nobody@example.com"}, {"phone": "12"}
    )
    assert answer["accepted"] == 2
    assert [each["contactUid"] for each in answer["results"]] == [*story.contacts[:2], None, None]
    assert [each.get("field") for each in answer["results"]] == [None, None, "events[2].contactUid", "events[3].phone"]
    story.run()
    assert sorted(sent_to(story)) == sorted(story.contacts[:2])


def test_templates_and_conditions_use_the_triggering_event(story: Story) -> None:
    thanks = story.add_template("Thanks for {{ item }}", parameterDefaults={"item": "it"})
    large = {"property": "total", "op": "gt", "value": 50}
    send = {
        **story.send("thanks", channelUid=story.channel),
        "templateUid": thanks,
        "parameters": {"item": "event.item"},
    }
    _, flow = open_campaign(story, send, wait("pause", "P2D"), condition("large", large, [tag("mark", "big")], []))
    report(
        story,
        {"properties": {"item": "boots", "total": 80}},
        {"contactUid": story.contacts[1], "properties": {"item": "hat", "total": 5}},
    )
    story.run()
    assert sorted(call.message.content["text"] for call in story.provider.calls) == [
        "Thanks for boots",
        "Thanks for hat",
    ]
    story.advance(2 * DAY + MINUTE, step=HOUR)
    tags = [story.expect(200, story.api.get(f"/v1/contacts/{each}"))["tags"] for each in story.contacts]
    assert tags == [["big"], [], []]
    assert story.execution(flow, story.contacts[0])["history"][2]["why"] == "event.total gt 50"


# ---- repeated events ----


def test_a_repeated_event_enters_once_even_if_re_entry_is_allowed(story: Story) -> None:
    _, flow = open_campaign(story, entry={"again": True})
    for _ in range(2):
        report(story, {"id": "order-1"}, {"id": "order-1"})
        story.run()
    assert len(story.provider.calls) == 1
    report(story, {"id": "order-2"})
    story.run()
    report(story, {"id": "order-1"})
    story.run()
    assert len(story.provider.calls) == 2
    assert set(story.provider.times_called().values()) == {1}
    assert [each["entry"] for each in story.api.all_pages(f"/flows/{flow}/executions")] == [1, 2]
    assert story.execution(flow, story.contacts[0])["entry"] == 2
    assert (
        story.expect(200, story.api.get(f"/flows/{flow}/executions/{story.contacts[0]}?entry=1"))["eventId"]
        == "order-1"
    )


def test_a_contact_has_at_most_one_open_execution(story: Story) -> None:
    _, flow = open_campaign(
        story, story.send("a", channelUid=story.channel), wait("pause", "P1D"), entry={"again": True}
    )
    report(story, {"id": "1"}, {"id": "2"})
    report(story, {"id": "3"})
    story.run()
    assert story.flow(flow)["stats"]["total"] == 1
    story.advance(DAY + MINUTE, step=HOUR)
    report(story, {"id": "4"})
    story.run()
    assert (story.flow(flow)["stats"]["total"], len(story.provider.calls)) == (2, 2)


@pytest.mark.parametrize(
    ("entry", "wait_for", "entries"),
    [
        ({}, 400 * DAY, 1),
        ({"again": True}, HOUR, 2),
        ({"again": True, "after": "P30D"}, 29 * DAY, 1),
        ({"again": True, "after": "P30D"}, 31 * DAY, 2),
    ],
)
def test_the_entry_policy_limits_re_entry(
    story: Story, entry: dict[str, Any], wait_for: timedelta, entries: int
) -> None:
    _, flow = open_campaign(story, entry=entry)
    report(story, {})
    story.run()
    story.time_travel.shift(wait_for)
    report(story, {})
    story.run()
    assert story.flow(flow)["stats"]["total"] == entries


# ---- built-in events ----


def test_contacts_created_tagged_untagged_and_changed_are_events(story: Story) -> None:
    flows: dict[str, str] = {}
    for name in ("contact.created", "contact.updated", "contact.tagged", "contact.untagged"):
        _, flows[name] = open_campaign(
            story, tag("mark", name), trigger={"type": "event", "event": name}, entry={"again": True}
        )
    uid = story.expect(201, story.api.post("/v1/contacts", NEW))["uid"]
    story.run()
    assert story.flow(flows["contact.created"])["stats"]["total"] == 1
    story.expect(200, story.api.patch(f"/v1/contacts/{uid}", {"firstName": "Neu"}))
    story.run()
    assert story.flow(flows["contact.updated"])["stats"]["total"] == 1
    story.expect(200, story.api.patch(f"/v1/contacts/{uid}", {"tags": []}))
    story.run()
    assert story.flow(flows["contact.untagged"])["stats"]["total"] >= 1
    assert story.flow(flows["contact.tagged"])["stats"]["total"] >= 1


def test_contact_created_covers_api_calls_and_imports(story: Story) -> None:
    when = {"tag": "onboarding"}
    open_campaign(story, trigger={"type": "event", "event": "contact.created", "when": when})
    ann = story.expect(201, story.api.post("/v1/contacts", ANN))["uid"]
    story.expect(201, story.api.post("/v1/contacts", {"email": "ben@example.com"}))
    tags = ["onboarding" if number % 2 else "other" for number in range(60)]
    rows = "email,firstName,tags\n" + "".join(f"i{n}@example.com,Ina,{tag}\n" for n, tag in enumerate(tags))
    imported = story.api.post("/v1/contacts/import", rows.encode(), headers={"Content-Type": "text/csv"})
    assert imported.status == 202
    story.run()
    assert ann in sent_to(story)
    assert len(story.provider.calls) == 31
    assert set(story.provider.times_called().values()) == {1}


def test_a_built_in_event_cannot_be_reported(story: Story) -> None:
    answer = story.api.post("/v1/events", {"events": [{"name": "contact.created", "contactUid": story.contacts[0]}]})
    assert (answer.status, answer.json["details"][0]["field"]) == (422, "events[0].name")


def test_an_event_with_a_lost_queue_message_is_published_by_the_clock(story: Story) -> None:
    open_campaign(story, trigger={"type": "event", "event": "contact.created"})
    ports = story.world.ports

    class UnavailableQueue:
        def send(self, workspace: Any, events: Any) -> None:
            raise RetryLater("the queue is away")

    use_ports(replace(ports, event_queue=UnavailableQueue()))
    uid = story.expect(201, story.api.post("/v1/contacts", NEW))["uid"]
    use_ports(ports)
    story.advance(MINUTE)
    assert sent_to(story) == []
    story.advance(3 * MINUTE, step=timedelta(seconds=10))
    assert sent_to(story) == [uid]
    story.advance(10 * MINUTE, step=MINUTE)
    assert len(story.provider.calls) == 1


def test_a_late_event_of_an_erased_contact_is_not_stored(story: Story) -> None:
    open_campaign(story)
    report(story, {"id": "late"})
    story.expect(200, story.api.delete(f"/v1/contacts/{story.contacts[0]}"))
    story.run()
    uid = ContactUid(story.contacts[0])
    assert story.world.ports.events.page(story.api.workspace, uid, None, 10, None).items == ()
    assert story.provider.calls == []


# ---- pause, resume, cancel, end ----


def test_events_during_a_pause_enrol_contacts_who_continue_after_resume(story: Story) -> None:
    campaign, flow = open_campaign(story)
    story.expect(200, story.api.post(f"/campaigns/{campaign}/pause"))
    report(story, {}, {"contactUid": story.contacts[1]})
    story.run()
    story.advance(HOUR, step=MINUTE)
    shown = story.flow(flow)
    assert (shown["stats"]["total"], shown["stats"]["pending"], story.provider.calls) == (2, 2, [])
    story.expect(200, story.api.post(f"/campaigns/{campaign}/resume"))
    story.run()
    assert sorted(sent_to(story)) == sorted(story.contacts[:2])


def test_a_cancelled_campaign_accepts_no_contacts_and_can_be_launched_again(story: Story) -> None:
    campaign, flow = open_campaign(story, story.send("a", channelUid=story.channel), wait("pause", "P1D"))
    report(story, {})
    story.run()
    story.expect(200, story.api.post(f"/campaigns/{campaign}/cancel"))
    report(story, {"contactUid": story.contacts[1]})
    story.run()
    assert story.flow(flow)["stats"] | {"skipped": 1, "total": 1} == story.flow(flow)["stats"]
    again = story.expect(202, story.api.post(f"/campaigns/{campaign}/launch"))["flowUid"]
    report(story, {"contactUid": story.contacts[1]})
    story.run()
    assert again != flow
    assert sent_to(story) == story.contacts[:2]


def test_the_campaign_ends_after_until_with_its_last_execution(story: Story) -> None:
    until = (START + 2 * HOUR).isoformat().replace("+00:00", "Z")
    campaign, flow = open_campaign(
        story, story.send("a", channelUid=story.channel), wait("pause", "PT5H"), trigger={**ORDER, "until": until}
    )
    report(story, {})
    story.advance(3 * HOUR, step=MINUTE)
    report(story, {"contactUid": story.contacts[1]})
    report(story, {"contactUid": story.contacts[2], "occurredAt": "2026-03-02T10:00:00Z"})
    story.run()
    assert story.flow(flow)["stats"]["total"] == 1
    story.advance(3 * HOUR, step=MINUTE)
    shown = story.flow(flow)
    assert (shown["status"], shown["contactCount"] or shown["stats"]["total"]) == ("completed", 1)
    assert story.expect(200, story.api.get(f"/v1/campaigns/{campaign}/status"))["state"] == "COMPLETED"


def test_an_idle_event_campaign_never_ends_by_itself(story: Story) -> None:
    campaign, flow = open_campaign(story)
    report(story, {})
    story.run()
    for _ in range(40):
        story.advance(DAY, step=6 * HOUR)
    assert story.flow(flow)["status"] == "running"
    report(story, {"contactUid": story.contacts[1]})
    story.run()
    assert len(story.provider.calls) == 2
    assert story.expect(200, story.api.get(f"/v1/campaigns/{campaign}/status"))["state"] == "RUNNING"


@pytest.mark.parametrize("availability", ["INACTIVE", "DEPRECATED", "PENDING"])
def test_an_inactive_campaign_accepts_no_contacts_but_finishes_open_executions(story: Story, availability: str) -> None:
    campaign, _ = open_campaign(story, wait("pause", "PT1H"), story.send("a", channelUid=story.channel))
    report(story, {})
    story.run()
    story.expect(200, story.api.patch(f"/campaigns/{campaign}", {"availability": availability}))
    report(story, {"contactUid": story.contacts[1]})
    story.advance(2 * HOUR, step=MINUTE)
    assert sent_to(story) == [story.contacts[0]]


def test_a_retry_keeps_the_event_and_the_version(story: Story) -> None:
    thanks = story.add_template("Thanks for {{ item }}", parameterDefaults={"item": "it"})
    send = {
        **story.send("thanks", channelUid=story.channel),
        "templateUid": thanks,
        "parameters": {"item": "event.item"},
    }
    campaign, flow = open_campaign(story, send)
    story.provider.answer = lambda _: PermanentFailure("no")
    report(story, {"properties": {"item": "boots"}})
    story.run()
    story.provider.answer = lambda message: Accepted(str(message.uid))
    story.expect(200, story.api.post(f"/campaigns/{campaign}/cancel"))
    story.run()
    story.expect(201, story.api.post(f"/flows/{flow}/retry", {"of": "failed"}))
    story.run()
    assert [call.message.content["text"] for call in story.provider.calls] == ["Thanks for boots"] * 2


def test_all_problems_of_an_event_campaign_are_reported(story: Story) -> None:
    trigger = {
        "type": "event",
        "event": "contact.exploded",
        "until": "2026-01-01T00:00:00Z",
        "when": {"message": "a", "is": "opened"},
    }
    campaign = story.campaign(
        story.send("a", channelUid=story.channel), trigger=trigger, audience={"contactUids": story.contacts}
    )
    answer = story.api.post(f"/campaigns/{campaign}/launch")
    assert answer.status == 422
    assert [each["field"] for each in answer.json["details"]] == [
        "trigger.event", "trigger.until", "trigger.when", "audience",
    ]  # fmt: skip
