"""Runs the jobs that seldom come: starting on time, retrying, importing, exporting, asking, erasing, purging."""

from collections.abc import Callable
from datetime import timedelta
from typing import assert_never

from chalicelib.model.hints import Erase, ExpandRetry, Export, Import, Purge, SendOptIn, Start
from chalicelib.ports import Ports
from chalicelib.usecases.erase_contact import sweep_erased
from chalicelib.usecases.expand_retry import expand_retry
from chalicelib.usecases.export import run_export
from chalicelib.usecases.import_contacts import run_import
from chalicelib.usecases.purge_flow import purge_flow
from chalicelib.usecases.send_opt_in import send_opt_in
from chalicelib.usecases.start_scheduled import start_scheduled

SeldomJob = Start | ExpandRetry | Import | Export | SendOptIn | Erase | Purge


def run_seldom_job(ports: Ports, job: SeldomJob, time_left: Callable[[], timedelta]) -> None:
    """Hands a job to its use case."""
    match job:
        case Start():
            start_scheduled(ports, job)
        case ExpandRetry():
            expand_retry(ports, job, time_left)
        case Import():
            run_import(ports, job, time_left)
        case Export():
            run_export(ports, job, time_left)
        case SendOptIn():
            send_opt_in(ports, job)
        case Erase():
            sweep_erased(ports, job)
        case Purge():
            purge_flow(ports, job, time_left)
        case _:
            assert_never(job)
