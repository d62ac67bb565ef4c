"""Erasure: nothing of the contact is left in any table, nothing is sent any more, and a no outlives the record."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.core.reporting.list_executions import list_executions
from chalicelib.errors import RetryLater
from chalicelib.model.event import Event
from chalicelib.model.execution import TriggeringEvent
from chalicelib.model.flow import Flow
from chalicelib.ports import ExpectUnclaimed, Save
from chalicelib.wiring import use_ports
from tests.integration.consent_helpers import (
    BeforeRegisterBatch,
    Once,
    consent,
    newsletter,
    path_of,
    reasons,
    send_one,
    submit,
    swap_ports,
)
from tests.integration.harness import Story, story

__all__ = ["story"]

CANARIES = ["canary.mail@example.com", "+4915199999999", "Canaria", "Kanarienvogel", "canary-attribute", "canary-tag"]


def everything(story: Story) -> str:
    """All items of all tables."""
    client = story.world.aws.client("dynamodb")
    items = [
        item
        for table in client.list_tables()["TableNames"]
        for page in client.get_paginator("scan").paginate(TableName=table)
        for item in page["Items"]
    ]
    return json.dumps(items, default=str)


def left(story: Story) -> list[str]:
    text = everything(story).casefold()
    return [canary for canary in CANARIES if canary.casefold() in text]


@pytest.fixture
def canary(story: Story) -> str:
    swap_ports(story, public_url="https://mail.example.com")
    story.set_up(0)
    body = {
        "email": CANARIES[0], "phone": CANARIES[1], "firstName": CANARIES[2], "lastName": CANARIES[3],
        "attributes": {"note": CANARIES[4], "color": "blue"}, "tags": [CANARIES[5]],
    }  # fmt: skip
    once = {"Idempotency-Key": "canary"}
    first, again = (story.api.post("/v1/contacts", body, headers=once) for _ in range(2))
    assert (first.status, again.status, again.data) == (201, 201, {"uid": first.data["uid"]})
    story.contacts = [first.data["uid"]]
    return story.contacts[0]


def live(story: Story, uid: str) -> str:
    """A flow that has decided by the contact's data, was started by an event with more of them, and now waits."""
    when = {"field": "attributes.note", "op": "eq", "value": CANARIES[4]}
    lanes = [{"label": "yes", "when": when, "steps": [story.send("hello")]}, {"label": "no"}]
    wait = {"id": "pause", "type": "WAIT", "for": "P2D"}
    flow = story.start(story.campaign({"id": "which", "type": "CONDITION", "lanes": lanes}, wait, story.send("again")))
    story.advance(timedelta(seconds=2))
    ports, workspace = story.world.ports, story.api.workspace
    (row,) = list_executions(ports, workspace, ports.catalog.get(workspace, Flow, flow), None, 10, None).items
    caused = replace(row, cause=TriggeringEvent("e1", {"address": CANARIES[0]}), seq=row.seq)
    assert ports.executions.save_many([Save(caused, ExpectUnclaimed(row.seq, ports.clock.real()))], 1) == (True,)
    event = {"id": "e1", "name": "order.placed", "contact_uid": uid, "properties": {"to": CANARIES[0]}}
    ports.events.add_many(workspace, [Event.model_validate({**event, "occurred_at": story.now})])
    consent(story, uid, "GRANTED", proof=f"{CANARIES[3]} ticked the box")
    template = story.add_template("Confirm: {{ confirm_url }}")
    asked = {"messageType": "MESSAGE", "channelUid": story.channel, "templateUid": template, "proof": CANARIES[0]}
    story.expect(202, consent(story, uid, "PENDING", **asked))
    story.run()
    return flow


def test_an_erased_contact_leaves_nothing_in_any_table_and_gets_nothing(story: Story, canary: str) -> None:
    flow = live(story, canary)
    assert len(left(story)) >= 5
    sent = len(story.provider.calls)
    story.expect(200, story.api.delete(f"/v1/contacts/{canary}"))
    # What a condition compares with is the campaign's author's, not the contact's.
    assert set(left(story)) <= {"canary-attribute"}
    assert everything(story).count("canary-attribute") == everything_but_catalog_free(story)
    story.advance(timedelta(seconds=5))
    found = story.flow(flow)
    assert (found["status"], found["metadata"]["skipReasons"]) == ("partial_completed", {"contact_not_found": 1})
    assert found["stats"]["sent"] == 1
    story.advance(timedelta(days=3), timedelta(hours=6))
    assert len(story.provider.calls) == sent
    assert set(left(story)) <= {"canary-attribute"}


def everything_but_catalog_free(story: Story) -> int:
    """Count how often the documents of the campaign contain the value of the attribute."""
    client = story.world.aws.client("dynamodb")
    name = next(name for name in client.list_tables()["TableNames"] if "Catalog" in name)
    pages = client.get_paginator("scan").paginate(TableName=name)
    return sum(json.dumps(item).count("canary-attribute") for page in pages for item in page["Items"])


def test_nothing_that_is_logged_names_the_contact(
    story: Story, canary: str, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level("DEBUG"):
        live(story, canary)
        story.api.post("/v1/suppressions", {"email": CANARIES[0]})
        story.api.delete(f"/v1/contacts/{canary}")
        story.advance(timedelta(minutes=3), timedelta(seconds=30))
    shown = capsys.readouterr()
    logged = (
        shown.out + shown.err + "".join(str(vars(record)) for record in caplog.records if record.name == "carillon")
    )
    assert [each for each in CANARIES if each in logged] == []


def test_a_row_in_somebodys_hands_is_swept_up_later(story: Story, canary: str) -> None:
    flow = live(story, canary)
    erased = replace(story.world.ports, executions=Busy(story.world.ports.executions))
    use_ports(erased)
    story.expect(200, story.api.delete(f"/v1/contacts/{canary}"))
    use_ports(story.world.ports)
    assert CANARIES[0] in left(story)
    story.advance(timedelta(minutes=3), timedelta(seconds=20))
    assert set(left(story)) <= {"canary-attribute"}
    assert story.flow(flow)["metadata"]["skipReasons"] == {"contact_not_found": 1}


class Busy:
    """Executions that another worker has claimed: every save of this one is refused."""

    def __init__(self, behind: Any) -> None:
        self._behind = behind

    def __getattr__(self, name: str) -> Any:
        return getattr(self._behind, name)

    def save_many(self, saves: Any, shards: int) -> tuple[bool, ...]:
        return tuple(False for _ in saves)


@pytest.mark.parametrize("port", ["catalog.remove", "contacts.remove", "events.remove_all", "executions.find_flows"])
def test_an_erasure_that_breaks_off_is_finished_by_its_job(story: Story, canary: str, port: str) -> None:
    live(story, canary)
    name, method = port.split(".")
    use_ports(replace(story.world.ports, **{name: Failing(getattr(story.world.ports, name), method)}))
    assert story.api.delete(f"/v1/contacts/{canary}").status == 503
    use_ports(story.world.ports)
    story.advance(timedelta(minutes=3), timedelta(seconds=20))
    assert set(left(story)) <= {"canary-attribute"}
    assert story.api.get(f"/v1/contacts/{canary}").status == 404


class Failing:
    """A port with one method that fails."""

    def __init__(self, behind: Any, method: str) -> None:
        self._behind, self._method = behind, method

    def __getattr__(self, name: str) -> Any:
        def fail(*_: Any) -> Any:
            raise RetryLater("away")

        return fail if name == self._method else getattr(self._behind, name)


def test_who_comes_anew_under_the_same_uid_is_not_swept_away(story: Story) -> None:
    story.set_up(0)
    story.api.put("/v1/contacts/me", {"firstName": "Old"})
    story.api.delete("/v1/contacts/me")
    story.time_travel.shift(timedelta(seconds=5))
    story.api.put("/v1/contacts/me", {"firstName": "New"})
    story.advance(timedelta(minutes=3), timedelta(seconds=20))
    assert story.api.get("/v1/contacts/me").data["firstName"] == "New"


def test_a_no_outlives_the_record_as_a_keyed_hash(story: Story, canary: str) -> None:
    consent(story, canary, "GRANTED")
    campaign = newsletter(story, "Hello")
    send_one(story, campaign)
    submit(story, path_of(str(story.provider.calls[0].message.unsubscribe_url)), "List-Unsubscribe=One-Click")
    story.api.delete(f"/v1/contacts/{canary}")
    story.advance(timedelta(minutes=3), timedelta(seconds=20))
    assert left(story) == []
    assert len(story.api.all_pages("/v1/suppressions")) == 1
    assert story.api.all_pages("/v1/suppressions")[0]["contactUid"] is None
    again = {"email": "Canary.Mail@example.com", "consent": {"console": {"NEWSLETTER": "GRANTED"}}}
    story.contacts = [story.api.post("/v1/contacts", again).data["uid"]]
    assert reasons(story, send_one(story, campaign)) == {"suppressed": 1}


@pytest.mark.parametrize(
    ("status", "reason"), [("UNSUBSCRIBED", "revoked"), ("BOUNCED", "hard_bounce"), ("BLOCKED", "manual")]
)
def test_what_the_status_said_stays_on_the_list(story: Story, canary: str, status: str, reason: str) -> None:
    story.api.patch(f"/v1/contacts/{canary}", {"status": status})
    story.api.delete(f"/v1/contacts/{canary}")
    listed = story.api.all_pages("/v1/suppressions")
    assert {each["blocks"][0]["reason"] for each in listed} == {reason}
    assert len(listed) == 2


def test_who_never_said_no_leaves_nothing_on_the_list(story: Story, canary: str) -> None:
    consent(story, canary, "GRANTED")
    story.api.delete(f"/v1/contacts/{canary}")
    assert story.api.all_pages("/v1/suppressions") == []


def test_an_erasure_between_claim_and_send_stops_the_send(story: Story, canary: str) -> None:
    erase = Once(lambda: story.expect(200, story.api.delete(f"/v1/contacts/{canary}")))
    swap_ports(story, statistics=BeforeRegisterBatch(story.world.ports.statistics, erase))
    story.start(story.short_campaign())
    story.advance(timedelta(seconds=2))
    assert erase.done
    assert story.provider.calls == []
