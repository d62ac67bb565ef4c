"""Every reason for which a contact is passed over, met while the contacts wait, in a flow that counts it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.core.contacts.mark_unreachable import mark_unreachable
from chalicelib.model.ids import ContactUid
from chalicelib.model.message import Accepted, OutgoingMessage, RecipientSuppressed, SendResult
from chalicelib.model.skip_reason import SkipReason, skip_reason_for
from chalicelib.wiring import use_ports
from tests.builders import wait
from tests.integration.consent_helpers import consent, reasons
from tests.integration.harness import Story, story

__all__ = ["story"]
CONTACTS = 3


def change_first(story: Story, **fields: object) -> None:
    story.expect(200, story.api.patch(f"/v1/contacts/{story.contacts[0]}", fields))


def change_channel(story: Story, **fields: object) -> None:
    body = {"name": "Console", "type": "console", **fields}
    story.expect(200, story.api.put(f"/v1/channels/{story.channel}", body))


def take_channel_types_away(story: Story) -> None:
    story.world.ports = replace(story.world.ports, channel_types={})
    use_ports(story.world.ports)


def revoke(story: Story) -> None:
    story.expect(200, consent(story, story.contacts[0], "REVOKED", messageType="MESSAGE"))


def demand_consent(story: Story) -> None:
    for uid in story.contacts[1:]:
        consent(story, uid, "GRANTED", messageType="MESSAGE")
    story.expect(200, story.api.patch("/v1/workspace", {"strictConsent": True}))


def learn_that_nobody_is_there(story: Story) -> None:
    mark_unreachable(story.world.ports, story.api.workspace, ContactUid(story.contacts[0]), "console")


#: What happens while they wait, and to how many of them.
HAPPENS: Mapping[SkipReason, tuple[Callable[[Story, str], object], int]] = {
    SkipReason.CHANNEL_NOT_FOUND: (lambda story, _: story.api.delete(f"/v1/channels/{story.channel}"), CONTACTS),
    SkipReason.CHANNEL_NOT_APPROVED: (lambda story, _: change_channel(story, approval="blocked"), CONTACTS),
    SkipReason.CHANNEL_INACTIVE: (lambda story, _: change_channel(story, active=False), CONTACTS),
    SkipReason.CHANNEL_TYPE_UNKNOWN: (lambda story, _: take_channel_types_away(story), CONTACTS),
    SkipReason.CONTACT_UNSUBSCRIBED: (lambda story, _: change_first(story, status="UNSUBSCRIBED"), 1),
    SkipReason.CONTACT_BOUNCED: (lambda story, _: change_first(story, status="BOUNCED"), 1),
    SkipReason.CONTACT_BLOCKED: (lambda story, _: change_first(story, status="BLOCKED"), 1),
    SkipReason.CONTACT_NOT_FOUND: (lambda story, _: story.api.delete(f"/v1/contacts/{story.contacts[0]}"), 1),
    SkipReason.SUPPRESSED: (lambda story, _: story.api.post("/v1/suppressions", {"email": "c0@example.com"}), 1),
    SkipReason.CONSENT_REVOKED: (lambda story, _: revoke(story), 1),
    SkipReason.NO_CONSENT: (lambda story, _: demand_consent(story), 1),
    SkipReason.NO_ADDRESS: (lambda story, _: change_first(story, email=None), 1),
    SkipReason.NOT_CAPABLE: (lambda story, _: learn_that_nobody_is_there(story), 1),
    SkipReason.MISSING_TEMPLATE_PARAMETER: (lambda story, _: change_first(story, firstName=None), 1),
    SkipReason.CANCELLED: (lambda story, flow: story.set_status(flow, "cancelled"), CONTACTS),
}


def start_waiting(story: Story) -> str:
    story.set_up(CONTACTS)
    flow = story.start(story.campaign(wait("pause", "PT10M"), story.send("hello")))
    story.advance(timedelta(minutes=1), timedelta(seconds=20))
    assert story.flow(flow)["stats"]["pending"] == CONTACTS
    return flow


@pytest.mark.parametrize("reason", SkipReason)
def test_each_reason_is_counted_in_the_flow_and_told_of_the_contact(story: Story, reason: SkipReason) -> None:
    flow = start_waiting(story)
    happens, skipped = HAPPENS[reason]
    happens(story, flow)
    story.advance(timedelta(minutes=11), timedelta(seconds=20))
    assert reasons(story, flow) == {reason: skipped}
    stats = story.flow(flow)["stats"]
    assert (stats["skipped"], stats["completed"]) == (skipped, CONTACTS - skipped)
    assert len(story.provider.calls) == CONTACTS - skipped
    found = story.api.all_pages(f"/flows/{flow}/executions?status=skipped&reason={reason}")
    assert len(found) == skipped
    assert story.contacts[0] in {each["contactUid"] for each in found}


def test_what_the_provider_refuses_is_counted_by_its_code(story: Story) -> None:
    def answer(message: OutgoingMessage) -> SendResult:
        return RecipientSuppressed("opted_out") if message.to == "c0@example.com" else Accepted(str(message.uid))

    story.provider.answer = answer
    flow = start_waiting(story)
    story.advance(timedelta(minutes=11), timedelta(seconds=20))
    assert reasons(story, flow) == {skip_reason_for("opted_out"): 1}
