"""What happened to a contact, told as entries in order of time, whatever it was that happened."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Literal

from pydantic import JsonValue

from chalicelib.model.consent import ConsentRecord
from chalicelib.model.event import Event
from chalicelib.model.execution import Execution, MessageOutcome
from chalicelib.model.ids import NodeId
from chalicelib.model.steps import ChangeTags

EntryKind = Literal["enrolment", "message", "engagement", "tags", "consent", "event"]


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One thing; `id` is unique at its moment, `details` are as the API shows them."""

    kind: EntryKind
    at: datetime
    id: str
    details: Mapping[str, JsonValue]

    @property
    def mark(self) -> str:
        """Tells it from others of the same moment, in a few characters."""
        return blake2b(f"{self.kind}#{self.id}".encode(), digest_size=6).hexdigest()


@dataclass(frozen=True, slots=True)
class TimelineCursor:
    """All that is newer than a moment, and of that moment the entries with these marks."""

    until: datetime | None = None
    marks: frozenset[str] = frozenset()

    def has(self, entry: TimelineEntry) -> bool:
        """Whether the entry was shown."""
        if self.until is None or entry.at < self.until:
            return False
        return entry.at > self.until or entry.mark in self.marks

    def with_all(self, shown: Sequence[TimelineEntry]) -> "TimelineCursor":
        """After a page, newest first."""
        if not shown:
            return self
        last = shown[-1].at
        marks = {each.mark for each in shown if each.at == last}
        return TimelineCursor(last, frozenset(marks | (self.marks if last == self.until else set())))


def execution_entries(row: Execution, campaign: str, tags: Mapping[NodeId, ChangeTags]) -> Iterator[TimelineEntry]:
    """How the contact came into a flow, what it was sent, what it did with that; `tags`: what the TAGs change."""
    place = f"{row.key.flow}#{row.key.entry}"
    about: dict[str, JsonValue] = {"flowUid": row.key.flow, "campaignUid": campaign, "entry": row.key.entry}
    for node, result in row.results.items():
        message: dict[str, JsonValue] = {**about, "nodeId": node, "messageUid": str(row.message_uid(node))}
        said = {"outcome": result.outcome, "reason": result.reason, "channelUid": result.channel or None}
        yield TimelineEntry("message", result.at, f"{place}#{node}#m", {**message, **said})
        receipt = row.receipts.get(node)
        if receipt and result.outcome is not MessageOutcome.SKIPPED:
            yield TimelineEntry(
                "engagement", receipt.at, f"{place}#{node}#r", {**message, "engagement": receipt.engagement}
            )
    for visit in row.path:
        if visit.node in tags:
            retag = tags[visit.node]
            changed: dict[str, JsonValue] = {"added": list(retag.add), "removed": list(retag.remove)}
            yield TimelineEntry(
                "tags", visit.left, f"{place}#{visit.node}#t", {**about, "nodeId": visit.node, **changed}
            )
    # Last, as the first message may be of the same moment.
    yield TimelineEntry("enrolment", row.created, place, {**about, "status": row.status, "reason": row.reason})


def consent_entries(record: ConsentRecord) -> TimelineEntry:
    """A change of what the contact agrees to."""
    details = record.model_dump(mode="json", by_alias=True, exclude={"at"})
    return TimelineEntry("consent", record.at, f"{record.channel_type}#{record.message_type}", details)


def event_entry(event: Event) -> TimelineEntry:
    """What the contact did."""
    return TimelineEntry(
        "event", event.occurred_at, event.id, {"name": event.name, "properties": dict(event.properties)}
    )


def newest(entries: Iterable[TimelineEntry], seen: TimelineCursor, limit: int) -> list[TimelineEntry]:
    """The newest of those that were not shown, and one more than `limit` if there is one.

    Entries of one moment stay in the order in which they come, so that they do not change places between pages.
    """
    rest = (each for each in entries if not seen.has(each))
    return sorted(rest, key=lambda each: each.at, reverse=True)[: limit + 1]
