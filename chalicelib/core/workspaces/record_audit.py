"""Record what an API call changes, and store it as an audit entry. The stores of the call are wrapped to see it."""

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

#: Kinds of documents that only the engine changes. They are not recorded.
UNRECORDED = frozenset({"CALL", "TRIGGER", "LISTENERS", "KNOWN_WORKSPACE", "NOTICE"})
#: Kinds with personal fields: an entry keeps the names of the changed fields, without their values.
PERSONAL = frozenset({"CONTACT"})
#: Kinds of entries about a balance and a circuit, which are not documents.
BALANCE, CIRCUIT = "BALANCE", "CIRCUIT"
#: Fields that an entry omits, because they tell a reader nothing. The digest of a key is not secret.
HIDDEN = frozenset({"digest", "updatedAt", "rev", "uid"})
#: Most changes of an entry, and most characters of a value. They keep an entry well below DynamoDB's 400 KB.
MAX_CHANGES = 50
MAX_VALUE = 2_000


@dataclass(slots=True)
class ChangeLog:
    """The documents that one call has read, and its changes."""

    changes: list[Change] = field(default_factory=list)
    #: Settings of the balance, and circuits by channel uid, as read last.
    settings: BillingSettings = field(default_factory=BillingSettings)
    circuits: dict[str, Circuit] = field(default_factory=dict)
    _known: dict[tuple[str, str], StoredDocument] = field(default_factory=dict)

    def remember(self, documents: Iterable[StoredDocument | None]) -> None:
        """Keep the documents that were read. A later change is compared with them."""
        self._known.update({(each.kind, each.uid): each for each in documents if each is not None})

    def add(self, action: Action, after: StoredDocument) -> None:
        """Record that a document was stored, unless no visible field changed."""
        before = self._known.get((after.kind, after.uid)) if action == "changed" else None
        self.remember([after])
        change = describe(after.kind, after.uid, before, after)
        if after.kind not in UNRECORDED and (action == "created" or change.before or change.after):
            self.changes.append(change.model_copy(update={"action": action}))

    def add_fields(self, kind: str, uid: str, before: Mapping[str, JsonValue], after: Mapping[str, JsonValue]) -> None:
        """Record a change of something that is not a document. Only the fields that differ are kept."""
        old = {name: value for name, value in before.items() if after.get(name) != value}
        new = {name: value for name, value in after.items() if before.get(name) != value}
        if old or new:
            self.changes.append(Change(kind=kind, uid=uid, action="changed", before=old, after=new))

    def remove(self, kind: str, uid: str) -> None:
        """Record that a document was deleted."""
        before = self._known.pop((kind, uid), None)
        if kind not in UNRECORDED:
            self.changes.append(describe(kind, uid, before, None))


def describe(kind: str, uid: str, before: StoredDocument | None, after: StoredDocument | None) -> Change:
    """Return the fields that differ. The values of personal fields are left out."""
    old, new = _fields(before), _fields(after)
    names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    is_personal = kind in PERSONAL
    action: Action = "removed" if after is None else "created" if before is None else "changed"
    return Change(
        kind=kind,
        uid=uid,
        action=action,
        before={name: _shorten(old[name], is_personal=is_personal) for name in names if name in old},
        after={name: _shorten(new[name], is_personal=is_personal) for name in names if name in new},
    )


def _fields(document: StoredDocument | None) -> Mapping[str, JsonValue]:
    if document is None:
        return {}
    fields = cast("dict[str, JsonValue]", document.model_dump(mode="json", by_alias=True))
    return {name: value for name, value in fields.items() if name not in HIDDEN and value not in (None, "", [], {})}


def _shorten(value: JsonValue, *, is_personal: bool) -> JsonValue:
    if is_personal:
        return "(personal)"
    size = len(json.dumps(value))
    return value if size <= MAX_VALUE else f"({size:,} characters)"


class AuditRecorder:
    """A wrapper of a store. It passes every call on, and records calls of the methods named in `recorders`."""

    def __init__(self, store: object, recorders: "Mapping[str, Callable[..., None]]", log: ChangeLog) -> None:
        self._store, self._recorders, self._log = store, recorders, log

    def __getattr__(self, name: str) -> object:
        method = getattr(self._store, name)
        record = self._recorders.get(name)
        if record is None:
            return method

        def recorded(*arguments: object, **named: object) -> object:
            result = method(*arguments, **named)
            record(self._log, result, *arguments, **named)
            return result

        return recorded


def record_changes(ports: Ports, log: ChangeLog) -> Ports:
    """Return ports that record every change in the log."""
    return replace(
        ports,
        catalog=cast("Catalog", AuditRecorder(ports.catalog, CATALOG, log)),
        versions=cast("DocumentVersions", AuditRecorder(ports.versions, VERSIONS, log)),
        chunks=cast("ListChunks", AuditRecorder(ports.chunks, CHUNKS, log)),
        contacts=cast("Contacts", AuditRecorder(ports.contacts, CONTACTS, log)),
        balances=cast("Balances", AuditRecorder(ports.balances, BALANCES, log)),
        circuits=cast("Circuits", AuditRecorder(ports.circuits, CIRCUITS, log)),
    )


def _read(log: ChangeLog, result: StoredDocument | None, *_: object, **__: object) -> None:
    log.remember([result])


def _read_many(log: ChangeLog, result: Mapping[str, StoredDocument], *_: object, **__: object) -> None:
    log.remember(result.values())


def _paged(log: ChangeLog, result: Page[StoredDocument], *_: object, **__: object) -> None:
    log.remember(result.items)


def _added(
    log: ChangeLog,
    _result: object,
    _workspace: str,
    document: StoredDocument,
    under: object = None,
    moving: Iterable[StoredDocument] = (),
) -> None:
    del under
    log.add("created", document)
    for each in moving:
        log.add("changed", each)


def _saved(log: ChangeLog, result: StoredDocument, *_: object, **__: object) -> None:
    log.add("changed", result)


def _removed(log: ChangeLog, _result: object, _workspace: str, kind: type[StoredDocument], uid: str) -> None:
    log.remove(kind.kind, uid)


def _added_contact(
    log: ChangeLog, _result: object, _workspace: str, contact: StoredDocument, *_: object, **__: object
) -> None:
    log.add("created", contact)


def _added_contacts(
    log: ChangeLog,
    refused: Iterable[str],
    _workspace: str,
    contacts: Iterable[StoredDocument],
    *_: object,
    **__: object,
) -> None:
    refused_uids = set(refused)
    for each in contacts:
        if each.uid not in refused_uids:
            log.add("created", each)


def _saved_contact(
    log: ChangeLog, result: StoredDocument, _workspace: str, before: StoredDocument, *_: object, **__: object
) -> None:
    log.remember([before])
    log.add("changed", result)


def _removed_contact(log: ChangeLog, _result: object, _workspace: str, contact: StoredDocument, *_: object) -> None:
    log.remove(contact.kind, contact.uid)


def _read_balance(log: ChangeLog, result: Balance | None, *_: object) -> None:
    log.settings = result.settings if result else BillingSettings()


def _credited(log: ChangeLog, _result: object, _workspace: str, entry: LedgerEntry) -> None:
    log.add_fields(BALANCE, entry.uid, {}, {"amount": write_money(entry.units), "type": entry.kind.value})


def _configured(log: ChangeLog, _result: object, workspace: str, settings: BillingSettings) -> None:
    before, after = (each.model_dump(mode="json", by_alias=True) for each in (log.settings, settings))
    log.add_fields(BALANCE, workspace, before, after)


def _read_circuit(log: ChangeLog, result: Circuit, _workspace: str, uid: str) -> None:
    log.circuits[uid] = result


def _saved_circuit(log: ChangeLog, is_saved: bool, _workspace: str, uid: str, circuit: Circuit) -> None:
    before = log.circuits.get(uid)
    if is_saved:
        old: dict[str, JsonValue] = {"state": before.state.value} if before else {}
        log.add_fields(CIRCUIT, uid, old, {"state": circuit.state.value})


#: Store methods and how their calls are recorded. A test lists all others, so that a new method needs a decision.
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
    ports: Ports, workspace: WorkspaceUid, log: ChangeLog, key: Key, call: tuple[str, str, int]
) -> None:
    """Store an audit entry if anything changed. `call` holds the route, the request id and the response status."""
    if not log.changes:
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
        changes=tuple(log.changes[:MAX_CHANGES]),
        more=max(0, len(log.changes) - MAX_CHANGES),
    )
    ports.catalog.add(workspace, entry)
