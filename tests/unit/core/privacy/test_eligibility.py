"""Small decisions: repeatable chance, a campaign's state, who may be written to."""

import itertools
from collections import Counter

import pytest

from chalicelib.core.campaigns.campaign_state import campaign_state
from chalicelib.core.privacy.eligibility import why_not_channel, why_not_contact
from chalicelib.model.channel import Approval
from chalicelib.model.contact import ConsentState, ContactStatus
from chalicelib.model.flow import FlowStatus
from chalicelib.model.message import MessageType
from chalicelib.model.stable_random import stable_fraction
from tests.builders import build_channel, build_contact, build_flow


def test_a_draw_is_the_same_in_every_process_and_for_ever() -> None:
    """Running executions depend on these values: other values would move contacts to other lanes."""
    assert stable_fraction("camp", "which", "ann") == stable_fraction("camp", "which", "ann")
    assert round(stable_fraction("camp", "which", "ann"), 12) == PINNED


PINNED = 0.357631455731


def test_draws_spread_evenly() -> None:
    tenths = Counter(int(10 * stable_fraction("camp", "which", f"contact-{number}")) for number in range(10_000))
    assert set(tenths) == set(range(10))
    assert all(850 <= count <= 1_150 for count in tenths.values())


def test_what_a_draw_is_about_is_not_run_together() -> None:
    assert (
        len(
            {
                stable_fraction("a", "bc"),
                stable_fraction("ab", "c"),
                stable_fraction("abc"),
                stable_fraction("a", "b", "c"),
            }
        )
        == 4
    )


@pytest.mark.parametrize(
    ("status", "reason", "state"),
    [
        ("draft", None, "DRAFT"),
        ("queued", None, "RUNNING"),
        ("running", None, "RUNNING"),
        ("paused", "operator", "PAUSED"),
        ("paused", None, "PAUSED"),
        ("paused", "balance", "PAUSED_BALANCE"),
        ("paused", "channel_circuit", "PAUSED_ERROR"),
        ("paused", "template_rejected", "PAUSED_ERROR"),
        ("completed", None, "COMPLETED"),
        ("partial_completed", None, "COMPLETED_PARTIAL"),
        ("cancelled", None, "COMPLETED_PARTIAL"),
        ("failed", None, "COMPLETED_PARTIAL"),
        ("timeout", None, "COMPLETED_PARTIAL"),
        ("error", None, "PAUSED_ERROR"),
    ],
)
def test_a_campaign_reads_as_the_flow_that_decides_it(status: str, reason: str | None, state: str) -> None:
    assert campaign_state(build_flow(FlowStatus(status), pauseReason=reason), None).value == state


def test_a_campaign_without_a_flow_is_a_draft() -> None:
    assert campaign_state(None, None).value == "DRAFT"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({}, None),
        ({"approval": Approval.PENDING}, "channel_not_approved"),
        ({"approval": Approval.BLOCKED}, "channel_not_approved"),
        ({"active": False}, "channel_inactive"),
    ],
)
def test_only_an_approved_and_active_channel_carries(fields: dict[str, object], reason: str | None) -> None:
    assert why_not_channel(build_channel(**fields)) == reason


def test_a_channel_that_is_gone_carries_nothing() -> None:
    assert why_not_channel(None) == "channel_not_found"


MATRIX = list(itertools.product(ContactStatus, [None, *ConsentState], MessageType, [False, True]))


@pytest.mark.parametrize(("status", "consent", "message_type", "strict"), MATRIX)
def test_who_may_be_written_to(
    status: ContactStatus, consent: ConsentState | None, message_type: MessageType, strict: bool
) -> None:
    """Only ACTIVE; never after a revocation; newsletters, and all in a strict workspace, only after a grant."""
    given = {"email": {message_type: consent}} if consent else {}
    reason = why_not_contact(build_contact(status=status, consent=given), "email", message_type, strict)
    needs_grant = strict or message_type is MessageType.NEWSLETTER
    if status is not ContactStatus.ACTIVE:
        assert reason == f"contact_{status.value.lower()}"
    elif consent is ConsentState.REVOKED:
        assert reason == "consent_revoked"
    elif needs_grant and consent is not ConsentState.GRANTED:
        assert reason == "no_consent"
    else:
        assert reason is None


def test_consent_for_one_channel_or_message_type_says_nothing_of_another() -> None:
    contact = build_contact(consent={"sms": {MessageType.NEWSLETTER: ConsentState.GRANTED}})
    assert why_not_contact(contact, "email", MessageType.NEWSLETTER, strict=False) == "no_consent"
    revoked = build_contact(consent={"sms": {MessageType.MESSAGE: ConsentState.REVOKED}})
    assert why_not_contact(revoked, "email", MessageType.MESSAGE, strict=False) is None
    assert why_not_contact(revoked, "sms", MessageType.CONVERSATION, strict=False) is None
