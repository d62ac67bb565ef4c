"""Performs the TAGs of a batch: changes the tags on the contacts' records and lets their rows walk on."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from chalicelib.core.contacts.store_with_events import subscribed_events, update_contact
from chalicelib.core.notifications.contact_events import contact_change_events
from chalicelib.core.steps.interpreter import WalkResult, advance, leave_tag_node
from chalicelib.core.steps.send_plan import SendPlan
from chalicelib.errors import Conflict, GiveUp, RetryLater
from chalicelib.model.contact import MAX_TAGS, Contact
from chalicelib.model.execution import Execution, ExecutionStatus
from chalicelib.model.ids import ContactUid, WorkspaceUid
from chalicelib.model.skip_reason import SkipReason
from chalicelib.model.steps import ChangeTags
from chalicelib.ports import Ports

#: Tries of a read and conditional write against others who change the same contact.
TRIES = 5


@dataclass(slots=True)
class TagChanges:
    """The TAGs of one batch, of which doing any twice is harmless."""

    ports: Ports
    plan: SendPlan
    #: Those listened to; read once, just before the first change.
    _names: frozenset[str] | None = None
    _changed: dict[str, Contact] = field(default_factory=dict)

    def change_together(self, wanted: Iterable[tuple[WalkResult, Contact]]) -> None:
        """Changes in one call whom it can; what is known of a contact may lag, as then the write is refused.

        Whoever is left, `walk_on` changes alone.
        """
        pairs: dict[str, tuple[Contact, Contact]] = {}
        for walked, contact in wanted:
            with suppress(GiveUp):
                after = self._after(contact, walked.retag) if walked.retag else None
                if after and not contact_change_events(contact, after, self._listened()):
                    pairs[contact.uid] = contact, after
        held = self.ports.contacts.save_many(self._workspace, list(pairs.values())) if pairs else ()
        for (before, after), ok in zip(pairs.values(), held, strict=True):
            if ok:
                self._changed[after.uid] = after.model_copy(update={"rev": before.rev + 1})

    def walk_on(self, walked: WalkResult, contact: Contact) -> Execution:
        """The row behind the TAG at which it stands, at its next effect; as it is when it stands at none.

        GiveUp when the contact would have too many tags.
        """
        if walked.retag is None:
            return walked.row
        changed = self._retag(self._changed.get(contact.uid, contact), walked.retag)
        if changed is None:
            now = self.ports.clock.now()
            return walked.row.finished(ExecutionStatus.SKIPPED, SkipReason.CONTACT_NOT_FOUND, now)
        scene = self.plan.scene(changed, self.ports)
        return advance(leave_tag_node(walked.row, scene), scene).row

    @property
    def _workspace(self) -> WorkspaceUid:
        return WorkspaceUid(self.plan.workspace.uid)

    def _after(self, contact: Contact, retag: ChangeTags) -> Contact | None:
        """The contact with its tags changed, None when they are as they shall be."""
        tags = retag.of(contact.tags)
        if tags == contact.tags:
            return None
        if len(tags) > MAX_TAGS:
            raise GiveUp("too_many_tags", f"A contact has at most {MAX_TAGS} tags")
        return contact.model_copy(update={"tags": tags, "updated_at": self.ports.clock.now()})

    def _listened(self) -> frozenset[str]:
        if self._names is None:
            self._names = subscribed_events(self.ports, self._workspace)
        return self._names

    def _retag(self, known: Contact, retag: ChangeTags) -> Contact | None:
        """The contact as it is then, None when it is gone."""
        uid = ContactUid(known.uid)
        if known.uid in self._changed and self._after(known, retag) is None:
            return known
        for _ in range(TRIES):
            contact = self.ports.contacts.find_many(self._workspace, [uid], strong=True).get(uid)
            after = self._after(contact, retag) if contact else None
            if contact is None or after is None:
                return contact
            try:
                return update_contact(self.ports, self._workspace, contact, after, self._listened())
            except Conflict:
                continue
        raise RetryLater("The contact is being changed by many at once")
