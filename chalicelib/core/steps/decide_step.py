"""Decide what the next effect of each execution is: a save, a change of tags, or a message to send."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeVar

from chalicelib.core.contacts.load_history import load_event_history
from chalicelib.core.steps.admission.base import SendCandidate
from chalicelib.core.steps.apply_send_result import expire_claim
from chalicelib.core.steps.interpreter import advance
from chalicelib.core.steps.prepare_message import send_attempt, traversal_context
from chalicelib.core.steps.send_plan import SendPlan
from chalicelib.core.steps.traversal import Traversal, depends_on_contact
from chalicelib.core.steps.triage import FlowBatch
from chalicelib.errors import GiveUp, RetryLater
from chalicelib.model.contact import Contact
from chalicelib.model.execution import Execution, ExecutionStatus, mark_unknown
from chalicelib.model.ids import ContactUid
from chalicelib.model.skip_reason import SkipReason

#: An execution fails when a fault of code or data meets the same step this often.
MAX_FAULTS = 5


@dataclass(frozen=True, slots=True)
class SaveExecution:
    """Store the execution as it is now."""

    before: Execution
    after: Execution


@dataclass(frozen=True, slots=True)
class TagContact:
    """Change the tags of the contact, then advance past the TAG and store the execution."""

    before: Execution
    traversal: Traversal
    contact: Contact


Decided = TypeVar("Decided")
StepDecision = SaveExecution | TagContact | SendCandidate


def decide_steps(batch: FlowBatch, plan: SendPlan, executions: Sequence[Execution]) -> list[StepDecision]:
    """Decide for each execution. A decision that an outdated contact may have caused is made again."""
    uids = list(dict.fromkeys(execution.key.contact for execution in executions))
    contacts = batch.ports.contacts.find_many(batch.workspace, uids, strong=False)
    decisions = [_decide(batch, plan, execution, contacts) for execution in executions]
    unclear = [each for each in decisions if _may_be_outdated(each, contacts)]
    if not unclear:
        return decisions
    # An eventually consistent read must not skip a contact that was created or opted in a moment ago.
    again = list(dict.fromkeys(ContactUid(_before(each).key.contact) for each in unclear))
    current = batch.ports.contacts.find_many(batch.workspace, again, strong=True)
    changed = {uid for uid, contact in current.items() if contact != contacts.get(uid)}
    contacts |= current
    return [
        _decide(batch, plan, execution, contacts) if execution.key.contact in changed else decision
        for execution, decision in zip(executions, decisions, strict=True)
    ]


def _before(decision: StepDecision) -> Execution:
    return decision.stored if isinstance(decision, SendCandidate) else decision.before


def _may_be_outdated(decision: StepDecision, contacts: Mapping[ContactUid, Contact]) -> bool:
    """Report whether a newer contact could change the decision. A send reads its contact again anyway."""
    if isinstance(decision, SendCandidate):
        return False
    after = decision.after if isinstance(decision, SaveExecution) else decision.traversal.execution
    return ContactUid(decision.before.key.contact) not in contacts or depends_on_contact(decision.before, after)


def _decide(
    batch: FlowBatch, plan: SendPlan, execution: Execution, contacts: Mapping[ContactUid, Contact]
) -> StepDecision:
    contact = contacts.get(ContactUid(execution.key.contact))
    return guard(batch, execution, lambda: _advance(batch, plan, execution, contact))


def guard(batch: FlowBatch, execution: Execution, decide: Callable[[], Decided]) -> Decided | SaveExecution:
    """Decide for one execution. An error becomes the execution's own state and does not touch the rest of the batch."""
    try:
        return decide()
    except GiveUp as error:
        now = batch.ports.clock.now()
        return SaveExecution(execution, execution.finished(ExecutionStatus.FAILED, error.code, now))
    except RetryLater:
        raise
    except Exception as error:  # noqa: BLE001 - a fault of code or data
        return SaveExecution(execution, _after_fault(batch, execution, error))


def _advance(batch: FlowBatch, plan: SendPlan, execution: Execution, contact: Contact | None) -> StepDecision:
    ports = batch.ports
    now = ports.clock.now()
    current = execution
    if execution.claim:
        at_node = replace(execution, node=execution.claim.node)
        current = expire_claim(at_node, send_attempt(plan, execution, execution.claim.node, now))
    if contact is None:
        return SaveExecution(execution, current.finished(ExecutionStatus.SKIPPED, SkipReason.CONTACT_NOT_FOUND, now))
    if current.due and current.due > now:
        return SaveExecution(execution, current)
    context = traversal_context(plan, contact, now)
    traversal = advance(current, context)
    if traversal.needs_events:
        history = load_event_history(ports, execution.key.workspace, contact, traversal.needs_events)
        traversal = advance(traversal.execution, replace(context, history=history))
    if execution.claim:
        # The expired claim is stored first; its message or tags are the next step's.
        return SaveExecution(execution, traversal.execution)
    if traversal.message is not None:
        key = execution.key
        start, slot = batch.reserved_start(key), batch.rate_slot(key)
        return SendCandidate(execution, traversal.execution, traversal.message, contact, start, slot)
    if traversal.change_tags is not None:
        return TagContact(execution, traversal, contact)
    return SaveExecution(execution, traversal.execution)


def _after_fault(batch: FlowBatch, execution: Execution, error: Exception) -> Execution:
    """Postpone the execution by 2, 4, 8 and 16 s; the fifth fault in a row fails it with the reason `poison`."""
    batch.result.record_fault(execution, error)
    faults, now = execution.faults + 1, batch.ports.clock.now()
    if faults < MAX_FAULTS:
        return replace(execution, faults=faults, due=now + timedelta(seconds=2**faults))
    known = mark_unknown(execution, execution.claim.node, now) if execution.claim else execution
    return replace(known, faults=faults).finished(ExecutionStatus.FAILED, "poison", now)
