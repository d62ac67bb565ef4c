"""Build the events of a contact's change, such as `contact.updated` and `consent.granted`."""

from collections.abc import Iterator

from pydantic import JsonValue
from pydantic.alias_generators import to_camel

from chalicelib.model.contact import Contact
from chalicelib.model.event import Event

#: Fields that the engine maintains or that have their own events, so `contact.updated` does not name them.
_UNREPORTED = frozenset({"uid", "created_at", "updated_at", "rev", "tags", "suppressed", "unreachable"})


def contact_change_events(before: Contact | None, after: Contact, names: frozenset[str]) -> tuple[Event, ...]:
    """Return the events of this change that `names` contains; a new contact has no `before`.

    Event ids are derived from the contact, the time and the revision, so a repeated write yields the same events.
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
    """Yield one event for each new consent state, with the kinds of messages affected."""
    old = before.consent if before else {}
    by_event: dict[str, list[JsonValue]] = {}
    for channel_type, states in after.consent.items():
        for message_type, state in states.items():
            if old.get(channel_type, {}).get(message_type) is not state:
                kind: dict[str, JsonValue] = {"channelType": channel_type, "messageType": message_type}
                by_event.setdefault(f"consent.{state.lower()}", []).append(kind)
    for name, kinds in by_event.items():
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
