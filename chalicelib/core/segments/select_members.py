"""Select the members of a filter. Histories are read only for contacts that are undecided without them."""

from collections.abc import Sequence

from chalicelib.core.segments.filter import Members
from chalicelib.model.conditions import MAX_RECALLED
from chalicelib.model.contact import Contact
from chalicelib.model.event import HistoryQuery
from chalicelib.model.ids import ContactUid, WorkspaceUid
from chalicelib.ports import Ports


def select_members(
    ports: Ports, workspace: WorkspaceUid, members: Members, contacts: Sequence[Contact]
) -> list[Contact]:
    """Return the members in the order of `contacts`.

    Each undecided contact costs one query, so pass a few hundred contacts per call.
    """
    answers = {contact.uid: members.includes(contact) for contact in contacts}
    undecided = [ContactUid(uid) for uid, answer in answers.items() if answer is None]
    if undecided:
        wanted = HistoryQuery(members.required_events, MAX_RECALLED, members.since)
        histories = ports.events.find_many(workspace, undecided, wanted)
        answers |= {
            contact.uid: members.includes(contact, histories[contact.uid])
            for contact in contacts
            if contact.uid in histories
        }
    return [contact for contact in contacts if answers[contact.uid]]
