"""The one-minute rule: timers into the queue, and a look at flows that stand still."""

from chalice.app import Blueprint, CloudWatchEvent, Rate

from chalicelib.telemetry import log_info
from chalicelib.usecases.watch_flows import sweep_timers, watch_flows
from chalicelib.wiring import ports

blueprint = Blueprint(__name__)


@blueprint.schedule(Rate(1, unit=Rate.MINUTES), name="tick")
def tick(event: CloudWatchEvent) -> None:
    """Fires late or twice without harm."""
    del event
    buckets = sweep_timers(ports())
    watch_flows(ports())
    if buckets:
        log_info("clock.ticked", buckets=buckets)
