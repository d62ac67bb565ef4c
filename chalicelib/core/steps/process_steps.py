"""Process a batch of step messages: load, decide, send, save, and enqueue the next steps.

One step passes `workers/steps`, this module, `interpreter`, `deliver` and `apply_send_result`.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import assert_never

from chalicelib.core.flows.fail_flow import fail_flow
from chalicelib.core.notifications.deliver_webhooks import enqueue_webhooks
from chalicelib.core.notifications.webhook_events import execution_events
from chalicelib.core.queueing.enqueue_steps import enqueue_steps
from chalicelib.core.reconciliation.request_completion import request_completion
from chalicelib.core.steps.admission.base import SendCandidate
from chalicelib.core.steps.apply_tags import TagChanges
from chalicelib.core.steps.batch_result import Fault, StepReport
from chalicelib.core.steps.decide_step import SaveExecution, TagContact, decide_steps, guard
from chalicelib.core.steps.deliver import deliver
from chalicelib.core.steps.send_plan import SendPlan, load_plan
from chalicelib.core.steps.triage import FlowBatch, ReceivedStep, find_runnable, load_executions
from chalicelib.errors import GiveUp, NotFound
from chalicelib.model.execution import Execution, ExecutionKey
from chalicelib.model.flow import Flow, FlowStatus
from chalicelib.model.ids import FlowUid, WorkspaceUid, new_uid
from chalicelib.model.workspace import Workspace
from chalicelib.ports import ExpectUnclaimed, Ports, Save


def process_steps(ports: Ports, received: Sequence[ReceivedStep], time_left: Callable[[], timedelta]) -> StepReport:
    """Process the steps of several flows. A failure in one flow does not affect the steps of another."""
    groups: dict[tuple[str, str], list[ReceivedStep]] = defaultdict(list)
    for each in received:
        groups[each.message.workspace, each.message.flow].append(each)
    returned: set[str] = set()
    faults: list[Fault] = []
    counted: Counter[str] = Counter()
    for (workspace, flow_uid), group in groups.items():
        try:
            batch = _process_flow(ports, WorkspaceUid(workspace), FlowUid(flow_uid), group, time_left)
        except Exception as error:  # noqa: BLE001 - after any fault, SQS delivers the steps of this flow again
            returned |= {each.id for each in group}
            faults.append(Fault(f"flow {flow_uid}", error))
            continue
        if batch:
            returned |= batch.returned
            faults += batch.result.faults
            counted.update(batch.result.counters)
            counted["channelPauses"] += batch.result.channel_pauses
            counted["lowBalances"] += batch.result.low_balances
    return StepReport(frozenset(returned), tuple(faults), counted)


def _process_flow(
    ports: Ports, workspace: WorkspaceUid, uid: FlowUid, group: list[ReceivedStep], time_left: Callable[[], timedelta]
) -> FlowBatch | None:
    flow = ports.catalog.find(workspace, Flow, uid)
    if flow is None or (flow.status is not FlowStatus.RUNNING and all(each.deliveries == 1 for each in group)):
        # Paused or ended: a resume enqueues the steps again. A redelivery may follow a crash, so it publishes events.
        return None
    received: dict[ExecutionKey, list[ReceivedStep]] = defaultdict(list)
    for each in group:
        received[each.message.key].append(each)
    batch = FlowBatch(ports, workspace, flow, received, time_left)
    executions = load_executions(batch)
    if flow.status is FlowStatus.RUNNING:
        runnable = find_runnable(batch, executions)
        if runnable:
            _process_executions(batch, runnable)
        _enqueue_and_count(batch)
    _publish_events(batch, executions)
    return batch


def _process_executions(batch: FlowBatch, executions: Sequence[Execution]) -> None:
    """Process the executions by campaign version. Only the flow of an event campaign has more than one version."""
    for version in sorted({execution.version for execution in executions}):
        try:
            plan = load_plan(batch.ports, batch.workspace, batch.flow, version)
        except (GiveUp, NotFound) as error:
            fail_flow(batch.ports, batch.workspace, batch.flow, str(error))
            return
        batch.result.subscribed = frozenset(plan.workspace.execution_events)
        _process_version(batch, plan, [execution for execution in executions if execution.version == version])


def _process_version(batch: FlowBatch, plan: SendPlan, executions: Sequence[Execution]) -> None:
    saves: list[SaveExecution] = []
    tags: list[TagContact] = []
    candidates: list[SendCandidate] = []
    for decision in decide_steps(batch, plan, executions):
        match decision:
            case SaveExecution():
                saves.append(decision)
            case TagContact():
                tags.append(decision)
            case SendCandidate():
                candidates.append(decision)
            case _:
                assert_never(decision)
    saves += _change_tags(batch, plan, tags) if tags else []
    _save(batch, saves)
    if candidates:
        for key in deliver(batch.ports, plan, candidates, batch.result, batch.time_left):
            batch.return_to_queue(key)


def _change_tags(batch: FlowBatch, plan: SendPlan, decisions: Sequence[TagContact]) -> list[SaveExecution]:
    changes = TagChanges(batch.ports, plan)
    changes.change_together((each.traversal, each.contact) for each in decisions)
    return [guard(batch, each.before, partial(_advance_past_tag, changes, each)) for each in decisions]


def _advance_past_tag(changes: TagChanges, decision: TagContact) -> SaveExecution:
    return SaveExecution(decision.before, changes.advance_past(decision.traversal, decision.contact))


def _save(batch: FlowBatch, decisions: Sequence[SaveExecution]) -> None:
    """Store executions that need no claim. If another worker has changed one, its step message returns to the queue."""
    ports, real_now = batch.ports, batch.ports.clock.real()
    saves = [
        Save(replace(each.after, seq=each.before.seq + 1), ExpectUnclaimed.as_seen(each.before, real_now))
        for each in decisions
    ]
    saved = ports.executions.save_many(saves, batch.flow.shards) if saves else ()
    for decision, save, ok in zip(decisions, saves, saved, strict=True):
        if ok:
            batch.result.record_save(decision.before, save.execution, ports.clock.now())
        else:
            batch.return_to_queue(decision.before.key)


def _enqueue_and_count(batch: FlowBatch) -> None:
    """Enqueue the next steps, then update the statistics.

    If the worker crashes before the steps are enqueued, SQS delivers the batch again. After that, a crash loses counter
    updates, which a recount restores.
    """
    ports, result, flow = batch.ports, batch.result, batch.flow
    if result.next_steps:
        enqueue_steps(ports, result.next_steps)
    if result.in_flight or result.counters:
        uid = FlowUid(flow.uid)
        # The uid of a registered batch removes it from the register. Another batch needs any unique id.
        batch_uid = result.in_flight or new_uid()
        ports.statistics.record_batch(batch.workspace, uid, flow.stats_epoch, batch_uid, result.counters)
        if result.errors:
            ports.flow_errors.add_errors(batch.workspace, uid, result.errors)
    if result.ended:
        request_completion(ports, batch.workspace, flow, result.ended)


def _publish_events(batch: FlowBatch, executions: Mapping[ExecutionKey, Execution]) -> None:
    """Enqueue webhooks for the changes, after the executions are saved.

    If the worker crashes before this point, SQS delivers the messages again. For a redelivered message all events of
    the execution are published again, under the same ids.
    """
    result = batch.result
    again = [key for key, group in batch.received.items() if any(each.deliveries > 1 for each in group)]
    if again:
        workspace = batch.ports.catalog.get(batch.workspace, Workspace, batch.workspace)
        names = frozenset(workspace.execution_events)
        for key in again:
            if key in executions:
                result.events.extend(execution_events(None, executions[key], names))
    if result.events:
        enqueue_webhooks(batch.ports, batch.workspace, result.events)
