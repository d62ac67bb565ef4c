"""Adds and removes tags on a contact's record."""

from chalicelib.errors import Conflict, GiveUp, RetryLater
from chalicelib.model.contact import MAX_TAGS, Contact
from chalicelib.model.ids import ContactUid, WorkspaceUid
from chalicelib.model.steps import Retag
from chalicelib.ports import Ports
from chalicelib.usecases.tell_news import store_changed

#: Tries of a read and conditional write against others who change the same contact.
TRIES = 5


def retag_contact(ports: Ports, workspace: WorkspaceUid, uid: ContactUid, retag: Retag) -> Contact | None:
    """The contact as it is then, None when it is gone; GiveUp when it would have too many tags."""
    for _ in range(TRIES):
        contact = ports.contacts.find_many(workspace, [uid], strong=True).get(uid)
        if contact is None:
            return None
        tags = retag.of(contact.tags)
        if tags == contact.tags:
            return contact
        if len(tags) > MAX_TAGS:
            raise GiveUp("too_many_tags", f"A contact has at most {MAX_TAGS} tags")
        changed = contact.model_copy(update={"tags": tags, "updated_at": ports.clock.now()})
        try:
            return store_changed(ports, workspace, contact, changed)
        except Conflict:
            continue
    raise RetryLater("The contact is being changed by many at once")
