"""One batch of steps: look at each row, decide, claim and deliver what is to be delivered, save, hint what is next."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import TypeVar

from chalicelib.core.contacts.load_history import load_event_history
from chalicelib.core.flows.fail_flow import fail_flow
from chalicelib.core.notifications.deliver_webhooks import enqueue_webhooks
from chalicelib.core.notifications.webhook_events import execution_events
from chalicelib.core.queueing.enqueue_steps import enqueue_steps
from chalicelib.core.reconciliation.request_completion import request_completion
from chalicelib.core.steps.admission import SendCandidate
from chalicelib.core.steps.apply_send_result import expire_claim
from chalicelib.core.steps.apply_tags import TagChanges
from chalicelib.core.steps.batch_result import BatchResult, Fault
from chalicelib.core.steps.deliver import deliver
from chalicelib.core.steps.interpreter import WalkResult, advance, depends_on_contact
from chalicelib.core.steps.send_plan import SendPlan, load_plan
from chalicelib.errors import GiveUp, NotFound, RetryLater
from chalicelib.model.contact import Contact
from chalicelib.model.execution import Execution, ExecutionKey, ExecutionStatus, mark_unknown
from chalicelib.model.flow import Flow, FlowStatus
from chalicelib.model.ids import ContactUid, FlowUid, WorkspaceUid, new_uid
from chalicelib.model.queue_messages import ScheduledStep, StepMessage, build_step_message
from chalicelib.model.skip_reason import SkipReason
from chalicelib.model.workspace import Workspace
from chalicelib.ports import ExpectUnclaimed, Ports, Save

#: A fault of code or data that meets the same step this often is not going to pass.
MAX_FAULTS = 5


@dataclass(frozen=True, slots=True)
class ReceivedStep:
    """A hint as the queue brought it: `id` names the message, `times` counts its deliveries, this one included."""

    id: str
    hint: StepMessage
    times: int = 1


class StepDisposition(StrEnum):
    """What a row makes of a hint."""

    DROP = "drop"
    HEAL = "heal"
    GIVE_BACK = "give_back"
    LATER = "later"
    RUN = "run"


@dataclass(frozen=True, slots=True)
class StepReport:
    """`given_back`: ids of the messages that the queue shall bring again. `faults` are for the log.

    `counted` is what changed in the statistics of all flows together, `channelPauses` and `lowBalances`.
    """

    given_back: frozenset[str]
    faults: tuple[Fault, ...]
    counted: Mapping[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class _Batch:
    """The hints of one flow in one delivery of the queue, by row."""

    ports: Ports
    workspace: WorkspaceUid
    flow: Flow
    received: dict[ExecutionKey, list[ReceivedStep]]
    time_left: Callable[[], timedelta]
    ledger: BatchResult = field(default_factory=BatchResult)
    give_back: set[str] = field(default_factory=set)

    def promised(self, key: ExecutionKey) -> datetime | None:
        """The slot that the row's hint brings along."""
        slots = [
            received.hint.pacing_slot_ms for received in self.received[key] if received.hint.pacing_slot_ms is not None
        ]
        return datetime.fromtimestamp(max(slots) / 1000, UTC) if slots else None

    def slot(self, key: ExecutionKey) -> datetime | None:
        """The slot of the channel's rate that is kept for the row."""
        return max((slot for received in self.received[key] if (slot := received.hint.rate_slot)), default=None)

    def return_hint(self, key: ExecutionKey) -> None:
        self.give_back.update(received.id for received in self.received[key])


def process_steps(ports: Ports, received: Sequence[ReceivedStep], time_left: Callable[[], timedelta]) -> StepReport:
    """Runs the hinted steps; what fails in one flow does not touch the steps of another."""
    groups: dict[tuple[str, str], list[ReceivedStep]] = defaultdict(list)
    for each in received:
        groups[each.hint.workspace, each.hint.flow].append(each)
    failed: set[str] = set()
    faults: list[Fault] = []
    counted: Counter[str] = Counter()
    for (workspace, flow_uid), group in groups.items():
        try:
            batch = _run_flow(ports, WorkspaceUid(workspace), FlowUid(flow_uid), group, time_left)
            if batch:
                failed |= batch.give_back
                faults += batch.ledger.faults
                counted.update(batch.ledger.counters)
                counted["channelPauses"] += batch.ledger.channel_pauses
                counted["lowBalances"] += batch.ledger.low_balances
        except Exception as error:  # noqa: BLE001 - whatever it is, the queue brings this flow's steps again
            failed |= {each.id for each in group}
            faults.append(Fault(f"flow {flow_uid}", error))
    return StepReport(frozenset(failed), tuple(faults), counted)


def _run_flow(
    ports: Ports, workspace: WorkspaceUid, uid: FlowUid, group: list[ReceivedStep], time_left: Callable[[], timedelta]
) -> _Batch | None:
    flow = ports.catalog.find(workspace, Flow, uid)
    if flow is None or (flow.status is not FlowStatus.RUNNING and all(each.times == 1 for each in group)):
        return None
    by_row: dict[ExecutionKey, list[ReceivedStep]] = defaultdict(list)
    for each in group:
        by_row[each.hint.key].append(each)
    batch = _Batch(ports, workspace, flow, by_row, time_left)
    rows = _find_rows(batch)
    if flow.status is not FlowStatus.RUNNING:
        _tell(batch, rows)
        return batch
    runnable = [row for key in by_row if (row := _triage(batch, key, rows.get(key))) is not None]
    if runnable:
        _run_rows(batch, runnable)
    _close(batch)
    _tell(batch, rows)
    return batch


def _find_rows(batch: _Batch) -> dict[ExecutionKey, Execution]:
    """By a read that may lag, at half the price; what is no plain next step of its row is read once more, strongly.

    A row that lags unnoticed costs nothing but a refused write, since its `seq` is in every condition. But a hint must
    not be dropped or given back by it, nor a lost answer be judged without the receipt that came just now.
    """
    ports, shards = batch.ports, batch.flow.shards
    rows = ports.executions.find_many(list(batch.received), shards, strong=False)
    doubtful = [key for key, group in batch.received.items() if not _is_plain(ports, group, rows.get(key))]
    if doubtful:
        rows = {key: row for key, row in rows.items() if key not in doubtful}
        rows |= ports.executions.find_many(doubtful, shards, strong=True)
    return rows


def _is_plain(ports: Ports, group: Sequence[ReceivedStep], row: Execution | None) -> bool:
    if row is None or row.claim or row.unsure:
        return False
    return all(each.times == 1 and _look(ports, each, row) is StepDisposition.RUN for each in group)


def _tell(batch: _Batch, rows: Mapping[ExecutionKey, Execution]) -> None:
    """Webhooks that want it are told of messages and ends, after all is saved.

    A worker that dies before this leaves its hints to be delivered again: of such rows all is told, under the same ids.
    """
    ledger = batch.ledger
    again = [key for key, group in batch.received.items() if any(each.times > 1 for each in group)]
    if again:
        workspace = batch.ports.catalog.get(batch.workspace, Workspace, batch.workspace)
        wanted = frozenset(workspace.row_events)
        told = (execution_events(None, rows[key], wanted) for key in again if key in rows)
        ledger.news.extend(event for each in told for event in each)
    if ledger.news:
        enqueue_webhooks(batch.ports, batch.workspace, ledger.news)


def _triage(batch: _Batch, key: ExecutionKey, row: Execution | None) -> Execution | None:
    """The row if one of its hints is to be run now; else the hints are dropped, healed, postponed or given back."""
    looks = [_look(batch.ports, received, row) for received in batch.received[key]]
    if row is None or StepDisposition.RUN in looks:
        return row if StepDisposition.RUN in looks else None
    if StepDisposition.LATER in looks or StepDisposition.HEAL in looks:
        batch.ledger.hints.append(_next_hint(row, batch.ports))
    elif StepDisposition.GIVE_BACK in looks:
        batch.return_hint(key)
    return None


def _look(ports: Ports, received: ReceivedStep, row: Execution | None) -> StepDisposition:
    if row is None or not row.is_open:
        return StepDisposition.DROP
    if received.hint.seq < row.seq:
        # Healing on a first delivery would let one duplicate breed a second chain.
        return StepDisposition.HEAL if received.times > 1 or received.hint.redriven else StepDisposition.DROP
    if received.hint.seq > row.seq or (row.claim and row.claim.until > ports.clock.real()):
        return StepDisposition.GIVE_BACK
    return StepDisposition.LATER if row.due and row.due > ports.clock.now() else StepDisposition.RUN


def _next_hint(row: Execution, ports: Ports) -> ScheduledStep:
    return ScheduledStep(build_step_message(row.key, row.seq), row.due or ports.clock.now())


def _run_rows(batch: _Batch, rows: Sequence[Execution]) -> None:
    """Rows of an event campaign's flow may be of several versions; all others are of one."""
    for version in sorted({row.version for row in rows}):
        try:
            plan = load_plan(batch.ports, batch.workspace, batch.flow, version)
        except (GiveUp, NotFound) as error:
            fail_flow(batch.ports, batch.workspace, batch.flow, str(error))
            return
        batch.ledger.wanted = frozenset(plan.workspace.row_events)
        _run_version(batch, plan, [row for row in rows if row.version == version])


def _run_version(batch: _Batch, plan: SendPlan, rows: Sequence[Execution]) -> None:
    ports, workspace = batch.ports, batch.workspace
    uids = list(dict.fromkeys(row.key.contact for row in rows))
    contacts = ports.contacts.find_many(workspace, uids, strong=False)
    walked = [(row, _decide(batch, plan, row, contacts)) for row in rows]
    doubtful = [ContactUid(row.key.contact) for row, decided in walked if _is_doubtful(row, decided, contacts)]
    if doubtful:
        # A read that lags must not skip who was made or said yes a moment ago, nor lead anybody into a wrong lane.
        fresh = ports.contacts.find_many(workspace, list(dict.fromkeys(doubtful)), strong=True)
        news = {uid for uid, contact in fresh.items() if contact != contacts.get(uid)}
        contacts |= fresh
        walked = [
            (row, _decide(batch, plan, row, contacts) if row.key.contact in news else decided)
            for row, decided in walked
        ]
    ready: list[SendCandidate] = []
    saves: list[tuple[Execution, Execution]] = []
    at_tags: list[tuple[Execution, WalkResult, Contact]] = []
    for row, decided in walked:
        contact = contacts.get(ContactUid(row.key.contact))
        if isinstance(decided, SendCandidate):
            ready.append(decided)
        elif isinstance(decided, WalkResult) and decided.retag and contact:
            at_tags.append((row, decided, contact))
        else:
            saves.append((row, decided.row if isinstance(decided, WalkResult) else decided))
    _save(batch, [*saves, *_do_tags(batch, plan, at_tags)])
    if ready:
        for key in deliver(ports, plan, ready, batch.ledger, batch.time_left):
            batch.return_hint(key)


def _decide(
    batch: _Batch, plan: SendPlan, row: Execution, contacts: Mapping[ContactUid, Contact]
) -> WalkResult | Execution | SendCandidate:
    contact = contacts.get(ContactUid(row.key.contact))
    return _guard(batch, row, partial(_walk, batch, plan, row, contact))


def _is_doubtful(
    row: Execution, decided: WalkResult | Execution | SendCandidate, contacts: Mapping[ContactUid, Contact]
) -> bool:
    """Whether a contact that changed just now may ask for another decision; before a send it is looked at anyway."""
    if isinstance(decided, SendCandidate):
        return False
    after = decided if isinstance(decided, Execution) else decided.row
    return ContactUid(row.key.contact) not in contacts or depends_on_contact(row, after)


def _do_tags(
    batch: _Batch, plan: SendPlan, at_tags: Sequence[tuple[Execution, WalkResult, Contact]]
) -> list[tuple[Execution, Execution]]:
    """The rows before and behind the TAGs at which they stand."""
    tagging = TagChanges(batch.ports, plan)
    tagging.change_together((walked, contact) for _, walked, contact in at_tags)
    return [(row, _guard(batch, row, partial(tagging.walk_on, walked, contact))) for row, walked, contact in at_tags]


_Decided = TypeVar("_Decided")


def _guard(batch: _Batch, row: Execution, decide: Callable[[], _Decided]) -> _Decided | Execution:
    """What is decided of a row, or the row with what went wrong: that must not take the batch's neighbours with it."""
    try:
        return decide()
    except GiveUp as error:
        return row.finished(ExecutionStatus.FAILED, error.code, batch.ports.clock.now())
    except RetryLater:
        raise
    except Exception as error:  # noqa: BLE001 - a fault of code or data
        return _poisoned(batch, row, error)


def _walk(
    batch: _Batch, plan: SendPlan, row: Execution, contact: Contact | None
) -> WalkResult | Execution | SendCandidate:
    """What the next effect of this row is: a letter to deliver, a TAG to do, or a row to save."""
    ports = batch.ports
    now = ports.clock.now()
    resolved = row
    if row.claim:
        resolved = expire_claim(replace(row, node=row.claim.node), plan.attempt_at(row, row.claim.node, ports))
    if contact is None:
        return resolved.finished(ExecutionStatus.SKIPPED, SkipReason.CONTACT_NOT_FOUND, now)
    if resolved.due and resolved.due > now:
        return resolved
    scene = plan.scene(contact, ports)
    walked = advance(resolved, scene)
    if walked.asks_for:
        walked = advance(
            walked.row, replace(scene, history=load_event_history(ports, row.key.workspace, contact, walked.asks_for))
        )
    if row.claim:
        return walked.row
    if walked.letter is None:
        return walked
    return SendCandidate(row, walked.row, walked.letter, contact, batch.promised(row.key), batch.slot(row.key))


def _poisoned(batch: _Batch, row: Execution, error: Exception) -> Execution:
    batch.ledger.note_fault(row, error)
    faults = row.faults + 1
    if faults >= MAX_FAULTS:
        now = batch.ports.clock.now()
        known = mark_unknown(row, row.claim.node, now) if row.claim else row
        return replace(known, faults=faults).finished(ExecutionStatus.FAILED, "poison", now)
    return replace(row, faults=faults, due=batch.ports.clock.now() + timedelta(seconds=2**faults))


def _save(batch: _Batch, changes: Sequence[tuple[Execution, Execution]]) -> None:
    """Writes rows that need no claim; who lost the race gives the hint back."""
    ports, real_now = batch.ports, batch.ports.clock.real()
    saves = [
        Save(replace(after, seq=before.seq + 1), ExpectUnclaimed.as_seen(before, real_now)) for before, after in changes
    ]
    held = ports.executions.save_many(saves, batch.flow.shards) if saves else ()
    for (before, _), save, ok in zip(changes, saves, held, strict=True):
        if ok:
            batch.ledger.moved(before, save.row, ports.clock.now())
        else:
            batch.return_hint(before.key)


def _close(batch: _Batch) -> None:
    """Hints first: a crash before them is healed by redelivery, one after them costs at most some counters."""
    ports, ledger, flow = batch.ports, batch.ledger, batch.flow
    if ledger.hints:
        enqueue_steps(ports, ledger.hints)
    if ledger.batch or ledger.counters:
        uid = FlowUid(flow.uid)
        ports.statistics.leave(batch.workspace, uid, flow.stats_epoch, ledger.batch or new_uid(), ledger.counters)
        if ledger.errors:
            ports.statistics.add_errors(batch.workspace, uid, ledger.errors)
    if ledger.ended:
        request_completion(ports, batch.workspace, flow, ledger.ended)
