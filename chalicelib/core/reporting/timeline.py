"""Entries of a contact's timeline, built from executions, consent records and events."""

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
    """One entry. `id` is unique among entries of the same time; `details` has the form of the API."""

    kind: EntryKind
    at: datetime
    id: str
    details: Mapping[str, JsonValue]

    @property
    def mark(self) -> str:
        """A short hash that distinguishes entries of the same time."""
        return blake2b(f"{self.kind}#{self.id}".encode(), digest_size=6).hexdigest()


@dataclass(frozen=True, slots=True)
class TimelineCursor:
    """The entries shown so far: all that are newer than `until`, and those at `until` with these marks."""

    until: datetime | None = None
    marks: frozenset[str] = frozenset()

    def has(self, entry: TimelineEntry) -> bool:
        """Return whether the entry was shown."""
        if self.until is None or entry.at < self.until:
            return False
        return entry.at > self.until or entry.mark in self.marks

    def with_all(self, shown: Sequence[TimelineEntry]) -> "TimelineCursor":
        """Return the cursor after a page, which is ordered newest first."""
        if not shown:
            return self
        last = shown[-1].at
        marks = {each.mark for each in shown if each.at == last}
        return TimelineCursor(last, frozenset(marks | (self.marks if last == self.until else set())))


def execution_entries(
    execution: Execution, campaign: str, tags: Mapping[NodeId, ChangeTags]
) -> Iterator[TimelineEntry]:
    """Yield the entries of an execution: enrolment, messages, engagement and tag changes.

    `tags` holds the changes of the TAG steps.
    """
    prefix = f"{execution.key.flow}#{execution.key.entry}"
    flow: dict[str, JsonValue] = {"flowUid": execution.key.flow, "campaignUid": campaign, "entry": execution.key.entry}
    for node, result in execution.results.items():
        message: dict[str, JsonValue] = {**flow, "nodeId": node, "messageUid": str(execution.message_uid(node))}
        outcome = {"outcome": result.outcome, "reason": result.reason, "channelUid": result.channel or None}
        yield TimelineEntry("message", result.at, f"{prefix}#{node}#m", {**message, **outcome})
        receipt = execution.receipts.get(node)
        if receipt and result.outcome is not MessageOutcome.SKIPPED:
            yield TimelineEntry(
                "engagement", receipt.at, f"{prefix}#{node}#r", {**message, "engagement": receipt.engagement}
            )
    for visit in execution.path:
        if visit.node in tags:
            change = tags[visit.node]
            changed: dict[str, JsonValue] = {"added": list(change.add), "removed": list(change.remove)}
            yield TimelineEntry(
                "tags", visit.left, f"{prefix}#{visit.node}#t", {**flow, "nodeId": visit.node, **changed}
            )
    # The enrolment comes last, because the list is newest first and the first message may have the same time.
    yield TimelineEntry(
        "enrolment", execution.created, prefix, {**flow, "status": execution.status, "reason": execution.reason}
    )


def consent_entries(record: ConsentRecord) -> TimelineEntry:
    """Return the entry of a consent change."""
    details = record.model_dump(mode="json", by_alias=True, exclude={"at"})
    return TimelineEntry("consent", record.at, f"{record.channel_type}#{record.message_type}", details)


def event_entry(event: Event) -> TimelineEntry:
    """Return the entry of an event."""
    return TimelineEntry(
        "event", event.occurred_at, event.id, {"name": event.name, "properties": dict(event.properties)}
    )


def newest(entries: Iterable[TimelineEntry], seen: TimelineCursor, limit: int) -> list[TimelineEntry]:
    """Return the newest entries that were not shown, at most `limit` + 1.

    The sort is stable. Otherwise entries of the same time could change places between two pages.
    """
    unseen = (each for each in entries if not seen.has(each))
    return sorted(unseen, key=lambda each: each.at, reverse=True)[: limit + 1]
