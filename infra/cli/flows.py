"""`carillon flow` and `carillon execution`: start, watch, pause, resume and cancel flows, and inspect executions."""

import time
from collections.abc import Callable
from typing import Annotated

import typer
from rich.console import Console
from rich.live import Live
from rich.table import Table

from chalicelib.api.responses.flows import FlowResponse
from chalicelib.core.flows.control_flow import FlowChange
from chalicelib.core.flows.create_flow import NewFlow
from chalicelib.model.flow import ENDED, FlowStatus
from infra.cli.context import Chosen, chosen
from infra.cli.output import Exit, answering, build_table, dump, facts

app = typer.Typer(no_args_is_help=True, help="Flows: runs of a campaign over contacts.")
executions = typer.Typer(no_args_is_help=True, help="Executions: one contact in one flow.")
Uid = Annotated[str, typer.Argument(help="The flow's uid.")]
POLL_SECONDS = 1.0
#: Statuses in which a flow does not change without an operator.
_STILL = ENDED | {FlowStatus.PAUSED, FlowStatus.ERROR, FlowStatus.DRAFT}
_COUNTS = ("total", "pending", "processing", "completed", "failed", "skipped", "sent", "delivered", "unknown")


@app.command()
def create(
    context: typer.Context,
    campaign: Annotated[str, typer.Option(help="The campaign's uid.")],
    channel: Annotated[str, typer.Option(help="The channel's uid.")],
    contact: Annotated[list[str] | None, typer.Option(help="Uid of a contact; repeat the option for more.")] = None,
    segment: Annotated[str | None, typer.Option(help="Uid of a segment, in place of contacts.")] = None,
    draft: Annotated[bool, typer.Option("--draft", help="Create the flow without starting it.")] = False,
) -> None:
    """Create and start a flow."""
    ready = chosen(context)
    if (segment is None) == (not contact):
        raise typer.BadParameter("give either --contact or --segment")
    audience = {"segment_uid": segment} if segment else {"contact_uids": tuple(contact or ())}
    request = NewFlow.model_validate(
        {"campaign_uid": campaign, "channel_uid": channel, "status": "draft" if draft else "queued", **audience}
    )
    with answering(ready.output):
        flow = ready.client.flows.create(request)
    _show(ready, flow)


@app.command()
def watch(context: typer.Context, uid: Uid) -> None:
    """Watch a flow until it ends or stops. Exit code 1 if not all contacts completed."""
    ready = chosen(context)
    with answering(ready.output):
        flow = follow(ready, uid, time.sleep)
    _show(ready, flow)
    raise typer.Exit(Exit.GOOD if flow.status is FlowStatus.COMPLETED else Exit.BAD)


def follow(ready: Chosen, uid: str, sleep: Callable[[float], None]) -> FlowResponse:
    """Wait until the flow ends or stops, and return it."""
    flow = ready.client.flows.get(uid)
    with Live(console=Console(stderr=True), transient=True, auto_refresh=False) as live:
        while flow.status not in _STILL:
            live.update(_table(flow), refresh=True)
            sleep(POLL_SECONDS)
            flow = ready.client.flows.get(uid)
    return flow


@app.command()
def pause(context: typer.Context, uid: Uid) -> None:
    """Pause a flow. After the response only the sends in flight go out."""
    _move(context, uid, FlowStatus.PAUSED)


@app.command()
def resume(context: typer.Context, uid: Uid) -> None:
    """Resume a flow."""
    _move(context, uid, FlowStatus.RUNNING)


@app.command()
def cancel(context: typer.Context, uid: Uid) -> None:
    """Cancel a flow. Open executions are skipped."""
    _move(context, uid, FlowStatus.CANCELLED)


def _move(context: typer.Context, uid: str, status: FlowStatus) -> None:
    ready = chosen(context)
    with answering(ready.output):
        flow = ready.client.flows.change(uid, FlowChange(status=status))
    _show(ready, flow)


def _show(ready: Chosen, flow: FlowResponse) -> None:
    ready.output.show(dump(flow), _table(flow))


def _table(flow: FlowResponse) -> Table:
    stats = dump(flow.stats)
    told = {"status": flow.status.value, **{name: stats[name] for name in _COUNTS}, "inFlight": flow.metadata.in_flight}
    return facts(f"Flow {flow.uid}", told)


@executions.callback()
def _group() -> None:
    """Group the commands for executions."""


@executions.command()
def inspect(
    context: typer.Context, flow: Uid, contact: Annotated[str, typer.Argument(help="The contact's uid.")]
) -> None:
    """Show where a contact is and why, the next step and its time, and the path so far."""
    ready = chosen(context)
    with answering(ready.output):
        found = ready.client.flows.inspect(flow, contact)
    rows = [
        (each.node_id, each.entered_at, each.left_at, each.exit, each.message.status if each.message else None)
        for each in found.history
    ]
    title = f"{found.status.value}: {found.why}"
    ready.output.show(dump(found), build_table(title, ("step", "entered", "left", "by", "message"), rows))
