"""Creates, replaces and changes contacts; finds the one that is meant by its unique fields."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pydantic import ValidationError

from chalicelib.core.contacts.consent_changes import consent_changes
from chalicelib.core.contacts.store_with_events import add_contact, update_contact
from chalicelib.core.contacts.sync_suppressions import resync_suppressions, with_suppressions
from chalicelib.core.contacts.validate_contact import normalise_contact
from chalicelib.errors import Conflict, InvalidRequest, NotFound
from chalicelib.model.consent import ConsentSource
from chalicelib.model.contact import Contact, unique_keys
from chalicelib.model.ids import ContactUid, WorkspaceUid, new_uid
from chalicelib.model.validation_problems import validation_problems
from chalicelib.model.workspace import Workspace
from chalicelib.ports import Ports

#: Somebody else may create or change the same contact between our look and our write; then we look again.
TRIES = 4
#: What a caller said, by python names; what is not named was not said.
Given = Mapping[str, object]
#: Where consent is said to come from when the caller does not tell.
BY_API = ConsentSource()
#: What a replacement leaves alone unless it names it: what the contact and the providers have said is not the caller's.
KEPT = ("status", "consent")


@dataclass(frozen=True, slots=True)
class Saved:
    """The contact as stored, and whether it is new."""

    contact: Contact
    is_new: bool


def upsert_contact(
    ports: Ports, workspace: WorkspaceUid, given: Given, uid: str | None = None, origin: ConsentSource = BY_API
) -> Saved:
    """Changes the contact found by uid, externalId, email or phone, in this order, or creates one."""
    checked = normalise_contact(given, _region(ports, workspace))

    def save() -> Saved:
        before = find_contact(ports, workspace, checked, uid)
        if before is None:
            return Saved(_add(ports, workspace, uid or new_uid(), checked, origin), is_new=True)
        return Saved(_change(ports, workspace, before, checked, origin), is_new=False)

    return _again(save)


def put_contact(ports: Ports, workspace: WorkspaceUid, uid: str, given: Given) -> Saved:
    """Creates the contact under this uid, or replaces it: what is not said is then empty."""
    checked = normalise_contact(given, _region(ports, workspace))

    def save() -> Saved:
        before = _find(ports, workspace, uid)
        if before is None:
            return Saved(_add(ports, workspace, uid, checked), is_new=True)
        kept = {name: getattr(before, name) for name in KEPT}
        after = build_contact(uid, {**kept, **checked}, ports).model_copy(
            update={"created_at": before.created_at, "rev": before.rev}
        )
        return Saved(store(ports, workspace, before, after), is_new=False)

    return _again(save)


def patch_contact(ports: Ports, workspace: WorkspaceUid, uid: str, given: Given) -> Contact:
    """Changes what is said: `tags` replaces, `attributes` merges (null deletes one), `consent` too; NotFound."""
    checked = normalise_contact(given, _region(ports, workspace))

    def save() -> Saved:
        return Saved(_change(ports, workspace, get_contact(ports, workspace, uid), checked), is_new=False)

    return _again(save).contact


def get_contact(ports: Ports, workspace: WorkspaceUid, uid: str) -> Contact:
    """The contact, or NotFound."""
    found = _find(ports, workspace, uid)
    if found is None:
        raise NotFound("Contact", uid)
    return found


def find_contact(ports: Ports, workspace: WorkspaceUid, checked: Given, uid: str | None) -> Contact | None:
    """The one that is meant, by uid when it is given, else by the first look-up that somebody holds."""
    if uid is not None:
        return _find(ports, workspace, uid)
    lookups = lookups_of(checked)
    owners = ports.contacts.find_by(workspace, lookups) if lookups else {}
    first = next((owners[lookup] for lookup in lookups if lookup in owners), None)
    return _find(ports, workspace, first) if first else None


def lookups_of(checked: Given) -> tuple[str, ...]:
    """The look-up strings of what was said, externalId first."""
    external_id, email, phone = (_text(checked.get(name)) for name in ("external_id", "email", "phone"))
    return unique_keys(external_id, email, phone)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def build_contact(uid: str, checked: Given, ports: Ports) -> Contact:
    """A new contact; InvalidRequest."""
    now = ports.clock.now()
    fields = {name: value for name, value in checked.items() if value is not None}
    stamps = {"uid": uid, "created_at": now, "updated_at": now}
    whole = {**fields, "attributes": _merge({}, checked.get("attributes")), **stamps}
    return _valid(lambda: Contact.model_validate(whole))


def change_contact(before: Contact, checked: Given, ports: Ports) -> Contact:
    """`before` with what was said; the same object when nothing changes. InvalidRequest."""
    changes = dict(checked)
    if "attributes" in changes:
        changes["attributes"] = _merge(before.attributes, changes["attributes"])
    if isinstance(said := changes.get("consent"), Mapping):
        # What is not named of it is not taken back.
        known = before.consent
        changes["consent"] = {**known, **{channel: {**known.get(channel, {}), **said[channel]} for channel in said}}
    after = _valid(lambda: before.with_fields(changes))
    if after == before:
        return before
    return after.model_copy(update={"updated_at": ports.clock.now()})


def _change(
    ports: Ports, workspace: WorkspaceUid, before: Contact, checked: Given, origin: ConsentSource = BY_API
) -> Contact:
    after = change_contact(before, checked, ports)
    return before if after is before else store(ports, workspace, before, after, origin)


def _add(ports: Ports, workspace: WorkspaceUid, uid: str, checked: Given, origin: ConsentSource = BY_API) -> Contact:
    contact = with_suppressions(ports, workspace, [build_contact(uid, checked, ports)])[0]
    add_contact(ports, workspace, contact, consent_changes(None, contact, origin, ports.clock.now()))
    return resync_suppressions(ports, workspace, [contact])[0]


def store(
    ports: Ports,
    workspace: WorkspaceUid,
    before: Contact,
    after: Contact,
    origin: ConsentSource = BY_API,
    names: frozenset[str] | None = None,
) -> Contact:
    """Saves a change with the records of what it says of consent; Conflict. New addresses heed the suppression list.

    `names`: events that somebody listens to, if the caller has read them.
    """
    said = consent_changes(before, after, origin, ports.clock.now())
    after = after.model_copy(update={"unreachable": before.unreachable})
    if (before.email, before.phone) == (after.email, after.phone):
        kept = after.model_copy(update={"suppressed": before.suppressed})
        return update_contact(ports, workspace, before, kept, names, said)
    heeded = with_suppressions(ports, workspace, [after])[0]
    return resync_suppressions(ports, workspace, [update_contact(ports, workspace, before, heeded, names, said)])[0]


def _merge(before: Mapping[str, object], said: object) -> dict[str, object]:
    changes = said if isinstance(said, Mapping) else {}
    return {name: value for name, value in {**before, **changes}.items() if value is not None}


def _find(ports: Ports, workspace: WorkspaceUid, uid: str) -> Contact | None:
    return ports.contacts.find_many(workspace, [ContactUid(uid)], strong=True).get(ContactUid(uid))


def _region(ports: Ports, workspace: WorkspaceUid) -> str:
    return ports.catalog.get(workspace, Workspace, workspace).region


def _valid(make: Callable[[], Contact]) -> Contact:
    try:
        return make()
    except ValidationError as error:
        raise InvalidRequest(validation_problems(error)) from error


def _again(save: Callable[[], Saved]) -> Saved:
    """A Conflict that stays is not a race: another contact holds a unique field."""
    for _ in range(TRIES - 1):
        try:
            return save()
        except Conflict:
            continue
    return save()
