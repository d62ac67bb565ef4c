"""Apply the TAG steps of a batch: change the tags of the contacts, then advance the executions."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from chalicelib.core.contacts.store_with_events import subscribed_events, update_contact
from chalicelib.core.notifications.contact_events import contact_change_events
from chalicelib.core.steps.interpreter import advance, leave_tag_node
from chalicelib.core.steps.prepare_message import traversal_context
from chalicelib.core.steps.send_plan import SendPlan
from chalicelib.core.steps.traversal import Traversal
from chalicelib.errors import Conflict, GiveUp, RetryLater
from chalicelib.model.contact import MAX_TAGS, Contact
from chalicelib.model.execution import Execution, ExecutionStatus
from chalicelib.model.ids import ContactUid, WorkspaceUid
from chalicelib.model.skip_reason import SkipReason
from chalicelib.model.steps import ChangeTags
from chalicelib.ports import Ports

#: Attempts to change a contact against other writers.
TRIES = 5


@dataclass(slots=True)
class TagChanges:
    """The tag changes of one batch. Applying one of them twice has no further effect."""

    ports: Ports
    plan: SendPlan
    #: Names of the contact events that have a subscriber; read once, before the first change.
    _subscribed: frozenset[str] | None = None
    _changed: dict[str, Contact] = field(default_factory=dict)

    def change_together(self, traversals: Iterable[tuple[Traversal, Contact]]) -> None:
        """Change as many contacts as possible in one call. `advance_past` changes the others one by one.

        The contacts may be outdated; then their conditional write is refused.
        """
        pairs: dict[str, tuple[Contact, Contact]] = {}
        for traversal, contact in traversals:
            with suppress(GiveUp):
                after = self._after(contact, traversal.change_tags) if traversal.change_tags else None
                if after and not contact_change_events(contact, after, self._events()):
                    pairs[contact.uid] = contact, after
        saved = self.ports.contacts.save_many(self._workspace, list(pairs.values())) if pairs else ()
        for (before, after), ok in zip(pairs.values(), saved, strict=True):
            if ok:
                self._changed[after.uid] = after.model_copy(update={"rev": before.rev + 1})

    def advance_past(self, traversal: Traversal, contact: Contact) -> Execution:
        """Return the execution advanced past the TAG at which it stands; unchanged if it stands at none.

        Raises GiveUp when the contact would have too many tags.
        """
        execution = traversal.execution
        if traversal.change_tags is None:
            return execution
        changed = self._change(self._changed.get(contact.uid, contact), traversal.change_tags)
        now = self.ports.clock.now()
        if changed is None:
            return execution.finished(ExecutionStatus.SKIPPED, SkipReason.CONTACT_NOT_FOUND, now)
        context = traversal_context(self.plan, changed, now)
        return advance(leave_tag_node(execution, context), context).execution

    @property
    def _workspace(self) -> WorkspaceUid:
        return WorkspaceUid(self.plan.workspace.uid)

    def _after(self, contact: Contact, change: ChangeTags) -> Contact | None:
        """Return the contact with its tags changed, or None if nothing changes."""
        tags = change.of(contact.tags)
        if tags == contact.tags:
            return None
        if len(tags) > MAX_TAGS:
            raise GiveUp("too_many_tags", f"A contact has at most {MAX_TAGS} tags")
        return contact.model_copy(update={"tags": tags, "updated_at": self.ports.clock.now()})

    def _events(self) -> frozenset[str]:
        if self._subscribed is None:
            self._subscribed = subscribed_events(self.ports, self._workspace)
        return self._subscribed

    def _change(self, known: Contact, change: ChangeTags) -> Contact | None:
        """Change one contact and return it, or None if it does not exist any more."""
        uid = ContactUid(known.uid)
        if known.uid in self._changed and self._after(known, change) is None:
            return known
        for _ in range(TRIES):
            contact = self.ports.contacts.find_many(self._workspace, [uid], strong=True).get(uid)
            after = self._after(contact, change) if contact else None
            if contact is None or after is None:
                return contact
            try:
                return update_contact(self.ports, self._workspace, contact, after, self._events())
            except Conflict:
                continue
        raise RetryLater("The contact is being changed by other requests")
