"""Confirm a double opt-in by the link that was sent to the contact."""

from datetime import timedelta

from tests.integration.consent_helpers import (
    ask,
    confirm_path,
    consent,
    linked,
    newsletter,
    reasons,
    send_one,
    state_of,
    submit,
)
from tests.integration.harness import Story, story

__all__ = ["linked", "story"]


def test_a_confirmed_contact_gets_the_newsletter(linked: Story) -> None:
    campaign = newsletter(linked)
    asked = linked.expect(202, ask(linked, source="shop", proof="Footer form"))
    assert (asked["state"], asked["confirmation"]["status"]) == ("PENDING", "queued")
    linked.run()
    assert reasons(linked, send_one(linked, campaign)) == {"no_consent": 1}
    path = confirm_path(linked)
    assert "<form" in linked.api.get(path).text
    assert state_of(linked) == "PENDING"
    for _ in range(2):
        assert submit(linked, path, "").status == 200
    assert state_of(linked) == "GRANTED"
    records = linked.api.all_pages(f"/v1/contacts/{linked.contacts[0]}/consent")
    assert [(each["state"], each["source"]) for each in records] == [("GRANTED", "double_opt_in"), ("PENDING", "shop")]
    send_one(linked, campaign)
    assert len(linked.provider.calls) == 2


def test_a_link_is_invalid_after_its_expiry_and_after_a_later_consent(linked: Story) -> None:
    ask(linked, expiresIn="PT1H")
    linked.run()
    path = confirm_path(linked)
    linked.time_travel.shift(timedelta(minutes=61))
    assert (linked.api.get(path).status, submit(linked, path, "").status) == (410, 410)
    ask(linked)
    linked.run()
    path = confirm_path(linked)
    consent(linked, linked.contacts[0], "REVOKED")
    assert submit(linked, path, "").status == 410
    assert state_of(linked) == "REVOKED"


def test_a_link_is_invalid_after_the_address_changed(linked: Story) -> None:
    ask(linked)
    linked.run()
    path = confirm_path(linked)
    linked.api.patch(f"/v1/contacts/{linked.contacts[0]}", {"email": "other@example.com"})
    assert submit(linked, path, "").status == 410
    assert state_of(linked) == "PENDING"
