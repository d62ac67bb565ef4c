"""Runs the jobs that no running flow waits for: starting on time, importing, exporting, asking, erasing, purging."""

from collections.abc import Callable
from datetime import timedelta
from typing import assert_never

from chalicelib.model.hints import Erase, Export, Import, Purge, SendOptIn, Start
from chalicelib.ports import Ports
from chalicelib.usecases.erase_contact import sweep_erased
from chalicelib.usecases.export import run_export
from chalicelib.usecases.import_contacts import run_import
from chalicelib.usecases.purge_flow import purge_flow
from chalicelib.usecases.send_opt_in import send_opt_in
from chalicelib.usecases.start_scheduled import start_scheduled

SeldomJob = Start | Import | Export | SendOptIn | Erase | Purge


def run_seldom_job(ports: Ports, job: SeldomJob, time_left: Callable[[], timedelta]) -> None:
    """Hands a job to its use case."""
    match job:
        case Start():
            start_scheduled(ports, job)
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
