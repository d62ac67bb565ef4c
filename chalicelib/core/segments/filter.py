"""Compile filters to functions that decide membership, and explain their decisions."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from pydantic import JsonValue

from chalicelib.model.comparison import Comparison
from chalicelib.model.conditions import (
    ConsentIs,
    EventCount,
    FieldIs,
    HasTag,
    PropertyIs,
    leaves,
    property_at,
    required_events,
)
from chalicelib.model.contact import ConsentState, Contact
from chalicelib.model.event import Event

#: The only kind that inverts its part.
_NOT = "not"


class Subject(NamedTuple):
    """Input of a filter. `history` is None before it is read; `properties` belong to one event of the history."""

    contact: Contact
    history: tuple[Event, ...] | None = None
    properties: Mapping[str, JsonValue] = {}


#: Returns None when the decision needs the history.
Test = Callable[[Subject], bool | None]


@dataclass(frozen=True, slots=True)
class Members:
    """A compiled filter, applied to many contacts at one point in time."""

    test: Test
    #: Events that decide when `test` returns None. Events before `since` are not needed.
    required_events: frozenset[str]
    since: datetime | None

    def includes(self, contact: Contact, history: Sequence[Event] | None = None) -> bool | None:
        """Return whether the contact is a member. None when the decision needs a history that was not passed."""
        return self.test(Subject(contact, None if history is None else tuple(history)))


def compile_filter(tree: Comparison, now: datetime) -> Members:
    """Compile a filter for the time `now`. Later events do not count."""
    return Members(_compile(tree, now), required_events(tree), _since(tree, now))


def _since(tree: Comparison, now: datetime) -> datetime | None:
    spans = [leaf.within for leaf in leaves(tree) if isinstance(leaf, EventCount)]
    known = [span for span in spans if span is not None]
    return now - max(known) if known and len(known) == len(spans) else None


def _compile(tree: Comparison, now: datetime) -> Test:
    parts = tree.parts()
    if not parts:
        return _compile_leaf(tree, now)
    # Parts without history come first, because a history costs a query.
    tests = [_compile(part, now) for part in sorted(parts, key=lambda part: bool(required_events(part)))]
    joined = _join(tests, stops_at=tree.kind != "all")
    return _negate(joined) if tree.kind == _NOT else joined


def _join(tests: Sequence[Test], stops_at: bool) -> Test:
    """Join tests. The first false part decides `all`, the first true part decides `any`."""

    def test(subject: Subject) -> bool | None:
        settled = True
        for each in tests:
            found = each(subject)
            if found is stops_at:
                return found
            settled = settled and found is not None
        return (not stops_at) if settled else None

    return test


def _negate(inner: Test) -> Test:
    def test(subject: Subject) -> bool | None:
        found = inner(subject)
        return None if found is None else not found

    return test


def _compile_leaf(leaf: Comparison, now: datetime) -> Test:
    match leaf:
        case FieldIs():
            field_fits, look = leaf.fits, leaf.reader
            return lambda subject: field_fits(look(subject.contact), now)
        case HasTag():
            tag, there, missing = leaf.tag, leaf.fits(True, now), leaf.fits(False, now)
            return lambda subject: there if tag in subject.contact.tags else missing
        case ConsentIs():
            answers = {state: leaf.fits(state, now) for state in (None, *ConsentState)}
            return lambda subject: answers[subject.contact.consent_to(leaf.consent, leaf.message_type)]
        case PropertyIs():
            property_fits, path = leaf.fits, leaf.property
            return lambda subject: property_fits(property_at(subject.properties, path), now)
        case EventCount():
            return _compile_event(leaf, now)
        case _:
            raise TypeError(f"A filter cannot ask for {leaf.kind}")


def _compile_event(leaf: EventCount, now: datetime) -> Test:
    count = _compile_count(leaf, now)

    def test(subject: Subject) -> bool | None:
        return None if subject.history is None else leaf.fits(count(subject), now)

    return test


def _compile_count(leaf: EventCount, now: datetime) -> Callable[[Subject], int]:
    where = _compile(leaf.where, now) if leaf.where else None
    since = now - leaf.within if leaf.within else None

    def count(subject: Subject) -> int:
        return sum(
            event.name == leaf.event
            and event.occurred_at <= now
            and (since is None or event.occurred_at >= since)
            and (where is None or bool(where(Subject(subject.contact, (), event.properties))))
            for event in subject.history or ()
        )

    return count


@dataclass(frozen=True, slots=True)
class Finding:
    """Result of one comparison. `decides`: the membership would differ without it."""

    path: str
    leaf: Comparison
    found: object
    holds: bool
    decides: bool


def explain(tree: Comparison, contact: Contact, history: Sequence[Event], now: datetime) -> tuple[Finding, ...]:
    """Explain each comparison in written order, with its path below `filter`."""
    subject = Subject(contact, tuple(history))
    return tuple(_explain(tree, "filter", subject, now, decides=True))


def _explain(tree: Comparison, path: str, subject: Subject, now: datetime, decides: bool) -> Iterator[Finding]:
    holds = bool(_compile(tree, now)(subject))
    if not tree.parts():
        yield Finding(path, tree, _look(tree, subject, now), holds, decides)
    # The deciding parts: the false parts of a false `all`, the true parts of `any` and `not`; otherwise all parts.
    settling = holds is not (tree.kind == _NOT)
    for index, part in enumerate(tree.parts()):
        inside = f"{path}.{tree.kind}" + (f"[{index}]" if _is_list(tree) else "")
        blamed = bool(_compile(part, now)(subject)) is settling
        yield from _explain(part, inside, subject, now, decides and blamed)


def _is_list(tree: Comparison) -> bool:
    return isinstance(getattr(tree, f"{tree.kind}_" if tree.kind == _NOT else tree.kind), tuple)


def _look(leaf: Comparison, subject: Subject, now: datetime) -> object:
    """Return the compared value: a field, the presence of a tag, a consent, or a number of events."""
    match leaf:
        case FieldIs():
            return leaf.reader(subject.contact)
        case HasTag():
            return leaf.tag in subject.contact.tags
        case ConsentIs():
            return subject.contact.consent_to(leaf.consent, leaf.message_type)
        case EventCount():
            return _compile_count(leaf, now)(subject)
        case _:
            return None
