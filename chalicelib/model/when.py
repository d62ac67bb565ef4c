"""Conditions on a contact and its messages: a tree of all, any and not over single comparisons."""

import operator
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Annotated, ClassVar, Self

from pydantic import Discriminator, Field, JsonValue, StringConstraints, TypeAdapter, model_validator
from pydantic import Tag as Member

from chalicelib.model.base import Outside
from chalicelib.model.contact import ConsentState, Contact
from chalicelib.model.contact import Tag as TagName
from chalicelib.model.durations import Duration
from chalicelib.model.execution import Engagement, Outcome, Receipt, Result
from chalicelib.model.ids import NODE_PATTERN, NodeId
from chalicelib.model.message import MessageType
from chalicelib.model.steps import StepContext

#: security.md: more would cost more than a glance per contact.
MAX_LEAVES = 100
MAX_DEPTH = 8
#: What the inspector keeps of a comparison; it is stored on the row.
MAX_WORDS = 80
_ISO_8601 = TypeAdapter(timedelta)


class Op(StrEnum):
    """How a field is compared. `before`, `after` and `within` read it as a moment."""

    EQ = "eq"
    NE = "ne"
    GT = "gt"
    GTE = "gte"
    LT = "lt"
    LTE = "lte"
    IN = "in"
    CONTAINS = "contains"
    STARTS_WITH = "startsWith"
    EXISTS = "exists"
    BEFORE = "before"
    AFTER = "after"
    WITHIN = "within"


class Reached(StrEnum):
    """What may have become of an earlier message."""

    SENT = "sent"
    DELIVERED = "delivered"
    OPENED = "opened"
    CLICKED = "clicked"
    REPLIED = "replied"
    BOUNCED = "bounced"
    FAILED = "failed"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"


class Comparison(Outside):
    """Base of all; `kind` is the key by which it is told from the others."""

    kind: ClassVar[str]

    def holds(self, context: StepContext) -> str:
        """The comparison in words when it holds, else nothing."""
        raise TypeError(f"{self.kind} cannot be asked of {context.contact.uid}")

    def parts(self) -> tuple["Comparison", ...]:
        """What it is made of; nothing for a single comparison."""
        return ()


class FieldIs(Comparison):
    """A contact's field or `attributes.<name>`, compared with a value."""

    kind: ClassVar[str] = "field"

    field: Annotated[str, StringConstraints(pattern=r"^(attributes\.)?[A-Za-z_][A-Za-z0-9_]{0,63}$")]
    op: Op = Op.EQ
    value: JsonValue = None
    within: Duration | None = None

    @model_validator(mode="after")
    def _value_fits(self) -> Self:
        if not self.field.startswith("attributes.") and self.field not in _FIELDS:
            raise ValueError(f"there is no field {self.field}; attributes are written attributes.{self.field}")
        if (self.within is not None) != (self.op is Op.WITHIN):
            raise ValueError("the operator within takes a duration as within, and no other operator does")
        wanted, fits = _TAKES[self.op]
        if not fits(self.value):
            raise ValueError(f"the operator {self.op} takes {wanted}")
        return self

    def holds(self, context: StepContext) -> str:
        """A field that the contact does not have only fits `ne`, and `exists` with the value false."""
        found = self._look_up(context.contact)
        value = _ISO_8601.dump_python(self.within, mode="json") if self.within else self.value
        words = f"{self.field} {self.op} {'' if value is None else value}".strip()
        return words[:MAX_WORDS] if self._fits(found, context.now) else ""

    def _look_up(self, contact: Contact) -> object:
        if self.field.startswith("attributes."):
            return contact.attributes.get(self.field.removeprefix("attributes."))
        return getattr(contact, _FIELDS[self.field])

    def _fits(self, found: object, now: datetime) -> bool:
        if self.op is Op.EXISTS:
            return (found is not None) is (self.value is not False)
        if self.op is Op.NE:
            return not _equal(found, self.value)
        return found is not None and _COMPARE[self.op](self, found, now)


class HasTag(Comparison):
    """Whether the contact has the tag; `"is": false` for those without."""

    kind: ClassVar[str] = "tag"

    tag: TagName
    is_: Annotated[bool, Field(alias="is")] = True

    def holds(self, context: StepContext) -> str:
        """By the record as it is now."""
        has = self.tag in context.contact.tags
        return f"{'has' if has else 'lacks'} the tag {self.tag}"[:MAX_WORDS] if has is self.is_ else ""


class ConsentIs(Comparison):
    """What the contact said for a channel type and message type; null is never asked."""

    kind: ClassVar[str] = "consent"

    consent: Annotated[str, StringConstraints(max_length=40)]
    message_type: MessageType = MessageType.NEWSLETTER
    is_: Annotated[ConsentState | None, Field(alias="is")] = ConsentState.GRANTED

    def holds(self, context: StepContext) -> str:
        """By the record as it is now."""
        said = context.contact.consent_to(self.consent, self.message_type)
        return f"consent to {self.consent} {self.message_type} is {said or 'open'}" if said is self.is_ else ""


class MessageIs(Comparison):
    """What became of an earlier SEND: how far it got, or by which channel it went."""

    kind: ClassVar[str] = "message"

    message: Annotated[str, StringConstraints(pattern=NODE_PATTERN)]
    is_: Annotated[Reached | None, Field(alias="is")] = None
    channel_used: Annotated[str, StringConstraints(max_length=64)] | None = None
    #: Only if it got there at most this long before now.
    within: Duration | None = None

    @model_validator(mode="after")
    def _one_question(self) -> Self:
        if (self.is_ is None) == (self.channel_used is None):
            raise ValueError("ask for is or for channelUsed")
        return self

    def holds(self, context: StepContext) -> str:
        """A message that the walk did not come by has not become anything."""
        node = NodeId(self.message)
        result, receipt = context.results.get(node), context.receipts.get(node)
        if result is None:
            return ""
        at = receipt.at if receipt else result.at
        if self.within is not None and context.now - at > self.within:
            return ""
        if self.channel_used is not None:
            went = result.outcome is not Outcome.SKIPPED and result.channel == self.channel_used
            return f"message {node} went by {result.channel}" if went else ""
        return f"message {node} is {self.is_}" if self.is_ in reached(result, receipt) else ""


class All(Comparison):
    """Holds when every part does."""

    kind: ClassVar[str] = "all"

    all: Annotated[tuple["When", ...], Field(min_length=1, max_length=MAX_LEAVES)]

    def parts(self) -> tuple[Comparison, ...]:
        """Looked at in order."""
        return self.all

    def holds(self, context: StepContext) -> str:
        """Every comparison, in words."""
        whys = [part.holds(context) for part in self.all]
        return " and ".join(whys)[:MAX_WORDS] if all(whys) else ""


class Any(Comparison):
    """Holds when a part does."""

    kind: ClassVar[str] = "any"

    any: Annotated[tuple["When", ...], Field(min_length=1, max_length=MAX_LEAVES)]

    def parts(self) -> tuple[Comparison, ...]:
        """Looked at in order."""
        return self.any

    def holds(self, context: StepContext) -> str:
        """The first that does."""
        return next((why for part in self.any if (why := part.holds(context))), "")


class Not(Comparison):
    """Holds when its part does not."""

    kind: ClassVar[str] = "not"

    not_: Annotated["When", Field(alias="not")]

    def parts(self) -> tuple[Comparison, ...]:
        """The one."""
        return (self.not_,)

    def holds(self, context: StepContext) -> str:
        """Says what it is that does not hold."""
        return "" if self.not_.holds(context) else f"not {self.not_.kind}"


_KINDS: tuple[type[Comparison], ...] = (All, Any, Not, MessageIs, FieldIs, HasTag, ConsentIs)


#: Kinds in capitals, that a path to a problem does not take them for the field that is called so.
def _kind_of(value: object) -> str | None:
    if isinstance(value, Comparison):
        return value.kind.upper()
    return next((each.kind.upper() for each in _KINDS if isinstance(value, dict) and each.kind in value), None)


When = Annotated[
    Annotated[All, Member("ALL")]
    | Annotated[Any, Member("ANY")]
    | Annotated[Not, Member("NOT")]
    | Annotated[MessageIs, Member("MESSAGE")]
    | Annotated[FieldIs, Member("FIELD")]
    | Annotated[HasTag, Member("TAG")]
    | Annotated[ConsentIs, Member("CONSENT")],
    Discriminator(
        _kind_of,
        custom_error_type="unknown_comparison",
        custom_error_message="must have one of all, any, not, message, field, tag, consent",
    ),
]
All.model_rebuild()
Any.model_rebuild()
Not.model_rebuild()


def leaves(when: Comparison) -> Iterator[Comparison]:
    """The single comparisons of a tree."""
    parts = when.parts()
    if not parts:
        yield when
    for part in parts:
        yield from leaves(part)


def depth(when: Comparison) -> int:
    """How many levels a tree has; a single comparison has one."""
    return 1 + max((depth(part) for part in when.parts()), default=0)


def check_size(when: Comparison) -> None:
    """Raises ValueError when the tree is larger than its limits."""
    if (count := sum(1 for _ in leaves(when))) > MAX_LEAVES:
        raise ValueError(f"a condition has at most {MAX_LEAVES} comparisons, this one has {count}")
    if (levels := depth(when)) > MAX_DEPTH:
        raise ValueError(f"a condition has at most {MAX_DEPTH} levels, this one has {levels}")


def reached(result: Result, receipt: Receipt | None) -> frozenset[Reached]:
    """All that is true of a message now: one that was clicked was delivered and opened too."""
    if result.outcome is Outcome.UNKNOWN and receipt is None:
        return frozenset({Reached.UNKNOWN})
    if result.outcome not in {Outcome.SENT, Outcome.UNKNOWN}:
        return frozenset({Reached(result.outcome.value)})
    return frozenset({Reached.SENT}) | (_REPORTED[receipt.engagement] if receipt else frozenset())


_REPORTED = {
    Engagement.SENT: frozenset[Reached](),
    Engagement.TIMED_OUT: frozenset[Reached](),
    Engagement.DELIVERED: frozenset({Reached.DELIVERED}),
    Engagement.OPENED: frozenset({Reached.DELIVERED, Reached.OPENED}),
    Engagement.CLICKED: frozenset({Reached.DELIVERED, Reached.OPENED, Reached.CLICKED}),
    Engagement.REPLIED: frozenset({Reached.DELIVERED, Reached.OPENED, Reached.REPLIED}),
    Engagement.BOUNCED: frozenset({Reached.BOUNCED}),
    Engagement.FAILED: frozenset({Reached.FAILED}),
}
#: As the API writes them → as the record has them.
_FIELDS = {
    "uid": "uid",
    "externalId": "external_id",
    "email": "email",
    "phone": "phone",
    "firstName": "first_name",
    "lastName": "last_name",
    "locale": "locale",
    "timezone": "timezone",
    "status": "status",
    "createdAt": "created_at",
}
_ORDERS = {Op.GT: operator.gt, Op.GTE: operator.ge, Op.LT: operator.lt, Op.LTE: operator.le}


def as_moment(value: object) -> datetime | None:
    """A date is its first moment in UTC; text is read as ISO 8601; without a zone it is none."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value) if len(value) > len("2026-01-01") else date.fromisoformat(value)
        except ValueError:
            return None
    if isinstance(value, datetime):
        try:
            return value.astimezone(UTC) if value.tzinfo else None
        except OverflowError:  # a zone that leads out of the years 1 to 9999
            return None
    return datetime.combine(value, time(), UTC) if isinstance(value, date) else None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


#: Operator → what it takes as its value, in words and as a check.
_TAKES: Mapping[Op, tuple[str, Callable[[object], bool]]] = {
    **dict.fromkeys((Op.EQ, Op.NE), ("a value or a list", lambda value: isinstance(value, str | int | float | list))),
    **dict.fromkeys(_ORDERS, ("a number", _is_number)),
    **dict.fromkeys(
        (Op.BEFORE, Op.AFTER), ("a date, or a date-time with its zone", lambda value: bool(as_moment(value)))
    ),
    Op.IN: ("a list", lambda value: isinstance(value, list)),
    Op.CONTAINS: ("a text, a number, true or false", lambda value: isinstance(value, str | int | float)),
    Op.STARTS_WITH: ("a text", lambda value: isinstance(value, str)),
    Op.EXISTS: ("true, false or nothing", lambda value: value is None or isinstance(value, bool)),
    Op.WITHIN: ("no value", lambda value: value is None),
}


def _equal(found: object, value: object) -> bool:
    if isinstance(found, bool) or isinstance(value, bool):
        return found is value
    if isinstance(found, date) and not isinstance(found, datetime):
        return found.isoformat() == value
    return list(found) == value if isinstance(found, tuple) else found == value


def _orders(comparison: FieldIs, found: object, now: datetime) -> bool:
    del now
    value = comparison.value
    if not isinstance(found, int | float) or not isinstance(value, int | float) or isinstance(found, bool):
        return False
    return bool(_ORDERS[comparison.op](found, value))


def _is_in(comparison: FieldIs, found: object, now: datetime) -> bool:
    del now
    return isinstance(comparison.value, list) and any(_equal(found, each) for each in comparison.value)


def _contains(comparison: FieldIs, found: object, now: datetime) -> bool:
    del now
    if isinstance(found, tuple):
        return any(_equal(each, comparison.value) for each in found)
    return isinstance(found, str) and str(comparison.value).casefold() in found.casefold()


def _starts_with(comparison: FieldIs, found: object, now: datetime) -> bool:
    del now
    return isinstance(found, str) and found.casefold().startswith(str(comparison.value).casefold())


def _lies(comparison: FieldIs, found: object, now: datetime) -> bool:
    moment, value = as_moment(found), as_moment(comparison.value)
    if moment is None:
        return False
    if comparison.within is not None:
        return timedelta(0) <= now - moment <= comparison.within
    if value is None:
        return False
    return moment < value if comparison.op is Op.BEFORE else moment > value


_COMPARE = {
    Op.EQ: lambda comparison, found, _: _equal(found, comparison.value),
    Op.IN: _is_in,
    Op.CONTAINS: _contains,
    Op.STARTS_WITH: _starts_with,
    Op.BEFORE: _lies,
    Op.AFTER: _lies,
    Op.WITHIN: _lies,
    **dict.fromkeys(_ORDERS, _orders),
}
