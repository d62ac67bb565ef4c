"""Count the members of a filter: exactly when time allows, otherwise from a sample with its error."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from chalicelib.core.segments.filter import Members
from chalicelib.core.segments.sampling import Measured, SampleRun, by_runs, by_shards
from chalicelib.core.segments.select_members import select_members
from chalicelib.model.contact import Contact
from chalicelib.model.contact_shards import CONTACT_SHARDS, ShardSummary
from chalicelib.model.ids import WorkspaceUid
from chalicelib.model.stable_random import stable_fraction
from chalicelib.ports import Ports, all_pages

#: Contacts per page. Each undecided contact of a page costs one query.
PAGE, PAGE_WITH_EVENTS = 500, 100
#: Largest shard, in contacts, that is read completely even when time runs out. It takes 1 to 2 s on Lambda.
WHOLE, WHOLE_WITH_EVENTS = 5_000, 1_000
#: Contacts read at most from a larger shard.
SAMPLE = 10_000
_NOTHING = timedelta(0)


@dataclass(frozen=True, slots=True)
class Counted:
    """Result of a count. `contacts`: all contacts, equally exact. `members`: the first members that were read."""

    members_found: Measured
    contacts: int
    is_exact: bool
    members: tuple[Contact, ...]


@dataclass(slots=True)
class _Reader:
    """Read contacts, and keep the first members."""

    ports: Ports
    workspace: WorkspaceUid
    filter: Members
    keep: int
    members: list[Contact] = field(default_factory=list)

    def read(self, contacts: tuple[Contact, ...]) -> SampleRun:
        found = select_members(self.ports, self.workspace, self.filter, contacts)
        self.members += found[: self.keep - len(self.members)]
        return SampleRun(len(contacts), len(found))

    @property
    def page(self) -> int:
        return PAGE_WITH_EVENTS if self.filter.required_events else PAGE


def count_members(
    ports: Ports, workspace: WorkspaceUid, members: Members, time_left: Callable[[], timedelta], keep: int = 10
) -> Counted:
    """Count until the time is over, plus 1 to 2 s. Keep up to `keep` members."""
    reader = _Reader(ports, workspace, members, keep)
    survey = ports.contact_shards.summarise(workspace, 0)
    if survey.count > (WHOLE_WITH_EVENTS if members.required_events else WHOLE):
        return _count_by_runs(reader, survey, time_left)
    return _count_by_shards(reader, time_left)


def _count_by_shards(reader: _Reader, time_left: Callable[[], timedelta]) -> Counted:
    """Count whole shards. The first shard is always read, the others while there is time."""
    read = found = done = 0
    for shard in range(CONTACT_SHARDS):
        runs: list[SampleRun] = []
        for page in all_pages(partial(reader.ports.contact_shards.page_shard, reader.workspace, shard, reader.page)):
            if done and time_left() <= _NOTHING:
                # A partly read shard is not counted, because its size is unknown.
                measured = by_shards(found, done, CONTACT_SHARDS)
                return Counted(measured, read * CONTACT_SHARDS // done, False, tuple(reader.members))
            runs.append(reader.read(page))
        read, found, done = read + sum(run.read for run in runs), found + sum(run.found for run in runs), done + 1
    return Counted(Measured(found), read, True, tuple(reader.members))


def _count_by_runs(reader: _Reader, survey: ShardSummary, time_left: Callable[[], timedelta]) -> Counted:
    """Count in pages from all over the first shard, because uids often follow their time of creation."""
    order = sorted(range(len(survey.starts)), key=lambda number: stable_fraction(reader.workspace, number))
    cursors = deque(survey.starts[number] for number in order)
    # At most half of the shard is read, so that a run does not reach the start of the next one.
    size, most = PAGE_WITH_EVENTS, min(SAMPLE, survey.count // 2)
    runs: list[SampleRun] = []
    while cursors and len(runs) * size < most and (len(runs) < 2 or time_left() > _NOTHING):
        page = reader.ports.contact_shards.page_shard(reader.workspace, 0, size, cursors.popleft())
        runs.append(reader.read(page.items))
        if page.cursor:
            cursors.append(page.cursor)
    contacts = survey.count * CONTACT_SHARDS
    return Counted(by_runs(runs, contacts), contacts, False, tuple(reader.members))
