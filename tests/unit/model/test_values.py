"""What comes from outside: moments with zones, no unknown fields, no silent conversions; contacts once saved."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from pydantic import ValidationError

from chalicelib.model.base import Moment, StrictModel, rfc3339
from chalicelib.model.contact import MAX_TAGS, ConsentState, ContactFields, unique_keys
from chalicelib.model.message import MessageType
from tests.builders import build_contact


class Dated(StrictModel):
    """Something with a moment."""

    starts_at: Moment


def test_a_moment_needs_a_zone() -> None:
    with pytest.raises(ValidationError, match="needs a time zone"):
        Dated.model_validate_json('{"startsAt": "2026-03-02T09:00:00"}')


@pytest.mark.parametrize("text", ["2026-03-02T10:00:00+01:00", "2026-03-02T09:00:00Z", "2026-03-01T23:00:00-10:00"])
def test_a_moment_of_any_zone_is_kept_and_written_in_utc(text: str) -> None:
    read = Dated.model_validate_json(f'{{"startsAt": "{text}"}}')
    assert read.starts_at == datetime(2026, 3, 2, 9, tzinfo=UTC)
    assert read.starts_at.tzinfo is UTC
    assert read.model_dump_json() == '{"startsAt":"2026-03-02T09:00:00.000Z"}'


def test_moments_are_written_to_the_millisecond() -> None:
    moment = datetime(2026, 3, 2, 10, 0, 0, 1_999, tzinfo=timezone(timedelta(hours=1)))
    assert rfc3339(moment) == "2026-03-02T09:00:00.001Z"


@pytest.mark.parametrize("text", ['{"startsAt": 5}', '{"startsAt": "soon"}', '{"startsAt": null}', "{}"])
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        Dated.model_validate_json(text)


def test_unknown_fields_are_refused_and_values_do_not_change() -> None:
    with pytest.raises(ValidationError):
        Dated.model_validate_json('{"startsAt": "2026-03-02T09:00:00Z", "endsAt": null}')
    read = Dated.model_validate_json('{"starts_at": "2026-03-02T09:00:00Z"}')
    with pytest.raises(ValidationError):
        read.starts_at = datetime.now(UTC)  # type: ignore[misc]  # that it is frozen is what is tested


def test_a_contact_has_each_tag_once_in_the_order_given() -> None:
    assert ContactFields(tags=("new", "vip", "new", "Vip", "vip")).tags == ("new", "vip", "Vip")


def test_there_are_at_most_so_many_tags() -> None:
    assert len(ContactFields(tags=tuple(f"t{number}" for number in range(MAX_TAGS))).tags) == MAX_TAGS
    with pytest.raises(ValidationError):
        ContactFields(tags=tuple(f"t{number}" for number in range(MAX_TAGS + 1)))


@pytest.mark.parametrize("tag", ["", "x" * 65])
def test_a_tag_is_neither_empty_nor_endless(tag: str) -> None:
    with pytest.raises(ValidationError):
        ContactFields(tags=(tag,))


def test_a_contact_is_found_by_what_is_unique_of_it() -> None:
    assert unique_keys("7", "Ann@Example.com", None) == ("externalId:7", "email:ann@example.com")
    assert unique_keys(None, None, "+4915112345678") == ("phone:+4915112345678",)
    assert unique_keys(None, None, None) == ()


def test_consent_is_by_channel_type_and_message_type() -> None:
    contact = build_contact(consent={"email": {MessageType.NEWSLETTER: ConsentState.GRANTED}})
    assert contact.consent_to("email", MessageType.NEWSLETTER) is ConsentState.GRANTED
    assert contact.consent_to("email", MessageType.MESSAGE) is None
    assert contact.consent_to("sms", MessageType.NEWSLETTER) is None


def test_changed_fields_are_checked_like_new_ones() -> None:
    contact = build_contact(tags=("a",))
    assert contact.with_fields({"tags": ("b", "b")}).tags == ("b",)
    with pytest.raises(ValidationError):
        contact.with_fields({"first_name": "x" * 201})
    with pytest.raises(ValidationError):
        contact.with_fields({"shoe_size": 43})
