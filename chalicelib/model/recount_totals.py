"""The result of counting executions in a recount: the counters of the statistics, and the work that is left."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Self

#: Field → name in a stored partial count. The counters are stored beside them.
_STORED = {
    "open": "open",
    "awaited": "awaited",
    "overdue": "overdue",
    "claimed": "claimed",
    "soonest_due": "soonest.due",
    "soonest_receipt": "soonest.receipt",
}


@dataclass(slots=True)
class RecountTotals:
    """Totals of one shard, or of all shards of a flow."""

    counters: Counter[str] = field(default_factory=Counter)
    #: Open executions.
    open: int = 0
    #: Messages with a delivery report that is still awaited.
    awaited: int = 0
    #: Open executions without a step message.
    overdue: int = 0
    #: Cost of claims without a result, in millionths of the currency.
    claimed: int = 0
    #: Epoch times in ms: the next due time of an open execution, and the next deadline of an awaited report.
    soonest_due: int | None = None
    soonest_receipt: int | None = None

    def note_due(self, moment: datetime) -> None:
        """Keep the soonest due time."""
        self.soonest_due = _soonest(self.soonest_due, _milliseconds(moment))

    def note_deadline(self, moment: datetime) -> None:
        """Keep the soonest deadline of an awaited delivery report."""
        self.soonest_receipt = _soonest(self.soonest_receipt, _milliseconds(moment))

    @property
    def next_due(self) -> datetime | None:
        """The next due time of an open execution."""
        return _moment(self.soonest_due)

    @property
    def next_deadline(self) -> datetime | None:
        """The next deadline of an awaited delivery report."""
        return _moment(self.soonest_receipt)

    def to_part(self) -> dict[str, int]:
        """Return the stored form of a partial count: all values in one mapping."""
        values = {stored: getattr(self, name) for name, stored in _STORED.items()}
        return {**self.counters, **{name: value for name, value in values.items() if value}}

    @classmethod
    def from_part(cls, part: Mapping[str, int]) -> Self:
        """Read the stored form of a partial count."""
        values = {name: part[stored] for name, stored in _STORED.items() if stored in part}
        known = set(_STORED.values())
        return cls(Counter({name: value for name, value in part.items() if name not in known}), **values)

    @classmethod
    def sum(cls, parts: Iterable[Self]) -> Self:
        """Add up the totals of all shards."""
        total = cls()
        for part in parts:
            total.counters.update(part.counters)
            total.open += part.open
            total.awaited += part.awaited
            total.overdue += part.overdue
            total.claimed += part.claimed
            total.soonest_due = _soonest(total.soonest_due, part.soonest_due)
            total.soonest_receipt = _soonest(total.soonest_receipt, part.soonest_receipt)
        return total


def _soonest(first: int | None, second: int | None) -> int | None:
    known = [each for each in (first, second) if each is not None]
    return min(known, default=None)


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _moment(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC)
