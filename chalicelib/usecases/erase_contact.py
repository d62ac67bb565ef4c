"""Erases a contact: at once, with its look-ups and its history."""

from chalicelib.model.ids import ContactUid, WorkspaceUid
from chalicelib.ports import Ports
from chalicelib.usecases.save_contact import get_contact


def erase_contact(ports: Ports, workspace: WorkspaceUid, uid: str) -> None:
    """NotFound when it is not there. Its open executions skip themselves (contact_not_found) at their next step."""
    ports.contacts.remove(workspace, get_contact(ports, workspace, uid))
    ports.events.remove_all(workspace, ContactUid(uid))
