"""Run rare jobs: scheduled start, retry, import, export, opt-in request, erasure and purge."""

from collections.abc import Callable
from datetime import timedelta
from typing import assert_never

from chalicelib.core.contacts.import_contacts import run_import
from chalicelib.core.flows.enrol_retry import expand_retry
from chalicelib.core.flows.purge_flow import purge_flow
from chalicelib.core.launching.start_scheduled import start_scheduled
from chalicelib.core.privacy.erase_contact import sweep_erased
from chalicelib.core.privacy.send_opt_in import send_opt_in
from chalicelib.core.reporting.export import run_export
from chalicelib.model.queue_messages import (
    EnrolRetry,
    EraseContact,
    Export,
    Import,
    PurgeFlow,
    SendOptIn,
    StartScheduledCampaign,
)
from chalicelib.ports import Ports

RareJob = StartScheduledCampaign | EnrolRetry | Import | Export | SendOptIn | EraseContact | PurgeFlow


def run_rare_job(ports: Ports, job: RareJob, time_left: Callable[[], timedelta]) -> None:
    """Call the use case of a job."""
    match job:
        case StartScheduledCampaign():
            start_scheduled(ports, job)
        case EnrolRetry():
            expand_retry(ports, job, time_left)
        case Import():
            run_import(ports, job, time_left)
        case Export():
            run_export(ports, job, time_left)
        case SendOptIn():
            send_opt_in(ports, job)
        case EraseContact():
            sweep_erased(ports, job)
        case PurgeFlow():
            purge_flow(ports, job, time_left)
        case _:
            assert_never(job)
