"""Performs the TAGs of a batch: changes the tags on the contacts' records and lets their rows walk on."""

from dataclasses import dataclass

from chalicelib.engine.interpreter import Advance, advance, retagged
from chalicelib.errors import Conflict, GiveUp, RetryLater
from chalicelib.model.contact import MAX_TAGS, Contact
from chalicelib.model.execution import Execution, ExecutionStatus
from chalicelib.model.ids import ContactUid, WorkspaceUid
from chalicelib.model.skipping import SkipReason
from chalicelib.model.steps import Retag
from chalicelib.ports import Ports
from chalicelib.usecases.load_plan import Plan
from chalicelib.usecases.tell_news import listened, store_changed

#: Tries of a read and conditional write against others who change the same contact.
TRIES = 5


@dataclass(slots=True)
class Tagging:
    """The TAGs of one batch; who listens to changed contacts is read once, just before the first of them."""

    ports: Ports
    plan: Plan
    _names: frozenset[str] | None = None

    def walk_on(self, walked: Advance, contact: Contact) -> Execution:
        """The row behind the TAG at which it stands, at its next effect; as it is when it stands at none.

        Doing it twice is harmless. GiveUp when the contact would have too many tags.
        """
        if walked.retag is None:
            return walked.row
        changed = self._retag(contact, walked.retag)
        if changed is None:
            return walked.row.finished(ExecutionStatus.SKIPPED, SkipReason.CONTACT_NOT_FOUND, self.ports.clock.now())
        scene = self.plan.scene(changed, self.ports)
        return advance(retagged(walked.row, scene), scene).row

    def _retag(self, known: Contact, retag: Retag) -> Contact | None:
        """The contact as it is then, None when it is gone. What is known of it may lag: then the write is refused."""
        workspace, uid = WorkspaceUid(self.plan.workspace.uid), ContactUid(known.uid)
        contact: Contact | None = known if retag.of(known.tags) != known.tags else None
        for _ in range(TRIES):
            contact = contact or self.ports.contacts.find_many(workspace, [uid], strong=True).get(uid)
            if contact is None:
                return None
            try:
                return self._store(workspace, contact, retag)
            except Conflict:
                contact = None
        raise RetryLater("The contact is being changed by many at once")

    def _store(self, workspace: WorkspaceUid, contact: Contact, retag: Retag) -> Contact:
        tags = retag.of(contact.tags)
        if tags == contact.tags:
            return contact
        if len(tags) > MAX_TAGS:
            raise GiveUp("too_many_tags", f"A contact has at most {MAX_TAGS} tags")
        if self._names is None:
            self._names = listened(self.ports, workspace)
        changed = contact.model_copy(update={"tags": tags, "updated_at": self.ports.clock.now()})
        return store_changed(self.ports, workspace, contact, changed, self._names)
