"""A contact: who may be written to, where, and what they agreed to."""

import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import date, datetime
from enum import StrEnum
from hashlib import blake2b
from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, field_validator
from pydantic.json_schema import SkipJsonSchema

from chalicelib.model.base import Moment, StoredDocument, StrictModel
from chalicelib.model.message import MessageType
from chalicelib.model.suppression import ChannelTypeName, SuppressionBlock

#: Tags and attributes keep a contact under 4 KB (one read unit), as a rule under 1 KB.
MAX_TAGS = 50
MAX_ATTRIBUTES = 100
Name = Annotated[str, StringConstraints(max_length=200)]
Tag = Annotated[str, StringConstraints(min_length=1, max_length=64)]
AttributeName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")]
Scalar = bool | int | float | Annotated[str, StringConstraints(max_length=1024)]


_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _read_date(value: object) -> object:
    """JSON has no dates: text that is exactly a day of the calendar, as 2026-03-02, is one."""
    if isinstance(value, str) and _DAY.fullmatch(value):
        with suppress(ValueError):
            return date.fromisoformat(value)
    return value


def _only_a_date(value: object) -> object:
    """Pydantic reads a text of digits that is too long to be one as the seconds since 1970."""
    if not isinstance(value, date):
        raise ValueError("Input should be a day like 2026-03-02")  # noqa: TRY004  what pydantic makes a problem of
    return value


#: To callers a date is a text; it is none only inside.
_Date = Annotated[SkipJsonSchema[date], BeforeValidator(_only_a_date)]
AttributeValue = Annotated[
    Scalar | _Date | Annotated[tuple[Scalar, ...], Field(max_length=50)] | None, AfterValidator(_read_date)
]


class ContactStatus(StrEnum):
    """Whether the contact as a whole may be written to."""

    ACTIVE = "ACTIVE"
    UNSUBSCRIBED = "UNSUBSCRIBED"
    BOUNCED = "BOUNCED"
    BLOCKED = "BLOCKED"


class ConsentState(StrEnum):
    """What the contact said for one channel type and message type."""

    GRANTED = "GRANTED"
    REVOKED = "REVOKED"
    PENDING = "PENDING"


#: By channel type and message type; each time it changes, a ConsentRecord tells how we know.
Consent = Annotated[Mapping[ChannelTypeName, Mapping[MessageType, ConsentState]], Field(max_length=20)]


class ContactFields(StrictModel):
    """What a caller may set; a new contact, a replacement and an imported row are all read by it."""

    external_id: Annotated[str, StringConstraints(min_length=1, max_length=128)] | None = None
    #: Address as given; `core/contacts/save_contact` checks and normalises it.
    email: Annotated[str, StringConstraints(max_length=320)] | None = None
    #: Phone as given or E.164 once saved.
    phone: Annotated[str, StringConstraints(max_length=32)] | None = None
    push_tokens: Annotated[tuple[str, ...], Field(max_length=10)] = ()
    first_name: Name | None = None
    last_name: Name | None = None
    locale: Annotated[str, StringConstraints(max_length=35)] | None = None
    timezone: Annotated[str, StringConstraints(max_length=64)] | None = None
    attributes: Annotated[Mapping[AttributeName, AttributeValue], Field(max_length=MAX_ATTRIBUTES)] = {}
    tags: Annotated[tuple[Tag, ...], Field(max_length=MAX_TAGS)] = ()
    status: ContactStatus = ContactStatus.ACTIVE
    #: By channel type and message type, e.g. {"email": {"NEWSLETTER": "GRANTED"}}.
    consent: Consent = {}

    @field_validator("tags")
    @classmethod
    def _once_each(cls, tags: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(tags))


#: What has one value that text can hold: as the API writes it → as the record has it.
PLAIN_FIELDS: Mapping[str, str] = {
    "uid": "uid",
    "externalId": "external_id",
    "email": "email",
    "phone": "phone",
    "firstName": "first_name",
    "lastName": "last_name",
    "locale": "locale",
    "timezone": "timezone",
    "status": "status",
}


def unique_keys(external_id: str | None, email: str | None, phone: str | None) -> tuple[str, ...]:
    """The look-up strings of what is known of a contact, in the order in which they tell who is meant."""
    found = (("externalId", external_id), ("email", email and email.casefold()), ("phone", phone))
    return tuple(f"{name}:{value}" for name, value in found if value)


def hash_address_for_reach(address: str) -> str:
    """Tells an address from others in a few characters."""
    return blake2b(address.encode(), digest_size=8).hexdigest()


class ChannelUnreachable(StrictModel):
    """A medium that did not reach an address, as its provider has proved; believed until a moment."""

    channel_type: ChannelTypeName
    #: A hash of the address as the channel type has it: a list of devices is long.
    address: str
    until: Moment


class Contact(ContactFields, StoredDocument):
    """A saved contact; `email` is case-folded in its domain and looked up case-folded, `phone` is E.164."""

    kind: ClassVar[str] = "CONTACT"

    #: What the suppression list says of its addresses, kept here as well: a send reads the contact anyway.
    suppressed: tuple[SuppressionBlock, ...] = ()
    #: Where a step's fallback is tried at once.
    unreachable: Annotated[tuple[ChannelUnreachable, ...], Field(max_length=10)] = ()

    def consent_to(self, channel_type: str, message_type: MessageType) -> ConsentState | None:
        """What the contact said for this kind of message, None when they were never asked."""
        return self.consent.get(channel_type, {}).get(message_type)

    def is_suppressed(self, address: str, channel_type: str, message_type: MessageType) -> bool:
        """Whether the suppression list forbids such a message to this one of the contact's addresses."""
        return any(
            block.covers(channel_type, message_type)
            for block in self.suppressed
            if address == {"email": self.email, "phone": self.phone}[block.address]
        )

    def is_unreachable(self, channel_type: str, address: str, now: datetime) -> bool:
        """Whether this medium is known not to reach this address."""
        wanted = channel_type, hash_address_for_reach(address)
        return any(now < each.until and (each.channel_type, each.address) == wanted for each in self.unreachable)

    def with_consent(self, channel_type: str, message_type: MessageType, state: ConsentState) -> Self:
        """The contact having said this for one channel type and message type."""
        said = {**self.consent.get(channel_type, {}), message_type: state}
        return self.with_fields({"consent": {**self.consent, channel_type: said}})

    def lookups(self) -> tuple[str, ...]:
        """The strings under which the contact is found and of which no two contacts share one."""
        return unique_keys(self.external_id, self.email, self.phone)

    def with_fields(self, changes: Mapping[str, object]) -> Self:
        """The contact with python-named fields changed; raises pydantic's ValidationError."""
        return type(self).model_validate({**dict(self), **changes})
