"""Request a double opt-in."""

from datetime import timedelta

from tests.integration.consent_helpers import (
    ask,
    consent,
    linked,
)
from tests.integration.harness import Story, story

__all__ = ["linked", "story"]


def test_a_repeated_request_sends_no_second_message(linked: Story) -> None:
    first = ask(linked).data["confirmation"]
    linked.run()
    assert ask(linked).data["confirmation"]["uid"] == first["uid"]
    linked.run()
    assert len(linked.provider.calls) == 1
    linked.time_travel.shift(timedelta(days=8))
    ask(linked)
    linked.run()
    assert len(linked.provider.calls) == 2
    assert len(linked.provider.times_called()) == 2


def test_all_problems_of_a_request_are_reported_together(story: Story) -> None:
    story.set_up(1)
    template = story.add_template("No link", messageType="MESSAGE")
    reply = ask(story, templateUid=template)
    assert reply.status == 422
    assert {detail["field"] for detail in reply.json["details"]} == {"state", "templateUid"}
    assert "PUBLIC_URL" in reply.text
    story.run()
    assert story.provider.calls == []


def test_a_contact_that_refused_messages_or_is_suppressed_is_not_asked(linked: Story) -> None:
    linked.api.post("/v1/suppressions", {"email": "c0@example.com"})
    reply = ask(linked)
    assert (reply.status, "suppressed" in reply.text) == (422, True)


def test_a_contact_with_a_granted_consent_is_not_asked_again(linked: Story) -> None:
    consent(linked, linked.contacts[0], "GRANTED")
    assert ask(linked).status == 409
