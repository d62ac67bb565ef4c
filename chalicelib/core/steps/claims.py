"""Claim executions before their messages are sent, check the claims, and release those that were not used."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from chalicelib.core.steps.admission.base import LEASE, SendBatch, SendCandidate
from chalicelib.core.steps.prepare_message import prepare_message
from chalicelib.core.steps.traversal import SkipMessage, depends_on_contact
from chalicelib.errors import GiveUp
from chalicelib.model.contact import Contact
from chalicelib.model.execution import Claim, Execution, ExecutionKey, ExecutionStatus
from chalicelib.model.flow import Flow, FlowStatus
from chalicelib.model.ids import AttemptId, ContactUid, NodeId
from chalicelib.ports import ExpectClaimedBy, ExpectUnclaimed, Save

#: Delays before an undecided save is repeated, after the store's own attempts.
SAVE_DELAYS = tuple(timedelta(seconds=seconds) for seconds in (1, 2, 4, 8))
#: Time that one more save may take.
SAVE_RESERVE = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class ClaimedSend:
    """A candidate that this worker has claimed until the lease ends."""

    candidate: SendCandidate
    attempt: AttemptId


@dataclass(frozen=True, slots=True)
class Claims:
    """The result of claiming a batch."""

    held: list[ClaimedSend]
    #: Claims that may or may not be stored. They must be released after the sends: a claim that stays
    #: on an execution would later be taken for a lost send.
    uncertain: list[ClaimedSend]
    #: Executions that are not held for sure. Their step messages return to the queue.
    refused: tuple[ExecutionKey, ...]


@dataclass(frozen=True, slots=True)
class ClaimCheck:
    """Claims that may still be sent, and claims to release."""

    confirmed: list[ClaimedSend]
    withdrawn: list[ClaimedSend]
    #: Whether the withdrawn executions are processed again now; if not, they wait until the flow is resumed.
    retry: bool


def claim_executions(batch: SendBatch, candidates: Sequence[SendCandidate]) -> Claims:
    """Claim the executions of the candidates by conditional writes."""
    real_now = batch.ports.clock.real()
    attempts = [AttemptId(f"{batch.uid}-{index}") for index in range(len(candidates))]
    wanted = [
        ClaimedSend(replace(each, execution=_with_claim(each, attempt, real_now + LEASE)), attempt)
        for each, attempt in zip(candidates, attempts, strict=True)
    ]
    saves = [
        Save(each.candidate.execution, ExpectUnclaimed.as_seen(each.candidate.stored, real_now)) for each in wanted
    ]
    results = batch.ports.executions.save_many(saves, batch.plan.flow.shards) if saves else ()
    refused = tuple(each.candidate.stored.key for each, ok in zip(wanted, results, strict=True) if not ok)
    uncertain = [each for each, ok in zip(wanted, results, strict=True) if ok is None]
    held = [each for each, ok in zip(wanted, results, strict=True) if ok]
    return Claims(held, uncertain, refused)


def _with_claim(candidate: SendCandidate, attempt: AttemptId, until: datetime) -> Execution:
    message = candidate.message
    claim = Claim(attempt, until, NodeId(message.uid.node), message.cost)
    return replace(candidate.execution, status=ExecutionStatus.PROCESSING, claim=claim, option=message.uid.option)


def confirm_claims(batch: SendBatch, claimed: Sequence[ClaimedSend]) -> ClaimCheck:
    """Read flow and contacts again, after the claims are registered and before any provider call.

    A pause, an opt-out or an erasure that was acknowledged in between still stops the message. Its writer reads the
    register of sends in flight after its own write, and so waits for every send that passes this point.
    """
    ports, workspace = batch.ports, batch.workspace
    flow = ports.catalog.find(workspace, Flow, batch.flow)
    if flow is None or flow.status is not FlowStatus.RUNNING:
        return ClaimCheck([], list(claimed), retry=False)
    uids = [ContactUid(each.candidate.contact.uid) for each in claimed]
    contacts = ports.contacts.find_many(workspace, uids, strong=True)
    confirmed, withdrawn = [], []
    for each in claimed:
        current = _confirm(batch, each, contacts.get(ContactUid(each.candidate.contact.uid)))
        confirmed += [current] if current else []
        withdrawn += [] if current else [each]
    return ClaimCheck(confirmed, withdrawn, retry=True)


def _confirm(batch: SendBatch, claimed: ClaimedSend, contact: Contact | None) -> ClaimedSend | None:
    """Return the claim with its message for the contact as it is now, or None when it must not be sent."""
    candidate = claimed.candidate
    if contact is None:
        return None
    if contact.rev == candidate.contact.rev:
        return claimed
    if depends_on_contact(candidate.stored, candidate.execution):
        # The changed contact might have taken another path to this message.
        return None
    try:
        node = batch.plan.graph.nodes[candidate.message.uid.node]
        message = prepare_message(batch.plan, node, candidate.execution, contact)
    except GiveUp:
        return None
    if isinstance(message, SkipMessage) or (message.uid, message.cost) != (
        candidate.message.uid,
        candidate.message.cost,
    ):
        # The message that may be sent now is not the one that was claimed and charged.
        return None
    return replace(claimed, candidate=replace(candidate, message=message, contact=contact))


def release_claims(
    batch: SendBatch, claimed: Sequence[ClaimedSend], time_left: Callable[[], timedelta]
) -> list[tuple[ClaimedSend, bool | None]]:
    """Restore the executions as they were before the claims. Returns for each: released, not ours, or None: unknown."""
    saves = [Save(each.candidate.stored, ExpectClaimedBy(each.attempt)) for each in claimed]
    return list(zip(claimed, save_with_retry(batch, saves, time_left), strict=True))


def save_with_retry(batch: SendBatch, saves: Sequence[Save], time_left: Callable[[], timedelta]) -> list[bool | None]:
    """Save executions that this worker has claimed. Repeats undecided saves while there is time.

    Giving up turns a message into `unknown`: it was sent and cannot be recorded, or it was not sent and its claim
    cannot be released.
    """
    clock, shards = batch.ports.clock, batch.plan.flow.shards
    results: list[bool | None] = [None] * len(saves)
    for delay in (timedelta(0), *SAVE_DELAYS):
        undecided = [index for index, ok in enumerate(results) if ok is None]
        if not undecided or (delay and time_left() < delay + SAVE_RESERVE):
            break
        if delay:
            clock.sleep(delay * clock.speed)
        found = batch.ports.executions.save_many([saves[index] for index in undecided], shards)
        for index, ok in zip(undecided, found, strict=True):
            results[index] = ok
    return results
