"""Control a flow: start, pause, resume, cancel, describe, configure and delete it."""

from collections.abc import Callable
from contextlib import suppress
from typing import Annotated, Self

from pydantic import Field, model_validator

from chalicelib.core.billing.charge_messages import check_funds
from chalicelib.core.campaigns.compiled_version import channels_of
from chalicelib.core.channels.circuit_check import check_circuits
from chalicelib.core.flows.dispatch_executions import start_enqueueing
from chalicelib.core.flows.merge_configuration import ConfigurationChange, merge_configuration
from chalicelib.core.flows.start_flow import resume_enrolment, start_flow
from chalicelib.errors import Conflict, RetryLater
from chalicelib.model.balance import FlowBudget
from chalicelib.model.base import StrictModel
from chalicelib.model.campaign import Availability, Campaign
from chalicelib.model.flow import DELETABLE, Flow, FlowStatus, IllegalTransition
from chalicelib.model.ids import FlowUid, WorkspaceUid, new_uid
from chalicelib.model.pause import PauseCause, PausedBy, PauseReason
from chalicelib.model.queue_messages import PurgeFlow, Recount
from chalicelib.ports import Ports

#: Attempts of a read and conditional write against concurrent changes of the flow.
TRIES = 6
#: Delay in s before a delete is retried while the spend is counted. Claims of crashed workers last 45 s.
SETTLED_AFTER = 60


class FlowChange(StrictModel):
    """The body of `PATCH /v1/flows/{uid}`."""

    status: FlowStatus | None = None
    """Status to change to: starts, pauses, resumes or cancels the flow."""
    description: Annotated[str, Field(max_length=2_000)] | None = None
    """New text for operators."""
    configuration: ConfigurationChange | None = None
    """Settings to change; only while the flow is a draft or paused."""

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.status is None and self.description is None and self.configuration is None:
            raise ValueError("set at least one of status, description and configuration")
        return self


def change_flow(ports: Ports, workspace: WorkspaceUid, uid: str, change: FlowChange) -> Flow:
    """Apply all of the change or nothing. Raises IllegalTransition, Conflict and NotFound."""
    return _try_again(lambda: _change(ports, workspace, uid, change))


def _try_again(action: Callable[[], Flow]) -> Flow:
    for _ in range(TRIES):
        try:
            return action()
        except IllegalTransition:
            raise
        except Conflict as error:
            if error.current is not None:
                raise
    raise RetryLater("The flow was changed at the same time; try again")


def _change(ports: Ports, workspace: WorkspaceUid, uid: str, change: FlowChange) -> Flow:
    flow = ports.catalog.get(workspace, Flow, uid)
    wanted = change.status if change.status is not flow.status else None
    if wanted:
        flow.check_operator_move(wanted)
    described = _described(ports, flow, change)
    if wanted:
        return _moved(ports, workspace, described, wanted)
    return ports.catalog.save(workspace, described) if described != flow else flow


def _described(ports: Ports, flow: Flow, change: FlowChange) -> Flow:
    description = flow.description if change.description is None else change.description
    configuration = merge_configuration(flow.configuration, change.configuration)
    if configuration != flow.configuration and flow.status not in {FlowStatus.DRAFT, FlowStatus.PAUSED}:
        raise Conflict(
            "The configuration can be changed only while the flow is draft or paused", flow.status, ["draft", "paused"]
        )
    if (description, configuration) == (flow.description, flow.configuration):
        return flow
    return flow.edited(description, configuration, ports.clock.now())


def _moved(ports: Ports, workspace: WorkspaceUid, flow: Flow, wanted: FlowStatus) -> Flow:
    """Carry out a move that the status table allows."""
    if flow.status is FlowStatus.DRAFT and wanted is not FlowStatus.CANCELLED:
        return start_flow(ports, workspace, flow)
    if wanted is FlowStatus.PAUSED:
        return _pause(ports, workspace, flow, PauseReason(PauseCause.OPERATOR))
    if wanted is FlowStatus.CANCELLED:
        return _cancel(ports, workspace, flow)
    if wanted is FlowStatus.DRAFT:
        # Executions that are enrolled stay, and the next start finds them.
        return ports.catalog.save(workspace, flow.returned_to_draft(ports.clock.now()))
    return _resume(ports, workspace, flow)


def pause_flow(
    ports: Ports, workspace: WorkspaceUid, uid: str, reason: PauseReason, by: PausedBy | None = None
) -> None:
    """Pause a queued or running flow for a reason other than an operator. Other flows stay unchanged."""

    def pause() -> Flow:
        flow = ports.catalog.get(workspace, Flow, uid)
        if flow.status not in {FlowStatus.QUEUED, FlowStatus.RUNNING}:
            return flow
        return _pause(ports, workspace, flow, reason, by)

    _try_again(pause)


def _pause(ports: Ports, workspace: WorkspaceUid, flow: Flow, reason: PauseReason, by: PausedBy | None = None) -> Flow:
    return ports.catalog.save(workspace, flow.paused(reason, ports.clock.now(), by))


def _cancel(ports: Ports, workspace: WorkspaceUid, flow: Flow) -> Flow:
    saved = ports.catalog.save(workspace, flow.cancelled(ports.clock.now()))
    with suppress(RetryLater):  # The flow is cancelled already; the watchdog requests the recount again.
        ports.jobs.send(Recount(workspace=workspace, flow=saved.uid, pass_id=new_uid()))
    return saved


def _resume(ports: Ports, workspace: WorkspaceUid, flow: Flow) -> Flow:
    """Resume in a new epoch, which makes older jobs and pacing slots void. Enqueue only open executions."""
    check_resumable(ports, workspace, flow)
    saved = ports.catalog.save(workspace, flow.resumed(ports.clock.now()))
    with suppress(RetryLater):  # The flow runs already; the watchdog enqueues what these jobs miss.
        if saved.is_expanded:
            start_enqueueing(ports, workspace, saved)
        else:
            resume_enrolment(ports, workspace, saved)
    return saved


def check_resumable(ports: Ports, workspace: WorkspaceUid, flow: Flow) -> None:
    """Raise Conflict if the campaign is blocked, CircuitOpen for an open circuit, or InsufficientBalance."""
    campaign = ports.catalog.find(workspace, Campaign, flow.campaign_uid)
    if campaign is not None and campaign.availability is Availability.BLOCKED:
        allowed = [each for each in Availability if each is not Availability.BLOCKED]
        raise Conflict(
            "The campaign is BLOCKED, so its flows stay paused; unblock it first", Availability.BLOCKED, allowed
        )
    check_circuits(ports, workspace, flow, channels_of(ports, workspace, flow))
    if flow.prepaid:
        check_funds(ports, workspace, flow)


def delete_flow(ports: Ports, workspace: WorkspaceUid, uid: str) -> None:
    """Delete a flow that is draft, paused, error or ended; cancel it first if it is open.

    Its executions are deleted in the background. Raises Conflict, and RetryLater while the spend is counted: the
    executions prove what was spent, so they stay until the budget is settled.
    """
    flow = ports.catalog.get(workspace, Flow, uid)
    if flow.status not in DELETABLE:
        allowed = sorted(status.value for status in DELETABLE)
        raise Conflict(f"A flow that is {flow.status} cannot be deleted; cancel it first", flow.status, allowed)
    if not flow.is_over:
        flow = change_flow(ports, workspace, uid, FlowChange(status=FlowStatus.CANCELLED))
    _check_settled(ports, workspace, flow)
    ports.jobs.send(PurgeFlow(workspace=workspace, flow=uid, shards=flow.shards))
    ports.catalog.remove(workspace, Flow, uid)


def _check_settled(ports: Ports, workspace: WorkspaceUid, flow: Flow) -> None:
    budget = ports.budgets.find_budget(workspace, FlowUid(flow.uid)) if flow.prepaid else FlowBudget()
    if budget.drawn != budget.settled:
        ports.jobs.send(Recount(workspace=workspace, flow=flow.uid, pass_id=new_uid()))
        raise RetryLater("The spend of the flow is still being counted; try again", SETTLED_AFTER)
