"""Build the events of a changed contact: created, updated, tagged, untagged and consent."""

from collections.abc import Iterator

from pydantic import JsonValue
from pydantic.alias_generators import to_camel

from chalicelib.model.contact import Contact
from chalicelib.model.event import Event

#: Fields that `contact.updated` does not report: internal ones, and those with a separate event.
_UNREPORTED = frozenset({"uid", "created_at", "updated_at", "rev", "tags", "suppressed", "unreachable"})


def contact_change_events(before: Contact | None, after: Contact, names: frozenset[str]) -> tuple[Event, ...]:
    """Return the events of this change, limited to `names`. `before` is None for a new contact.

    Ids are derived from contact, time and revision, so that a repeated write publishes the same events.
    """
    rev = before.rev + 1 if before else 0
    milliseconds = int(after.updated_at.timestamp() * 1000)
    return tuple(
        Event(
            id=f"{name}:{after.uid}:{milliseconds}:{rev}",
            name=name,
            contact_uid=after.uid,
            properties=properties,
            occurred_at=after.updated_at,
        )
        for name, properties in _changes(before, after)
        if name in names
    )


def _consents(before: Contact | None, after: Contact) -> Iterator[tuple[str, dict[str, JsonValue]]]:
    """Yield one event for each new consent state, with the kinds of messages that it covers."""
    old = before.consent if before else {}
    changed: dict[str, list[JsonValue]] = {}
    for channel_type, states in after.consent.items():
        for message_type, state in states.items():
            if old.get(channel_type, {}).get(message_type) is not state:
                kind: dict[str, JsonValue] = {"channelType": channel_type, "messageType": message_type}
                changed.setdefault(f"consent.{state.lower()}", []).append(kind)
    for name, kinds in changed.items():
        yield name, {"kinds": kinds}


def _changes(before: Contact | None, after: Contact) -> Iterator[tuple[str, dict[str, JsonValue]]]:
    if before is None:
        yield "contact.created", {"tags": list(after.tags)}
    elif fields := {name for name, value in after if value != getattr(before, name)} - _UNREPORTED:
        yield "contact.updated", {"fields": [to_camel(name) for name in sorted(fields)]}
    yield from _consents(before, after)
    known = before.tags if before else ()
    if added := [tag for tag in after.tags if tag not in known]:
        yield "contact.tagged", {"tags": list(added)}
    if removed := [tag for tag in known if tag not in after.tags]:
        yield "contact.untagged", {"tags": list(removed)}
