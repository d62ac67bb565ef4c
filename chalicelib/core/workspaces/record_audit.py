"""Notes what a call changes, by listening at the stores that all changes go through, and keeps it as an audit entry."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import cast

from pydantic import JsonValue

from chalicelib.model.audit import Action, AuditEntry, Change
from chalicelib.model.balance import Balance, BillingSettings, LedgerEntry
from chalicelib.model.base import StoredDocument
from chalicelib.model.circuit import Circuit
from chalicelib.model.ids import WorkspaceUid, new_uid
from chalicelib.model.money import write_money
from chalicelib.model.workspace import Key
from chalicelib.ports import Balances, Catalog, Circuits, Contacts, DocumentVersions, ListChunks, Page, Ports

#: Kept for the machinery's sake: nobody changes them on purpose.
UNTOLD = frozenset({"CALL", "TRIGGER", "LISTENERS", "KNOWN_WORKSPACE", "NOTICE"})
#: Kinds whose fields are personal: only the names of those that changed are kept.
PERSONAL = frozenset({"CONTACT"})
#: What these are called in an entry; they are no documents.
BALANCE, CIRCUIT = "BALANCE", "CIRCUIT"
#: Never shown: a hash is no secret, but of no use to a reader.
HIDDEN = frozenset({"digest", "updatedAt", "rev", "uid"})
#: Changes of one entry, and characters of one value, that are listed; an entry stays far below DynamoDB's 400 KB.
MAX_CHANGES = 50
MAX_VALUE = 2_000


@dataclass(slots=True)
class ChangeLog:
    """What one call has read and changed so far."""

    changes: list[Change] = field(default_factory=list)
    #: Of a workspace's balance, and of circuits by their channel, as they were read last.
    settings: BillingSettings = field(default_factory=BillingSettings)
    circuits: dict[str, Circuit] = field(default_factory=dict)
    _seen: dict[tuple[str, str], StoredDocument] = field(default_factory=dict)

    def see(self, documents: Iterable[StoredDocument | None]) -> None:
        """These were read, and are what a later change is compared with."""
        self._seen.update({(each.kind, each.uid): each for each in documents if each is not None})

    def put(self, action: Action, after: StoredDocument) -> None:
        """It was stored."""
        before = self._seen.get((after.kind, after.uid)) if action == "changed" else None
        self.see([after])
        shown = describe(after.kind, after.uid, before, after)
        if after.kind not in UNTOLD and (action == "created" or shown.before or shown.after):
            self.changes.append(shown.model_copy(update={"action": action}))

    def move(self, kind: str, uid: str, before: Mapping[str, JsonValue], after: Mapping[str, JsonValue]) -> None:
        """What is no document of its own has changed; only the fields that differ are kept."""
        old = {name: value for name, value in before.items() if after.get(name) != value}
        new = {name: value for name, value in after.items() if before.get(name) != value}
        if old or new:
            self.changes.append(Change(kind=kind, uid=uid, action="changed", before=old, after=new))

    def remove(self, kind: str, uid: str) -> None:
        """It was deleted."""
        before = self._seen.pop((kind, uid), None)
        if kind not in UNTOLD:
            self.changes.append(describe(kind, uid, before, None))


def describe(kind: str, uid: str, before: StoredDocument | None, after: StoredDocument | None) -> Change:
    """The fields that differ; of personal ones the names alone."""
    old, new = _fields(before), _fields(after)
    names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    hides = kind in PERSONAL
    action: Action = "removed" if after is None else "created" if before is None else "changed"
    return Change(
        kind=kind,
        uid=uid,
        action=action,
        before={name: _shorten(old[name], hides=hides) for name in names if name in old},
        after={name: _shorten(new[name], hides=hides) for name in names if name in new},
    )


def _fields(document: StoredDocument | None) -> Mapping[str, JsonValue]:
    if document is None:
        return {}
    shown = cast("dict[str, JsonValue]", document.model_dump(mode="json", by_alias=True))
    return {name: value for name, value in shown.items() if name not in HIDDEN and value not in (None, "", [], {})}


def _shorten(value: JsonValue, *, hides: bool) -> JsonValue:
    if hides:
        return "(personal)"
    size = len(json.dumps(value))
    return value if size <= MAX_VALUE else f"({size:,} characters)"


class AuditRecorder:
    """Stands before a store: hands every call on, and tells the trail of those that `notes` names."""

    def __init__(self, store: object, notes: "Mapping[str, Callable[..., None]]", trail: ChangeLog) -> None:
        self._store, self._notes, self._trail = store, notes, trail

    def __getattr__(self, name: str) -> object:
        method = getattr(self._store, name)
        note = self._notes.get(name)
        if note is None:
            return method

        def listened(*arguments: object, **named: object) -> object:
            result = method(*arguments, **named)
            note(self._trail, result, *arguments, **named)
            return result

        return listened


def record_changes(ports: Ports, trail: ChangeLog) -> Ports:
    """Ports by which nothing is changed without the trail's knowing."""
    return replace(
        ports,
        catalog=cast("Catalog", AuditRecorder(ports.catalog, CATALOG, trail)),
        versions=cast("DocumentVersions", AuditRecorder(ports.versions, VERSIONS, trail)),
        chunks=cast("ListChunks", AuditRecorder(ports.chunks, CHUNKS, trail)),
        contacts=cast("Contacts", AuditRecorder(ports.contacts, CONTACTS, trail)),
        balances=cast("Balances", AuditRecorder(ports.balances, BALANCES, trail)),
        circuits=cast("Circuits", AuditRecorder(ports.circuits, CIRCUITS, trail)),
    )


def _read(trail: ChangeLog, result: StoredDocument | None, *_: object, **__: object) -> None:
    trail.see([result])


def _read_many(trail: ChangeLog, result: Mapping[str, StoredDocument], *_: object, **__: object) -> None:
    trail.see(result.values())


def _paged(trail: ChangeLog, result: Page[StoredDocument], *_: object, **__: object) -> None:
    trail.see(result.items)


def _added(
    trail: ChangeLog,
    _result: object,
    _workspace: str,
    document: StoredDocument,
    under: object = None,
    moving: Iterable[StoredDocument] = (),
) -> None:
    del under
    trail.put("created", document)
    for each in moving:
        trail.put("changed", each)


def _saved(trail: ChangeLog, result: StoredDocument, *_: object, **__: object) -> None:
    trail.put("changed", result)


def _removed(trail: ChangeLog, _result: object, _workspace: str, kind: type[StoredDocument], uid: str) -> None:
    trail.remove(kind.kind, uid)


def _added_contact(
    trail: ChangeLog, _result: object, _workspace: str, contact: StoredDocument, *_: object, **__: object
) -> None:
    trail.put("created", contact)


def _added_contacts(
    trail: ChangeLog,
    refused: Iterable[str],
    _workspace: str,
    contacts: Iterable[StoredDocument],
    *_: object,
    **__: object,
) -> None:
    kept_out = set(refused)
    for each in contacts:
        if each.uid not in kept_out:
            trail.put("created", each)


def _saved_contact(
    trail: ChangeLog, result: StoredDocument, _workspace: str, before: StoredDocument, *_: object, **__: object
) -> None:
    trail.see([before])
    trail.put("changed", result)


def _removed_contact(trail: ChangeLog, _result: object, _workspace: str, contact: StoredDocument, *_: object) -> None:
    trail.remove(contact.kind, contact.uid)


def _read_balance(trail: ChangeLog, result: Balance | None, *_: object) -> None:
    trail.settings = result.settings if result else BillingSettings()


def _credited(trail: ChangeLog, _result: object, _workspace: str, entry: LedgerEntry) -> None:
    trail.move(BALANCE, entry.uid, {}, {"amount": write_money(entry.units), "type": entry.kind.value})


def _configured(trail: ChangeLog, _result: object, workspace: str, settings: BillingSettings) -> None:
    before, after = (each.model_dump(mode="json", by_alias=True) for each in (trail.settings, settings))
    trail.move(BALANCE, workspace, before, after)


def _read_circuit(trail: ChangeLog, result: Circuit, _workspace: str, uid: str) -> None:
    trail.circuits[uid] = result


def _saved_circuit(trail: ChangeLog, is_saved: bool, _workspace: str, uid: str, circuit: Circuit) -> None:
    before = trail.circuits.get(uid)
    if is_saved:
        old: dict[str, JsonValue] = {"state": before.state.value} if before else {}
        trail.move(CIRCUIT, uid, old, {"state": circuit.state.value})


#: What is noted of each method; a test knows the others, so that a new one is decided on.
CATALOG: Mapping[str, Callable[..., None]] = {
    "find": _read,
    "get": _read,
    "find_many": _read_many,
    "page": _paged,
    "children": _paged,
    "add": _added,
    "save": _saved,
    "remove": _removed,
}
VERSIONS: Mapping[str, Callable[..., None]] = {"add_version": _saved}
CHUNKS: Mapping[str, Callable[..., None]] = {"save_with_chunks": _saved}
BALANCES: Mapping[str, Callable[..., None]] = {
    "find": _read_balance,
    "credit": _credited,
    "configure": _configured,
}
CIRCUITS: Mapping[str, Callable[..., None]] = {"get": _read_circuit, "save": _saved_circuit}
CONTACTS: Mapping[str, Callable[..., None]] = {
    "add": _added_contact,
    "add_many": _added_contacts,
    "save": _saved_contact,
    "remove": _removed_contact,
}


def write_audit_entries(
    ports: Ports, workspace: WorkspaceUid, trail: ChangeLog, key: Key, call: tuple[str, str, int]
) -> None:
    """Stores what was changed, if anything was; `call` is its route, request id and the answer's status."""
    if not trail.changes:
        return
    now = ports.clock.now()
    route, request_id, status = call
    entry = AuditEntry(
        uid=new_uid(),
        created_at=now,
        updated_at=now,
        key_uid=key.uid,
        key_name=key.name,
        route=route,
        request_id=request_id,
        status=status,
        changes=tuple(trail.changes[:MAX_CHANGES]),
        more=max(0, len(trail.changes) - MAX_CHANGES),
    )
    ports.catalog.add(workspace, entry)
