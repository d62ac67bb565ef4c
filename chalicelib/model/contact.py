"""Contacts: addresses, fields, tags and consent."""

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

#: The limits keep a contact below 4 KB (one read unit), and usually below 1 KB.
MAX_TAGS = 50
MAX_ATTRIBUTES = 100
Name = Annotated[str, StringConstraints(max_length=200)]
Tag = Annotated[str, StringConstraints(min_length=1, max_length=64)]
AttributeName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")]
Scalar = bool | int | float | Annotated[str, StringConstraints(max_length=1024)]


_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _read_date(value: object) -> object:
    """Convert a calendar day as text, such as 2026-03-02, to a date, because JSON has no dates."""
    if isinstance(value, str) and _DAY.fullmatch(value):
        with suppress(ValueError):
            return date.fromisoformat(value)
    return value


def _only_a_date(value: object) -> object:
    """Accept dates only: Pydantic would read a longer text of digits as seconds since 1970."""
    if not isinstance(value, date):
        raise ValueError("Input should be a day like 2026-03-02")  # noqa: TRY004  what pydantic makes a problem of
    return value


#: A date internally; callers send and receive text.
_Date = Annotated[SkipJsonSchema[date], BeforeValidator(_only_a_date)]
AttributeValue = Annotated[
    Scalar | _Date | Annotated[tuple[Scalar, ...], Field(max_length=50)] | None, AfterValidator(_read_date)
]


class ContactStatus(StrEnum):
    """Status of the contact as a whole. Only ACTIVE contacts receive messages."""

    ACTIVE = "ACTIVE"
    UNSUBSCRIBED = "UNSUBSCRIBED"
    BOUNCED = "BOUNCED"
    BLOCKED = "BLOCKED"


class ConsentState(StrEnum):
    """Decision of the contact for one channel type and message type."""

    GRANTED = "GRANTED"
    REVOKED = "REVOKED"
    PENDING = "PENDING"


#: Consent by channel type and message type. A ConsentRecord stores the origin of each change.
Consent = Annotated[Mapping[ChannelTypeName, Mapping[MessageType, ConsentState]], Field(max_length=20)]


class ContactFields(StrictModel):
    """Fields of a contact that a caller can set; also the model of an imported record."""

    external_id: Annotated[str, StringConstraints(min_length=1, max_length=128)] | None = None
    """Id of the contact in your system, 1 to 128 characters, unique in the workspace."""
    #: As entered; `core/contacts/save_contact` validates and normalises it.
    email: Annotated[str, StringConstraints(max_length=320)] | None = None
    """Email address, unique in the workspace. The domain is stored in lower case."""
    phone: Annotated[str, StringConstraints(max_length=32)] | None = None
    """Phone number, stored in E.164, unique in the workspace. National numbers are read in the region of the
    workspace."""
    push_tokens: Annotated[tuple[str, ...], Field(max_length=10)] = ()
    """SNS endpoint ARNs of the devices, at most 10."""
    first_name: Name | None = None
    """First name, for example for a salutation; at most 200 characters."""
    last_name: Name | None = None
    """Family name, at most 200 characters."""
    locale: Annotated[str, StringConstraints(max_length=35)] | None = None
    """Language and region, for example `de-CH`."""
    timezone: Annotated[str, StringConstraints(max_length=64)] | None = None
    """IANA time zone, for example `Europe/Berlin`."""
    attributes: Annotated[Mapping[AttributeName, AttributeValue], Field(max_length=MAX_ATTRIBUTES)] = {}
    """Attributes by name, at most 100."""
    tags: Annotated[tuple[Tag, ...], Field(max_length=MAX_TAGS)] = ()
    """Tags, at most 50 of at most 64 characters."""
    status: ContactStatus = ContactStatus.ACTIVE
    """Status of the contact. Only active contacts receive messages. Default `ACTIVE`."""
    consent: Consent = {}
    """Consent by channel type and message type, for example `{"email": {"NEWSLETTER": "GRANTED"}}`."""

    @field_validator("tags")
    @classmethod
    def _without_duplicates(cls, tags: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(tags))


#: Fields with a single text value: API name → attribute name.
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
    """Return the unique look-up keys of a contact, in order of precedence."""
    found = (("externalId", external_id), ("email", email and email.casefold()), ("phone", phone))
    return tuple(f"{name}:{value}" for name, value in found if value)


def hash_address_for_reach(address: str) -> str:
    """Return a short hash of an address (16 hex digits), for comparison only."""
    return blake2b(address.encode(), digest_size=8).hexdigest()


class ChannelUnreachable(StrictModel):
    """Proof of the provider that a channel type does not reach an address; valid until a time."""

    channel_type: ChannelTypeName
    """Channel type that does not reach the address."""
    #: Hash of the address, because a list of device tokens is long.
    address: str
    """Hash of the address."""
    until: Moment
    """Time at which the channel type is tried again."""


class Contact(ContactFields, StoredDocument):
    """A stored contact. The domain of `email` is in lower case and look-up ignores case; `phone` is E.164."""

    kind: ClassVar[str] = "CONTACT"

    #: Entries of the suppression list for the contact's addresses. They are copied here because every send reads the
    #: contact anyway.
    suppressed: tuple[SuppressionBlock, ...] = ()
    """Blocks of the suppression list that apply to the addresses of the contact."""
    unreachable: Annotated[tuple[ChannelUnreachable, ...], Field(max_length=10)] = ()
    """Channel types that currently do not reach the contact. A step skips them and tries its fallback immediately."""

    def consent_to(self, channel_type: str, message_type: MessageType) -> ConsentState | None:
        """Return the consent for this kind of message; None if the contact was never asked."""
        return self.consent.get(channel_type, {}).get(message_type)

    def is_suppressed(self, address: str, channel_type: str, message_type: MessageType) -> bool:
        """Report whether the suppression list forbids this kind of message to one of the contact's addresses."""
        return any(
            block.covers(channel_type, message_type)
            for block in self.suppressed
            if address == {"email": self.email, "phone": self.phone}[block.address]
        )

    def is_unreachable(self, channel_type: str, address: str, now: datetime) -> bool:
        """Report whether the channel type is known not to reach this address."""
        wanted = channel_type, hash_address_for_reach(address)
        return any(now < each.until and (each.channel_type, each.address) == wanted for each in self.unreachable)

    def with_consent(self, channel_type: str, message_type: MessageType, state: ConsentState) -> Self:
        """Return the contact with a consent changed."""
        states = {**self.consent.get(channel_type, {}), message_type: state}
        return self.with_fields({"consent": {**self.consent, channel_type: states}})

    def lookups(self) -> tuple[str, ...]:
        """Return the unique look-up keys; no two contacts of a workspace share one."""
        return unique_keys(self.external_id, self.email, self.phone)

    def with_fields(self, changes: Mapping[str, object]) -> Self:
        """Return the contact with fields changed, by attribute name. Raises pydantic's ValidationError."""
        return type(self).model_validate({**dict(self), **changes})
