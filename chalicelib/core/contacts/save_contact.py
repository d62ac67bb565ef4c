"""Create, replace and update contacts, and find them by their unique fields."""

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

#: Attempts of a read and write. Another request may create or change the same contact in between.
TRIES = 4
#: Fields of a request by Python name. Absent fields were not sent.
Given = Mapping[str, object]
#: Default source of a consent.
BY_API = ConsentSource()
#: Fields that a replacement keeps when they are absent. They come from the contact and the providers.
KEPT = ("status", "consent")


@dataclass(frozen=True, slots=True)
class Saved:
    """The stored contact. `is_new`: it was created."""

    contact: Contact
    is_new: bool


def upsert_contact(
    ports: Ports, workspace: WorkspaceUid, fields: Given, uid: str | None = None, origin: ConsentSource = BY_API
) -> Saved:
    """Update the contact found by uid, externalId, email or phone, in this order, or create one."""
    checked = normalise_contact(fields, _region(ports, workspace))

    def save() -> Saved:
        before = find_contact(ports, workspace, checked, uid)
        if before is None:
            return Saved(_add(ports, workspace, uid or new_uid(), checked, origin), is_new=True)
        return Saved(_change(ports, workspace, before, checked, origin), is_new=False)

    return _again(save)


def put_contact(ports: Ports, workspace: WorkspaceUid, uid: str, fields: Given) -> Saved:
    """Create or replace the contact with this uid. Absent fields become empty."""
    checked = normalise_contact(fields, _region(ports, workspace))

    def save() -> Saved:
        before = _find(ports, workspace, uid)
        if before is None:
            return Saved(_add(ports, workspace, uid, checked), is_new=True)
        preserved = {name: getattr(before, name) for name in KEPT}
        after = build_contact(uid, {**preserved, **checked}, ports).model_copy(
            update={"created_at": before.created_at, "rev": before.rev}
        )
        return Saved(store(ports, workspace, before, after), is_new=False)

    return _again(save)


def patch_contact(ports: Ports, workspace: WorkspaceUid, uid: str, fields: Given) -> Contact:
    """Update the sent fields. Raise NotFound. `tags` replaces. `attributes` (null deletes one) and `consent` merge."""
    checked = normalise_contact(fields, _region(ports, workspace))

    def save() -> Saved:
        return Saved(_change(ports, workspace, get_contact(ports, workspace, uid), checked), is_new=False)

    return _again(save).contact


def get_contact(ports: Ports, workspace: WorkspaceUid, uid: str) -> Contact:
    """Return the contact. Raise NotFound."""
    found = _find(ports, workspace, uid)
    if found is None:
        raise NotFound("Contact", uid)
    return found


def find_contact(ports: Ports, workspace: WorkspaceUid, checked: Given, uid: str | None) -> Contact | None:
    """Return the contact by uid, or else by the first unique field that a contact has."""
    if uid is not None:
        return _find(ports, workspace, uid)
    lookups = lookups_of(checked)
    owners = ports.contacts.find_by(workspace, lookups) if lookups else {}
    first = next((owners[lookup] for lookup in lookups if lookup in owners), None)
    return _find(ports, workspace, first) if first else None


def lookups_of(checked: Given) -> tuple[str, ...]:
    """Return the lookup keys of the unique fields, externalId first."""
    external_id, email, phone = (_text(checked.get(name)) for name in ("external_id", "email", "phone"))
    return unique_keys(external_id, email, phone)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def build_contact(uid: str, checked: Given, ports: Ports) -> Contact:
    """Build a new contact. Raise InvalidRequest."""
    now = ports.clock.now()
    fields = {name: value for name, value in checked.items() if value is not None}
    stamps = {"uid": uid, "created_at": now, "updated_at": now}
    whole = {**fields, "attributes": _merge({}, checked.get("attributes")), **stamps}
    return _valid(lambda: Contact.model_validate(whole))


def change_contact(before: Contact, checked: Given, ports: Ports) -> Contact:
    """Return `before` with the changes, or the same object without changes. Raise InvalidRequest."""
    changes = dict(checked)
    if "attributes" in changes:
        changes["attributes"] = _merge(before.attributes, changes["attributes"])
    if isinstance(consents := changes.get("consent"), Mapping):
        # Absent consents stay as they are.
        known = before.consent
        changes["consent"] = {
            **known,
            **{channel: {**known.get(channel, {}), **consents[channel]} for channel in consents},
        }
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
    """Save a change with its consent records. Raise Conflict. New addresses get the blocks of the suppression list.

    `names`: subscribed events, when the caller has read them.
    """
    records = consent_changes(before, after, origin, ports.clock.now())
    after = after.model_copy(update={"unreachable": before.unreachable})
    if (before.email, before.phone) == (after.email, after.phone):
        preserved = after.model_copy(update={"suppressed": before.suppressed})
        return update_contact(ports, workspace, before, preserved, names, records)
    updated = with_suppressions(ports, workspace, [after])[0]
    return resync_suppressions(ports, workspace, [update_contact(ports, workspace, before, updated, names, records)])[0]


def _merge(before: Mapping[str, object], updates: object) -> dict[str, object]:
    changes = updates if isinstance(updates, Mapping) else {}
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
    """Retry after a Conflict. A lasting Conflict is not a race: another contact has the unique field."""
    for _ in range(TRIES - 1):
        try:
            return save()
        except Conflict:
            continue
    return save()
