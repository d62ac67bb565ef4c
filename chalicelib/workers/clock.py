"""Run once a minute: scheduled starts, timers, unpublished events, stalled flows and overdue webhooks."""

from chalice.app import Blueprint, CloudWatchEvent, Rate

from chalicelib.core.contacts.store_with_events import republish_events
from chalicelib.core.launching.schedule_campaign import enqueue_due_starts
from chalicelib.core.notifications.deliver_webhooks import requeue_overdue
from chalicelib.core.reconciliation.watch_flows import sweep_timers, watch_flows
from chalicelib.telemetry import count, log_fault, log_info
from chalicelib.wiring import ports

blueprint = Blueprint(__name__)
ROUNDS = {
    "starts": enqueue_due_starts,
    "buckets": sweep_timers,
    "news": republish_events,
    "flows": watch_flows,
    "webhooks": requeue_overdue,
}


@blueprint.schedule(Rate(1, unit=Rate.MINUTES), name="tick")
def tick(event: CloudWatchEvent) -> None:
    """Run every round. A late or repeated run does no harm, and a failed round does not stop the others."""
    del event
    done: dict[str, int] = {}
    failed: Exception | None = None
    for name, run_round in ROUNDS.items():
        try:
            done[name] = run_round(ports())
        except Exception as error:  # noqa: BLE001 - raised below, after the other rounds
            log_fault("clock.round_failed", error, round=name)
            failed = error
    if any(done.values()):
        log_info("clock.ticked", **done)
    count("clock", {name.capitalize(): number for name, number in done.items()})
    if failed:
        raise failed
