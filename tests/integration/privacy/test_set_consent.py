"""Consent and suppression, as campaigns and contacts meet them: what was taken back is never sent."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from chalicelib.model.message import Accepted, RecipientSuppressed
from tests.integration.consent_helpers import (
    BeforeAdd,
    BeforeRegisterBatch,
    Once,
    consent,
    newsletter,
    reasons,
    send_one,
    state_of,
    swap_ports,
)
from tests.integration.harness import Story, story

__all__ = ["story"]


# ---- consent ----


def test_a_newsletter_needs_a_yes_and_a_message_needs_no_no(story: Story) -> None:
    story.set_up(1)
    (ann,) = story.contacts
    campaign = newsletter(story)
    assert reasons(story, send_one(story, campaign)) == {"no_consent": 1}
    story.expect(200, consent(story, ann, "GRANTED"))
    send_one(story, campaign)
    assert len(story.provider.calls) == 1
    story.expect(200, consent(story, ann, "REVOKED", messageType="MESSAGE"))
    assert reasons(story, send_one(story)) == {"consent_revoked": 1}
    send_one(story, campaign)
    assert len(story.provider.calls) == 2


def test_a_strict_workspace_demands_a_yes_for_messages_too(story: Story) -> None:
    story.set_up(1)
    story.api.patch("/v1/workspace", {"strictConsent": True})
    assert reasons(story, send_one(story)) == {"no_consent": 1}
    consent(story, story.contacts[0], "GRANTED", messageType="MESSAGE")
    send_one(story)
    assert len(story.provider.calls) == 1


def test_every_word_is_kept_with_its_source_proof_and_time(story: Story) -> None:
    story.set_up(1)
    (ann,) = story.contacts
    proof = "Ticked 'Send me news' on the order form, 1 March 2026"
    said = {"source": "shop", "proof": proof, "collectedAt": "2026-03-01T10:00:00.000Z"}
    consent(story, ann, "GRANTED", **said)
    consent(story, ann, "GRANTED", **said)
    story.time_travel.shift(timedelta(days=1))
    consent(story, ann, "REVOKED", source="support")
    story.api.patch(f"/v1/contacts/{ann}", {"consent": {"console": {"NEWSLETTER": "GRANTED"}}})
    story.api.put(f"/v1/contacts/{ann}", {"email": "c0@example.com"})
    found = story.api.all_pages(f"/v1/contacts/{ann}/consent?limit=1")
    assert [(each["state"], each["source"]) for each in found] == [
        ("GRANTED", "api"), ("REVOKED", "support"), ("GRANTED", "shop"),
    ]  # fmt: skip
    assert (found[2]["proof"], found[2]["collectedAt"]) == (proof, said["collectedAt"])
    assert found[1]["at"] > found[2]["at"]


def test_a_replacement_that_does_not_name_it_takes_no_consent_back(story: Story) -> None:
    story.set_up(1)
    (ann,) = story.contacts
    consent(story, ann, "REVOKED")
    replaced = story.expect(200, story.api.put(f"/v1/contacts/{ann}", {"email": "c0@example.com"}))
    assert replaced["consent"] == {"console": {"NEWSLETTER": "REVOKED"}}


def test_a_change_of_one_kind_leaves_the_others(story: Story) -> None:
    story.set_up(1)
    (ann,) = story.contacts
    consent(story, ann, "REVOKED")
    change = {"consent": {"console": {"MESSAGE": "GRANTED"}, "sms": {"NEWSLETTER": "PENDING"}}}
    assert story.api.patch(f"/v1/contacts/{ann}", change).data["consent"] == {
        "console": {"NEWSLETTER": "REVOKED", "MESSAGE": "GRANTED"}, "sms": {"NEWSLETTER": "PENDING"},
    }  # fmt: skip


def test_a_no_between_claim_and_send_stops_the_send(story: Story) -> None:
    """The API's answer comes before the provider is called, so nothing may be sent any more."""
    story.set_up(1)
    (ann,) = story.contacts
    opt_out = Once(lambda: story.expect(200, consent(story, ann, "REVOKED", messageType="MESSAGE")))
    swap_ports(story, statistics=BeforeRegisterBatch(story.world.ports.statistics, opt_out))
    flow = send_one(story)
    assert opt_out.done
    assert story.provider.calls == []
    assert reasons(story, flow) == {"consent_revoked": 1}


def test_a_suppression_between_claim_and_send_stops_the_send(story: Story) -> None:
    story.set_up(1)
    suppress = Once(lambda: story.expect(201, story.api.post("/v1/suppressions", {"email": "c0@example.com"})))
    swap_ports(story, statistics=BeforeRegisterBatch(story.world.ports.statistics, suppress))
    flow = send_one(story)
    assert suppress.done
    assert story.provider.calls == []
    assert reasons(story, flow) == {"suppressed": 1}


def test_a_no_while_a_contact_waits_stops_the_next_send(story: Story) -> None:
    story.set_up(2)
    wait = {"id": "pause", "type": "WAIT", "for": "PT10M"}
    flow = story.start(story.campaign(story.send("one"), wait, story.send("two")))
    story.advance(timedelta(minutes=1))
    consent(story, story.contacts[0], "REVOKED", messageType="MESSAGE")
    story.advance(timedelta(minutes=10), timedelta(seconds=20))
    assert story.provider.recipients().count("c0@example.com") == 1
    assert story.provider.recipients().count("c1@example.com") == 2
    assert story.flow(flow)["status"] == "completed"


# ---- the suppression list ----


def test_a_suppressed_address_gets_nothing_and_its_contact_says_so(story: Story) -> None:
    story.set_up(2)
    entry = story.expect(201, story.api.post("/v1/suppressions", {"email": " C0@Example.com", "reason": "complaint"}))
    assert "example" not in str(entry).lower()
    assert reasons(story, send_one(story)) == {"suppressed": 1}
    assert story.provider.recipients() == ["c1@example.com"]
    (listed,) = story.api.all_pages("/v1/suppressions")
    assert (listed["uid"], listed["blocks"][0]["reason"]) == (entry["uid"], "complaint")
    assert story.api.post("/v1/suppressions/search", {"email": "c0@example.com"}).data["uid"] == entry["uid"]
    story.expect(200, story.api.delete(f"/v1/suppressions/{entry['uid']}"))
    assert story.api.all_pages("/v1/suppressions") == []
    assert story.api.post("/v1/suppressions/search", {"email": "c0@example.com"}).status == 404
    send_one(story)
    assert story.provider.recipients().count("c0@example.com") == 1


@pytest.mark.parametrize("way", ["create", "change", "put", "import"])
def test_a_contact_that_comes_later_with_a_suppressed_address_is_suppressed(story: Story, way: str) -> None:
    story.set_up(0)
    entry = story.api.post("/v1/suppressions", {"email": "new@example.com"}).data
    if way == "create":
        uid = story.api.post("/v1/contacts", {"email": "NEW@example.com"}).data["uid"]
    elif way == "change":
        uid = story.api.post("/v1/contacts", {"email": "old@example.com"}).data["uid"]
        story.api.patch(f"/v1/contacts/{uid}", {"email": "new@example.com"})
    elif way == "put":
        uid = story.api.put("/v1/contacts/mine", {"email": "new@example.com"}).data["uid"]
    else:
        story.api.post("/v1/contacts/import", {"csv": "uid,email\nmine,new@example.com\n"})
        story.run()
        uid = "mine"
    story.contacts = [uid]
    campaign = story.short_campaign(templateUid=story.add_template("Hello"))
    assert reasons(story, send_one(story, campaign)) == {"suppressed": 1}
    story.api.delete(f"/v1/suppressions/{entry['uid']}")
    send_one(story, campaign)
    assert [each.lower() for each in story.provider.recipients()] == ["new@example.com"]


def test_another_address_is_not_suppressed_with_the_old_one(story: Story) -> None:
    story.set_up(1)
    story.api.post("/v1/suppressions", {"email": "c0@example.com"})
    changed = story.api.patch(f"/v1/contacts/{story.contacts[0]}", {"email": "other@example.com"}).data
    assert changed["suppressed"] == []
    send_one(story)
    assert story.provider.recipients() == ["other@example.com"]


def test_a_block_for_newsletters_lets_messages_pass(story: Story) -> None:
    story.set_up(1)
    consent(story, story.contacts[0], "GRANTED")
    block = {"email": "c0@example.com", "channelType": "console", "messageType": "NEWSLETTER"}
    story.expect(201, story.api.post("/v1/suppressions", block))
    assert reasons(story, send_one(story, newsletter(story))) == {"suppressed": 1}
    send_one(story)
    assert len(story.provider.calls) == 1


def test_whom_the_provider_refuses_to_write_to_is_not_tried_again(story: Story) -> None:
    story.set_up(1)
    story.provider.answer = lambda message: RecipientSuppressed("opted_out")
    assert reasons(story, send_one(story)) == {"suppressed_opted_out": 1}
    assert reasons(story, send_one(story)) == {"suppressed": 1}
    assert len(story.provider.calls) == 1
    (listed,) = story.api.all_pages("/v1/suppressions")
    assert (listed["blocks"][0]["reason"], listed["blocks"][0]["channelType"]) == ("stop", "console")
    consent(story, story.contacts[0], "GRANTED", messageType="MESSAGE", source="START")
    story.provider.answer = lambda message: Accepted("1")
    send_one(story)
    assert len(story.provider.calls) == 2


@pytest.mark.parametrize("body", [{}, {"email": "x"}, {"email": "a@b.de", "phone": "+491511"}, {"phone": "1"}])
def test_what_is_no_address_cannot_be_suppressed(story: Story, body: dict[str, str]) -> None:
    assert story.api.post("/v1/suppressions", body).status == 422


# ---- concurrent changes ----


def test_of_many_who_create_one_address_at_once_all_get_one_contact(story: Story) -> None:
    story.set_up(0)
    bodies = [{"email": "Same@example.com", "tags": [f"t{n}"]} for n in range(8)]
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda body: story.api.post("/v1/contacts", body), bodies))
    assert {reply.status for reply in replies} <= {200, 201, 409, 503}
    assert len({reply.data["uid"] for reply in replies if reply.status < 300}) == 1
    assert len(story.api.all_pages("/v1/contacts")) == 1


def test_a_suppression_that_comes_while_the_contact_is_made_is_heeded(story: Story) -> None:
    """It looks for the contact before that is there, and the contact looked at the list before it was there."""
    story.set_up(0)
    suppress = Once(lambda: story.api.post("/v1/suppressions", {"email": "new@example.com"}))
    contacts = story.world.ports.contacts
    swap_ports(story, contacts=BeforeAdd(contacts, lambda: (swap_ports(story, contacts=contacts), suppress())[1]))
    uid = story.api.post("/v1/contacts", {"email": "new@example.com"}).data["uid"]
    assert suppress.done
    assert [each["reason"] for each in story.api.get(f"/v1/contacts/{uid}").data["suppressed"]] == ["manual"]


def test_a_no_and_a_change_at_once_both_hold(story: Story) -> None:
    story.set_up(1)
    (ann,) = story.contacts
    calls = [lambda n=n: story.api.patch(f"/v1/contacts/{ann}", {"attributes": {f"a{n}": n}}) for n in range(3)]
    calls.append(lambda: consent(story, ann, "REVOKED"))
    with ThreadPoolExecutor(4) as pool:
        statuses = [reply.status for reply in pool.map(lambda call: call(), calls)]
    assert set(statuses) <= {200, 409, 503}
    if statuses[-1] == 200:
        assert state_of(story) == "REVOKED"
