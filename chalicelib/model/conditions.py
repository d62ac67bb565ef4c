"""Conditions on a contact and its messages: a tree of all, any and not over single comparisons."""

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

#: security.md: more would cost more than a glance per contact.
MAX_LEAVES = 100
MAX_DEPTH = 8
#: As many events of a contact are looked at, the newest.
MAX_RECALLED = 1_000


class MatchedBranch(StrEnum):
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


class FieldIs(ValueComparison):
    """A contact's field or `attributes.<name>`, compared with a value."""

    kind: ClassVar[str] = "field"

    field: Annotated[str, StringConstraints(pattern=r"^(attributes\.)?[A-Za-z_][A-Za-z0-9_]{0,63}$")]

    @model_validator(mode="after")
    def _is_a_field(self) -> Self:
        if not self.field.startswith("attributes.") and self.field not in _FIELDS:
            raise ValueError(f"there is no field {self.field}; attributes are written attributes.{self.field}")
        return self

    def holds(self, context: StepContext) -> str:
        """By the record as it is now."""
        return self.why(self.field, self.look_up(context.contact), context.now)

    @property
    def look_up(self) -> Callable[[Contact], object]:
        """Finds what a contact has there; None where it has nothing."""
        name = self.field.removeprefix("attributes.")
        return attrgetter(_FIELDS[name]) if name == self.field else lambda contact: contact.attributes.get(name)


class PropertyIs(ValueComparison):
    """A property of the event that started the walk, by its path (`cart.total`), compared with a value."""

    kind: ClassVar[str] = "property"

    property: Annotated[str, StringConstraints(pattern=r"^[^.\s]{1,64}(\.[^.\s]{1,64}){0,7}$")]

    def holds(self, context: StepContext) -> str:
        """A walk that no event started has no properties."""
        return self.why(f"event.{self.property}", property_at(context.properties, self.property), context.now)


def property_at(properties: Mapping[str, JsonValue], path: str) -> JsonValue:
    """What lies at the end of a path of names joined by dots; None where it leads nowhere."""
    found: JsonValue = dict(properties)
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found


class EventCount(HistoryComparison):
    """How often the contact did something: by default at least once, `"is": false` for those who did not."""

    kind: ClassVar[str] = "event"
    ops: ClassVar[tuple[Op, ...]] = (Op.EQ, Op.NE, Op.GT, Op.GTE, Op.LT, Op.LTE, Op.EXISTS)

    event: EventName
    is_: Annotated[bool, Field(alias="is")] = True
    #: At least so often; "is": false turns it round.
    times: Annotated[int, Field(ge=1, le=MAX_RECALLED)] = 1
    #: Only what happened at most this long before now.
    within: Duration | None = None
    #: Only events of which this holds: property comparisons, joined by all, any and not.
    where: "When | None" = None

    @model_validator(mode="after")
    def _only_properties(self) -> Self:
        if self.where is None:
            return self
        check_size(self.where)
        if not all(isinstance(leaf, PropertyIs) for leaf in leaves(self.where)):
            raise ValueError("where compares properties of the event and nothing else")
        return self

    def check_value(self, values: Iterable[object]) -> None:
        """How often can only be compared with how often."""
        for value in values if self.op is not Op.EXISTS else ():
            if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_RECALLED:
                raise ValueError(f"an event is counted: the value is a whole number up to {MAX_RECALLED}")

    def fits(self, count: int, now: datetime) -> bool:
        """Whether having done it so often is what is asked for."""
        if self.op is None:
            return (count >= self.times) is self.is_
        return self.comparand.fits((count or None) if self.op is Op.EXISTS else count, now)

    def holds(self, context: StepContext) -> str:
        """By the contact's history as it is now."""
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
    """Whether the contact has the tag; `"is": false` for those without."""

    kind: ClassVar[str] = "tag"
    ops: ClassVar[tuple[Op, ...]] = (Op.EQ, Op.NE, Op.EXISTS)

    tag: TagName
    is_: Annotated[bool, Field(alias="is")] = True

    def check_value(self, values: Iterable[object]) -> None:
        """A contact has it or has it not."""
        if self.op is not Op.EXISTS and not all(isinstance(value, bool) for value in values):
            raise ValueError("a tag is there or not: the value is true or false")

    def fits(self, has: bool, now: datetime) -> bool:
        """Whether having it, or not, is what is asked for."""
        if self.op is None:
            return has is self.is_
        return self.comparand.fits((has or None) if self.op is Op.EXISTS else has, now)

    def holds(self, context: StepContext) -> str:
        """By the record as it is now."""
        has = self.tag in context.contact.tags
        return f"{'has' if has else 'lacks'} the tag {self.tag}"[:MAX_WORDS] if self.fits(has, context.now) else ""


class ConsentIs(HistoryComparison):
    """What the contact said for a channel type and message type; null is never asked."""

    kind: ClassVar[str] = "consent"
    ops: ClassVar[tuple[Op, ...]] = (Op.EQ, Op.NE, Op.IN, Op.EXISTS)

    consent: Annotated[str, StringConstraints(max_length=40)]
    message_type: MessageType = MessageType.NEWSLETTER
    is_: Annotated[ConsentState | None, Field(alias="is")] = ConsentState.GRANTED

    def check_value(self, values: Iterable[object]) -> None:
        """Only what a consent can be."""
        if self.op is not Op.EXISTS and not all(value in list(ConsentState) for value in values):
            raise ValueError(f"a consent is {', '.join(ConsentState)}")

    def fits(self, said: ConsentState | None, now: datetime) -> bool:
        """Whether having said this is what is asked for."""
        return said is self.is_ if self.op is None else self.comparand.fits(said, now)

    def holds(self, context: StepContext) -> str:
        """By the record as it is now."""
        said = context.contact.consent_to(self.consent, self.message_type)
        words = f"consent to {self.consent} {self.message_type} is {said or 'open'}"
        return words if self.fits(said, context.now) else ""


class MessageIs(Comparison):
    """What became of an earlier SEND: how far it got, or by which channel it went."""

    kind: ClassVar[str] = "message"

    message: Annotated[str, StringConstraints(pattern=NODE_PATTERN)]
    is_: Annotated[MatchedBranch | None, Field(alias="is")] = None
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
            went = result.outcome is not MessageOutcome.SKIPPED and result.channel == self.channel_used
            return f"message {node} went by {result.channel}" if went else ""
        return f"message {node} is {self.is_}" if self.is_ in first_matching(result, receipt) else ""


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


_KINDS: tuple[type[Comparison], ...] = (All, Any, Not, MessageIs, FieldIs, PropertyIs, EventCount, HasTag, ConsentIs)


#: Kinds in capitals, that a path to a problem does not take them for the field that is called so.
def kind_of(value: object) -> str | None:
    """By which of its keys a comparison is told from the others."""
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
    """The single comparisons of a tree."""
    parts = when.parts()
    if not parts:
        yield when
    for part in parts:
        yield from leaves(part)


def required_events(when: Comparison) -> frozenset[str]:
    """Names of the events whose history it looks at."""
    return frozenset(leaf.event for leaf in leaves(when) if isinstance(leaf, EventCount))


def depth(when: Comparison) -> int:
    """How many levels a tree has; a single comparison has one."""
    return 1 + max((depth(part) for part in when.parts()), default=0)


def _weight(when: Comparison) -> int:
    """How many comparisons it has, those with the properties of events included: each may be asked of many events."""
    inside = (leaf.where for leaf in leaves(when) if isinstance(leaf, EventCount))
    return sum(1 for _ in leaves(when)) + sum(_weight(where) for where in inside if where is not None)


def check_size(when: Comparison) -> None:
    """Raises ValueError when the tree is larger than its limits."""
    if (count := _weight(when)) > MAX_LEAVES:
        raise ValueError(f"a condition has at most {MAX_LEAVES} comparisons, this one has {count}")
    if (levels := depth(when)) > MAX_DEPTH:
        raise ValueError(f"a condition has at most {MAX_DEPTH} levels, this one has {levels}")


def first_matching(result: MessageResult, receipt: DeliveryReceipt | None) -> frozenset[MatchedBranch]:
    """All that is true of a message now: one that was clicked was delivered and opened too."""
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
#: As the API writes them → as the record has them.
_FIELDS = {**PLAIN_FIELDS, "createdAt": "created_at"}
