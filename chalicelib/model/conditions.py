"""Conditions on a contact and its messages: comparisons combined by all, any and not."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from operator import attrgetter
from typing import Annotated, ClassVar, Self

from pydantic import Discriminator, Field, JsonValue, StringConstraints, model_validator
from pydantic import Tag as Member

from chalicelib.model.comparison import MAX_WORDS, Comparison, HistoryComparison, ValueComparison
from chalicelib.model.contact import PLAIN_FIELDS, ConsentState, Contact
from chalicelib.model.contact import Tag as TagName
from chalicelib.model.durations import Duration
from chalicelib.model.event import Event, EventName
from chalicelib.model.execution import DeliveryReceipt, Engagement, MessageOutcome, MessageResult
from chalicelib.model.ids import NODE_PATTERN, NodeId
from chalicelib.model.message import MessageType
from chalicelib.model.operators import Op
from chalicelib.model.steps import StepContext

#: Bounds the cost of evaluating a condition for one contact (security.md).
MAX_LEAVES = 100
MAX_DEPTH = 8
#: The number of a contact's events that are read, newest first.
MAX_RECALLED = 1_000


class MatchedBranch(StrEnum):
    """A state that an earlier message may have reached."""

    SENT = "sent"
    DELIVERED = "delivered"
    OPENED = "opened"
    CLICKED = "clicked"
    REPLIED = "replied"
    BOUNCED = "bounced"
    FAILED = "failed"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"


class FieldIs(ValueComparison):
    """A comparison of a contact field or of `attributes.<name>`."""

    kind: ClassVar[str] = "field"

    field: Annotated[str, StringConstraints(pattern=r"^(attributes\.)?[A-Za-z_][A-Za-z0-9_]{0,63}$")]
    """Field of the contact, or `attributes.` with the name of an attribute."""

    @model_validator(mode="after")
    def _check_field(self) -> Self:
        if not self.field.startswith("attributes.") and self.field not in _FIELDS:
            raise ValueError(f"unknown field {self.field}; write an attribute as attributes.{self.field}")
        return self

    def holds(self, context: StepContext) -> str:
        """Compare the contact's current field."""
        return self.why(self.field, self.reader(context.contact), context.now)

    @property
    def reader(self) -> Callable[[Contact], object]:
        """Return the function that reads the field; it returns None for a contact without a value."""
        name = self.field.removeprefix("attributes.")
        return attrgetter(_FIELDS[name]) if name == self.field else lambda contact: contact.attributes.get(name)


class PropertyIs(ValueComparison):
    """A comparison of a property of the triggering event, by its path (`cart.total`)."""

    kind: ClassVar[str] = "property"

    property: Annotated[str, StringConstraints(pattern=r"^[^.\s]{1,64}(\.[^.\s]{1,64}){0,7}$")]
    """Path of a property of the triggering event, for example `cart.total`; at most 8 parts."""

    def holds(self, context: StepContext) -> str:
        """Compare the property; an execution that no event started has no properties."""
        return self.why(f"event.{self.property}", property_at(context.properties, self.property), context.now)


def property_at(properties: Mapping[str, JsonValue], path: str) -> JsonValue:
    """Return the value at a dotted path; None if there is no value."""
    found: JsonValue = dict(properties)
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found


class EventCount(HistoryComparison):
    """A comparison of how often the contact had an event: by default at least once; `"is": false` for fewer times."""

    kind: ClassVar[str] = "event"
    ops: ClassVar[tuple[Op, ...]] = (Op.EQ, Op.NE, Op.GT, Op.GTE, Op.LT, Op.LTE, Op.EXISTS)

    event: EventName
    """Name of the event."""
    is_: Annotated[bool, Field(alias="is")] = True
    """Whether the event must have happened; false inverts the comparison. Default true."""
    times: Annotated[int, Field(ge=1, le=MAX_RECALLED)] = 1
    """Smallest number of events, 1 to 1,000; default 1."""
    within: Duration | None = None
    """Only events of this last time span count, as an ISO 8601 duration; null counts all."""
    where: "When | None" = None
    """Only events with matching properties count."""

    @model_validator(mode="after")
    def _check_where(self) -> Self:
        if self.where is None:
            return self
        check_size(self.where)
        if not all(isinstance(leaf, PropertyIs) for leaf in leaves(self.where)):
            raise ValueError("where can compare only properties of the event")
        return self

    def check_value(self, values: Iterable[object]) -> None:
        """Allow only integers, because events are counted."""
        for value in values if self.op is not Op.EXISTS else ():
            if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_RECALLED:
                raise ValueError(f"value must be an integer from 0 to {MAX_RECALLED}, because events are counted")

    def fits(self, count: int, now: datetime) -> bool:
        """Report whether a number of events satisfies the comparison."""
        if self.op is None:
            return (count >= self.times) is self.is_
        return self.comparand.fits((count or None) if self.op is Op.EXISTS else count, now)

    def holds(self, context: StepContext) -> str:
        """Count the matching events of the contact's history."""
        since = context.now - self.within if self.within else None
        if not self.fits(sum(self._counts(event, since, context) for event in context.history), context.now):
            return ""
        if self.op is not None:
            return f"did {self.event} {self.op} {'' if self.value is None else self.value}".strip()
        return f"{'did' if self.is_ else 'did not'} {self.event}{f' {self.times} times' if self.times > 1 else ''}"

    def _counts(self, event: Event, since: datetime | None, context: StepContext) -> bool:
        if event.name != self.event or (since is not None and event.occurred_at < since):
            return False
        return self.where is None or bool(self.where.holds(replace(context, properties=event.properties)))


class HasTag(HistoryComparison):
    """A comparison of a tag; `"is": false` for contacts without it."""

    kind: ClassVar[str] = "tag"
    ops: ClassVar[tuple[Op, ...]] = (Op.EQ, Op.NE, Op.EXISTS)

    tag: TagName
    """Tag to look for."""
    is_: Annotated[bool, Field(alias="is")] = True
    """Whether the contact must have the tag; default true."""

    def check_value(self, values: Iterable[object]) -> None:
        """Allow only booleans."""
        if self.op is not Op.EXISTS and not all(isinstance(value, bool) for value in values):
            raise ValueError("value must be true or false")

    def fits(self, has: bool, now: datetime) -> bool:
        """Report whether having the tag, or not, satisfies the comparison."""
        if self.op is None:
            return has is self.is_
        return self.comparand.fits((has or None) if self.op is Op.EXISTS else has, now)

    def holds(self, context: StepContext) -> str:
        """Compare the contact's current tags."""
        has = self.tag in context.contact.tags
        return f"{'has' if has else 'lacks'} the tag {self.tag}"[:MAX_WORDS] if self.fits(has, context.now) else ""


class ConsentIs(HistoryComparison):
    """A comparison of the consent for a channel type and message type; null means that the contact was never asked."""

    kind: ClassVar[str] = "consent"
    ops: ClassVar[tuple[Op, ...]] = (Op.EQ, Op.NE, Op.IN, Op.EXISTS)

    consent: Annotated[str, StringConstraints(max_length=40)]
    """Channel type of the consent, for example `email`."""
    message_type: MessageType = MessageType.NEWSLETTER
    """Message type of the consent; default `NEWSLETTER`."""
    is_: Annotated[ConsentState | None, Field(alias="is")] = ConsentState.GRANTED
    """State that the consent must have; null means that the contact was never asked. Default `GRANTED`."""

    def check_value(self, values: Iterable[object]) -> None:
        """Allow only consent states."""
        if self.op is not Op.EXISTS and not all(value in list(ConsentState) for value in values):
            raise ValueError(f"value must be one of {', '.join(ConsentState)}")

    def fits(self, state: ConsentState | None, now: datetime) -> bool:
        """Report whether a consent state satisfies the comparison."""
        return state is self.is_ if self.op is None else self.comparand.fits(state, now)

    def holds(self, context: StepContext) -> str:
        """Compare the contact's current consent."""
        state = context.contact.consent_to(self.consent, self.message_type)
        words = f"consent to {self.consent} {self.message_type} is {state or 'open'}"
        return words if self.fits(state, context.now) else ""


class MessageIs(Comparison):
    """A comparison of an earlier SEND: the state that its message reached, or the channel that was used."""

    kind: ClassVar[str] = "message"

    message: Annotated[str, StringConstraints(pattern=NODE_PATTERN)]
    """Id of an earlier SEND step."""
    is_: Annotated[MatchedBranch | None, Field(alias="is")] = None
    """State that its message must have reached; null compares only the channel."""
    channel_used: Annotated[str, StringConstraints(max_length=64)] | None = None
    """Channel that must have sent the message; null means any."""
    within: Duration | None = None
    """Largest age of the newest report, or of the send without one, as an ISO 8601 duration; null means any."""

    @model_validator(mode="after")
    def _check_exclusive(self) -> Self:
        if (self.is_ is None) == (self.channel_used is None):
            raise ValueError("set either is or channelUsed")
        return self

    def holds(self, context: StepContext) -> str:
        """Compare the message's state; a message that the execution did not reach has no state."""
        node = NodeId(self.message)
        result, receipt = context.results.get(node), context.receipts.get(node)
        if result is None:
            return ""
        at = receipt.at if receipt else result.at
        if self.within is not None and context.now - at > self.within:
            return ""
        if self.channel_used is not None:
            went = result.outcome is not MessageOutcome.SKIPPED and result.channel == self.channel_used
            return f"message {node} went by {result.channel}" if went else ""
        return f"message {node} is {self.is_}" if self.is_ in first_matching(result, receipt) else ""


class All(Comparison):
    """A combination that holds if every part holds."""

    kind: ClassVar[str] = "all"

    all: Annotated[tuple["When", ...], Field(min_length=1, max_length=MAX_LEAVES)]
    """Parts that must all hold, 1 to 100."""

    def parts(self) -> tuple[Comparison, ...]:
        """Return the parts in order."""
        return self.all

    def holds(self, context: StepContext) -> str:
        """Return every comparison in words."""
        whys = [part.holds(context) for part in self.all]
        return " and ".join(whys)[:MAX_WORDS] if all(whys) else ""


class Any(Comparison):
    """A combination that holds if at least one part holds."""

    kind: ClassVar[str] = "any"

    any: Annotated[tuple["When", ...], Field(min_length=1, max_length=MAX_LEAVES)]
    """Parts of which at least one must hold, 1 to 100."""

    def parts(self) -> tuple[Comparison, ...]:
        """Return the parts in order."""
        return self.any

    def holds(self, context: StepContext) -> str:
        """Return the first part that holds."""
        return next((why for part in self.any if (why := part.holds(context))), "")


class Not(Comparison):
    """A negation."""

    kind: ClassVar[str] = "not"

    not_: Annotated["When", Field(alias="not")]
    """Part that must not hold."""

    def parts(self) -> tuple[Comparison, ...]:
        """Return the negated part."""
        return (self.not_,)

    def holds(self, context: StepContext) -> str:
        """Return the negation in words if the negated part does not hold."""
        return "" if self.not_.holds(context) else f"not {self.not_.kind}"


_KINDS: tuple[type[Comparison], ...] = (All, Any, Not, MessageIs, FieldIs, PropertyIs, EventCount, HasTag, ConsentIs)


#: Upper case, so that a path to a problem does not confuse the kind `FIELD` with the key `field`.
def kind_of(value: object) -> str | None:
    """Return the kind of a comparison by its key, or None."""
    if isinstance(value, Comparison):
        return value.kind.upper()
    return next((each.kind.upper() for each in _KINDS if isinstance(value, dict) and each.kind in value), None)


When = Annotated[
    Annotated[All, Member("ALL")]
    | Annotated[Any, Member("ANY")]
    | Annotated[Not, Member("NOT")]
    | Annotated[MessageIs, Member("MESSAGE")]
    | Annotated[FieldIs, Member("FIELD")]
    | Annotated[PropertyIs, Member("PROPERTY")]
    | Annotated[EventCount, Member("EVENT")]
    | Annotated[HasTag, Member("TAG")]
    | Annotated[ConsentIs, Member("CONSENT")],
    Discriminator(
        kind_of,
        custom_error_type="unknown_comparison",
        custom_error_message="must have one of all, any, not, message, field, property, event, tag, consent",
    ),
]


def leaves(when: Comparison) -> Iterator[Comparison]:
    """Yield the single comparisons of a tree."""
    parts = when.parts()
    if not parts:
        yield when
    for part in parts:
        yield from leaves(part)


def required_events(when: Comparison) -> frozenset[str]:
    """Return the names of the events that the tree counts."""
    return frozenset(leaf.event for leaf in leaves(when) if isinstance(leaf, EventCount))


def depth(when: Comparison) -> int:
    """Return the number of levels of a tree; a single comparison has one."""
    return 1 + max((depth(part) for part in when.parts()), default=0)


def _weight(when: Comparison) -> int:
    """Return the number of comparisons, including those of event properties, which are evaluated for many events."""
    inside = (leaf.where for leaf in leaves(when) if isinstance(leaf, EventCount))
    return sum(1 for _ in leaves(when)) + sum(_weight(where) for where in inside if where is not None)


def check_size(when: Comparison) -> None:
    """Check the size of a tree. ValueError above MAX_LEAVES comparisons or MAX_DEPTH levels."""
    if (count := _weight(when)) > MAX_LEAVES:
        raise ValueError(f"a condition may have at most {MAX_LEAVES} comparisons; got {count}")
    if (levels := depth(when)) > MAX_DEPTH:
        raise ValueError(f"a condition may have at most {MAX_DEPTH} levels; got {levels}")


def first_matching(result: MessageResult, receipt: DeliveryReceipt | None) -> frozenset[MatchedBranch]:
    """Return every state that the message has reached: a clicked message was also delivered and opened."""
    if result.outcome is MessageOutcome.UNKNOWN and receipt is None:
        return frozenset({MatchedBranch.UNKNOWN})
    if result.outcome not in {MessageOutcome.SENT, MessageOutcome.UNKNOWN}:
        return frozenset({MatchedBranch(result.outcome.value)})
    return frozenset({MatchedBranch.SENT}) | (_REPORTED[receipt.engagement] if receipt else frozenset())


_REPORTED = {
    Engagement.SENT: frozenset[MatchedBranch](),
    Engagement.TIMED_OUT: frozenset[MatchedBranch](),
    Engagement.DELIVERED: frozenset({MatchedBranch.DELIVERED}),
    Engagement.OPENED: frozenset({MatchedBranch.DELIVERED, MatchedBranch.OPENED}),
    Engagement.CLICKED: frozenset({MatchedBranch.DELIVERED, MatchedBranch.OPENED, MatchedBranch.CLICKED}),
    Engagement.REPLIED: frozenset({MatchedBranch.DELIVERED, MatchedBranch.OPENED, MatchedBranch.REPLIED}),
    Engagement.BOUNCED: frozenset({MatchedBranch.BOUNCED}),
    Engagement.FAILED: frozenset({MatchedBranch.FAILED}),
}
#: API name → attribute name.
_FIELDS = {**PLAIN_FIELDS, "createdAt": "created_at"}
