"""The suppression list: suppressed addresses get no message, also if their contact is created later."""

import pytest

from chalicelib.model.message import Accepted, RecipientSuppressed
from tests.integration.consent_helpers import (
    BeforeAdd,
    Once,
    consent,
    newsletter,
    reasons,
    send_one,
    swap_ports,
)
from tests.integration.harness import Story, story

__all__ = ["story"]


def test_a_suppressed_address_gets_no_message_and_its_contact_shows_the_block(story: Story) -> None:
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
def test_a_later_contact_with_a_suppressed_address_is_suppressed(story: Story, way: str) -> None:
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


def test_a_new_address_of_the_contact_is_not_suppressed(story: Story) -> None:
    story.set_up(1)
    story.api.post("/v1/suppressions", {"email": "c0@example.com"})
    changed = story.api.patch(f"/v1/contacts/{story.contacts[0]}", {"email": "other@example.com"}).data
    assert changed["suppressed"] == []
    send_one(story)
    assert story.provider.recipients() == ["other@example.com"]


def test_a_block_of_newsletters_does_not_stop_messages(story: Story) -> None:
    story.set_up(1)
    consent(story, story.contacts[0], "GRANTED")
    block = {"email": "c0@example.com", "channelType": "console", "messageType": "NEWSLETTER"}
    story.expect(201, story.api.post("/v1/suppressions", block))
    assert reasons(story, send_one(story, newsletter(story))) == {"suppressed": 1}
    send_one(story)
    assert len(story.provider.calls) == 1


def test_a_recipient_that_the_provider_suppresses_is_not_tried_again(story: Story) -> None:
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
def test_an_invalid_address_cannot_be_suppressed(story: Story, body: dict[str, str]) -> None:
    assert story.api.post("/v1/suppressions", body).status == 422


def test_a_suppression_during_the_creation_of_the_contact_is_not_lost(story: Story) -> None:
    """It looks for the contact before that is there, and the contact looked at the list before it was there."""
    story.set_up(0)
    suppress = Once(lambda: story.api.post("/v1/suppressions", {"email": "new@example.com"}))
    contacts = story.world.ports.contacts
    swap_ports(story, contacts=BeforeAdd(contacts, lambda: (swap_ports(story, contacts=contacts), suppress())[1]))
    uid = story.api.post("/v1/contacts", {"email": "new@example.com"}).data["uid"]
    assert suppress.done
    assert [each["reason"] for each in story.api.get(f"/v1/contacts/{uid}").data["suppressed"]] == ["manual"]
