"""Consent and suppression, as campaigns and contacts meet them: what was taken back is never sent."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from tests.integration.consent_helpers import (
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


# ---- concurrent changes ----


def test_of_many_who_create_one_address_at_once_all_get_one_contact(story: Story) -> None:
    story.set_up(0)
    bodies = [{"email": "Same@example.com", "tags": [f"t{n}"]} for n in range(8)]
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda body: story.api.post("/v1/contacts", body), bodies))
    assert {reply.status for reply in replies} <= {200, 201, 409, 503}
    assert len({reply.data["uid"] for reply in replies if reply.status < 300}) == 1
    assert len(story.api.all_pages("/v1/contacts")) == 1


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
