"""Suppression as the moment of sending sees it, the records of a change, and what a timeline page holds."""

from datetime import timedelta

import pytest

from chalicelib.core.contacts.consent_changes import consent_changes
from chalicelib.core.privacy.eligibility import why_not_contact
from chalicelib.core.reporting.timeline import TimelineCursor, TimelineEntry, newest
from chalicelib.model.consent import ConsentSource
from chalicelib.model.contact import ConsentState
from chalicelib.model.message import MessageType
from chalicelib.model.suppression import AddressKind, SuppressionBlock, SuppressionReason
from tests.builders import NOW, build_contact

NEWS, MESSAGE = MessageType.NEWSLETTER, MessageType.MESSAGE
YES, NO, OPEN = ConsentState.GRANTED, ConsentState.REVOKED, ConsentState.PENDING


def block(**fields: object) -> SuppressionBlock:
    given = {"address": AddressKind.EMAIL, "reason": SuppressionReason.MANUAL, "at": NOW}
    return SuppressionBlock.model_validate({**given, **fields})


@pytest.mark.parametrize(
    ("fields", "channel_type", "message_type", "address", "blocked"),
    [
        ({}, "email", MESSAGE, "ann@example.com", True),
        ({}, "console", MESSAGE, "ann@example.com", True),
        ({}, "sms", MESSAGE, "+491511", False),
        ({"channel_type": "sms"}, "email", MESSAGE, "ann@example.com", False),
        ({"message_type": NEWS}, "email", MESSAGE, "ann@example.com", False),
        ({"message_type": NEWS, "channel_type": "email"}, "email", NEWS, "ann@example.com", True),
        ({"address": AddressKind.PHONE, "channel_type": "sms"}, "sms", MESSAGE, "+491511", True),
        ({"address": AddressKind.PHONE, "channel_type": "sms"}, "whatsapp", MESSAGE, "+491511", False),
        ({}, "email", MESSAGE, "another@example.com", False),
    ],
)
def test_a_block_stops_what_it_covers(
    fields: dict[str, object], channel_type: str, message_type: MessageType, address: str, blocked: bool
) -> None:
    contact = build_contact(phone="+491511", suppressed=(block(**fields),))
    contact = contact.with_fields({"consent": {channel_type: {NEWS: YES}}}) if message_type is NEWS else contact
    assert (why_not_contact(contact, channel_type, message_type, False, address) == "suppressed") is blocked


def test_each_change_of_consent_is_a_record_and_what_stays_is_none() -> None:
    before = build_contact(
        consent={
            "email": {NEWS: YES, MESSAGE: YES},
            "sms": {NEWS: NO},
        }
    )
    after = before.with_fields(
        {
            "consent": {
                "email": {NEWS: YES, MESSAGE: NO},
                "push": {NEWS: OPEN},
            }
        }
    )
    found = consent_changes(before, after, ConsentSource(source="shop", proof="paper"), NOW)
    assert [(each.channel_type, each.message_type, each.state) for each in found] == [
        ("email", MESSAGE, "REVOKED"), ("push", NEWS, "PENDING"), ("sms", NEWS, None),
    ]  # fmt: skip
    assert {(each.source, each.proof, each.at) for each in found} == {("shop", "paper", NOW)}
    assert consent_changes(None, before, ConsentSource(), NOW)
    assert consent_changes(before, before, ConsentSource(), NOW) == ()


def test_pages_of_entries_hold_each_once_also_where_many_are_of_one_moment() -> None:
    entries = [TimelineEntry("event", NOW - timedelta(minutes=n // 7), str(n), {}) for n in range(40)]
    seen, pages = TimelineCursor(), []
    while page := newest(entries, seen, 3)[:3]:
        pages.append(page)
        seen = seen.with_all(page)
    assert sorted(int(entry.id) for page in pages for entry in page) == list(range(40))
