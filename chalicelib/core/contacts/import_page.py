"""Import one page of rows: batch reads, rows applied in order in memory, parallel writes."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from chalicelib.core.contacts.consent_changes import consent_changes
from chalicelib.core.contacts.csv_reader import Row
from chalicelib.core.contacts.save_contact import (
    Given,
    build_contact,
    change_contact,
    lookups_of,
    store,
    upsert_contact,
)
from chalicelib.core.contacts.store_with_events import add_contacts, subscribed_events
from chalicelib.core.contacts.sync_suppressions import resync_suppressions, with_suppressions
from chalicelib.core.contacts.validate_contact import normalise_contact
from chalicelib.errors import CarillonError, Conflict, InvalidRequest
from chalicelib.model.consent import ConsentSource
from chalicelib.model.contact import ConsentState, Contact
from chalicelib.model.ids import ContactUid, WorkspaceUid, new_uid
from chalicelib.model.import_job import ContactImport, ExistingContactPolicy
from chalicelib.model.workspace import Workspace
from chalicelib.ports import Ports

#: Parallel writes. A write takes about 5 ms, nearly all of it waiting for the store.
WRITERS = 16
#: New contacts per write, the limit of the port. One call per contact takes three times the CPU time.
TOGETHER = 25


@dataclass(frozen=True, slots=True)
class _Change:
    """A row to import. `creates`: counted as created, otherwise as updated."""

    row: Row
    given: Given
    creates: bool


@dataclass(slots=True)
class PageResult:
    """Results of the rows. The numbers add up to the number of rows."""

    created: int = 0
    updated: int = 0
    skipped: int = 0
    rejected: list[tuple[Row, str]] = field(default_factory=list)


@dataclass(slots=True)
class _Target:
    """A contact as stored (None when it is new) and with the rows applied so far."""

    stored: Contact | None
    now: Contact
    changes: list[_Change] = field(default_factory=list)


@dataclass(slots=True)
class _Page:
    """The contacts of one page by uid, and the owner of each lookup key."""

    ports: Ports
    task: ContactImport
    #: Creation time of the page's new contacts. A repeated import recognises its own contacts by it.
    stamp: datetime
    targets: dict[str, _Target]
    owners: dict[str, str]
    result: PageResult = field(default_factory=PageResult)

    def apply(self, row: Row, checked: Given) -> None:
        """Apply a row in memory. Raise InvalidRequest or Conflict when it cannot be imported."""
        fields = {name: value for name, value in checked.items() if name != "uid"}
        lookups = lookups_of(fields)
        uid = checked.get("uid") or next((self.owners[key] for key in lookups if key in self.owners), None)
        target = self.targets.get(str(uid))
        self._check_owners(lookups, uid)
        if target is None:
            contact = build_contact(str(uid or new_uid()), fields, self.ports)
            contact = contact.model_copy(update={"created_at": self.stamp, "updated_at": self.stamp})
            self._keep(_Target(None, contact, [_Change(row, fields, creates=True)]))
            return
        creates = self._is_own(target) and not target.changes
        if self.task.on_existing is ExistingContactPolicy.SKIP and not creates:
            self.result.skipped += 1
            return
        changes = _keep_opt_outs(target.now, fields)
        target.now = change_contact(target.now, changes, self.ports)
        target.changes.append(_Change(row, changes, creates))
        self._keep(target)

    def _is_own(self, target: _Target) -> bool:
        return target.stored is not None and target.stored.created_at == self.stamp

    def _keep(self, target: _Target) -> None:
        self.targets[target.now.uid] = target
        self.owners.update(dict.fromkeys(target.now.lookups(), target.now.uid))

    def _check_owners(self, lookups: Sequence[str], uid: object) -> None:
        for key in lookups:
            if uid is not None and self.owners.get(key, uid) != uid:
                raise Conflict(f"{key.partition(':')[0]} belongs to contact {self.owners[key]}")


def import_page(ports: Ports, workspace: WorkspaceUid, task: ContactImport, rows: Sequence[Row]) -> PageResult:
    """Import rows in order; the last row of a contact wins. A repeated import gives the same result."""
    checked, rejected = _check(rows, ports.catalog.get(workspace, Workspace, workspace).region)
    page = _load(ports, workspace, task, checked)
    page.result.rejected.extend(rejected)
    for row, given in checked:
        try:
            page.apply(row, given)
        except (InvalidRequest, Conflict) as error:
            page.result.rejected.append((row, explain(error)))
    changed = [target for target in page.targets.values() if target.changes]
    lost = [] if task.dry_run else _write(ports, workspace, changed, task.origin)
    page.result.rejected = sorted([*page.result.rejected, *lost], key=lambda entry: entry[0].line)
    _count(page.result, changed, {row.line for row, _ in lost})
    return page.result


def _count(result: PageResult, changed: Sequence[_Target], lost: set[int]) -> None:
    brought_in = [change for target in changed for change in target.changes if change.row.line not in lost]
    result.created = sum(change.creates for change in brought_in)
    result.updated = len(brought_in) - result.created


def explain(error: CarillonError) -> str:
    """Return all problems of a row as one line."""
    problems = error.problems if isinstance(error, InvalidRequest) else ()
    return "; ".join(f"{problem.field} {problem.message}" for problem in problems) or str(error)


def _check(rows: Sequence[Row], region: str) -> tuple[list[tuple[Row, Given]], list[tuple[Row, str]]]:
    good: list[tuple[Row, Given]] = []
    bad: list[tuple[Row, str]] = []
    for row in rows:
        try:
            if row.fault:
                bad.append((row, row.fault))
            else:
                good.append((row, normalise_contact(row.values, region)))
        except InvalidRequest as error:
            bad.append((row, explain(error)))
    return good, bad


def _load(ports: Ports, workspace: WorkspaceUid, task: ContactImport, checked: Sequence[tuple[Row, Given]]) -> _Page:
    lookups = list(dict.fromkeys(key for _, given in checked for key in lookups_of(given)))
    owners = dict(ports.contacts.find_by(workspace, lookups)) if lookups else {}
    named = (ContactUid(str(given["uid"])) for _, given in checked if "uid" in given)
    uids = list(dict.fromkeys([*owners.values(), *named]))
    stored = ports.contacts.find_many(workspace, uids, strong=True) if uids else {}
    # Each page has its own millisecond, the precision of the stored created_at.
    stamp = task.created_at + timedelta(milliseconds=task.pages)
    targets = {str(uid): _Target(contact, contact) for uid, contact in stored.items()}
    # A lookup key without a contact is being removed. It counts as free, and the conditional write decides.
    held = {key: str(uid) for key, uid in owners.items() if uid in stored}
    return _Page(ports, task, stamp, targets, held)


def _keep_opt_outs(before: Contact, fields: Given) -> Given:
    """Return the fields with existing opt-outs kept. An old list must not undo a later opt-out."""
    consents = fields.get("consent")
    if not isinstance(consents, Mapping):
        return fields
    revoked = ConsentState.REVOKED
    merged = {
        channel: {
            kind: revoked if before.consent_to(channel, kind) is revoked else state for kind, state in states.items()
        }
        for channel, states in consents.items()
    }
    return {**fields, "consent": merged}


def _write(
    ports: Ports, workspace: WorkspaceUid, changed: Sequence[_Target], origin: ConsentSource
) -> list[tuple[Row, str]]:
    """Write the contacts. Return the rows that failed because of concurrent changes."""
    new = [target for target in changed if target.stored is None]
    known = [target for target in changed if target.stored is not None and target.now is not target.stored]
    names = subscribed_events(ports, workspace) if changed else frozenset()
    for target, updated in zip(new, with_suppressions(ports, workspace, [target.now for target in new]), strict=True):
        target.now = updated
    groups = [new[start : start + TOGETHER] for start in range(0, len(new), TOGETHER)]
    with ThreadPoolExecutor(WRITERS) as pool:
        added = pool.map(lambda group: _add_together(ports, workspace, group, origin, names), groups)
        saved = pool.map(lambda target: _save_one(ports, workspace, target, origin, names), known)
        return [lost for each in (*added, *saved) for lost in each]


def _add_together(
    ports: Ports, workspace: WorkspaceUid, group: Sequence[_Target], origin: ConsentSource, names: frozenset[str]
) -> list[tuple[Row, str]]:
    now, contacts = ports.clock.now(), [target.now for target in group]
    records = {contact.uid: consent_changes(None, contact, origin, now) for contact in contacts}
    refused = set(add_contacts(ports, workspace, contacts, names, records))
    resync_suppressions(ports, workspace, [contact for contact in contacts if contact.uid not in refused])
    return [
        lost for target in group if target.now.uid in refused for lost in _one_by_one(ports, workspace, target, origin)
    ]


def _save_one(
    ports: Ports, workspace: WorkspaceUid, target: _Target, origin: ConsentSource, names: frozenset[str]
) -> list[tuple[Row, str]]:
    try:
        store(ports, workspace, target.stored or target.now, target.now, origin, names)
    except Conflict:
        return _one_by_one(ports, workspace, target, origin)
    return []


def _one_by_one(ports: Ports, workspace: WorkspaceUid, target: _Target, origin: ConsentSource) -> list[tuple[Row, str]]:
    return [lost for change in target.changes if (lost := _write_alone(ports, workspace, change, origin))]


def _write_alone(
    ports: Ports, workspace: WorkspaceUid, change: _Change, origin: ConsentSource
) -> tuple[Row, str] | None:
    uid = change.row.values.get("uid")
    try:
        upsert_contact(ports, workspace, change.given, str(uid) if uid else None, origin)
    except (InvalidRequest, Conflict) as error:
        return change.row, explain(error)
    return None
