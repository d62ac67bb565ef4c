"""Test that a task is stored only together with its job."""

from datetime import timedelta

import pytest

from chalicelib.core.queueing.enqueue_job import enqueue_job
from chalicelib.errors import Conflict, RetryLater
from chalicelib.model.export_job import DataExport, ExportOf, ExportRequest
from chalicelib.model.ids import WorkspaceUid
from chalicelib.model.import_job import Format
from chalicelib.model.queue_messages import Export, Job
from tests.builders import NOW
from tests.memory.ports import memory_ports
from tests.memory.queues import MemoryJobQueue

WORKSPACE = WorkspaceUid("ws")
REQUEST = ExportRequest(of=ExportOf.CONTACTS, format=Format.CSV)
TASK = DataExport(uid="export", created_at=NOW, updated_at=NOW, request=REQUEST, file="export.csv")
JOB = Export(workspace=WORKSPACE, uid="export")


class UnavailableQueue:
    """A job queue that accepts nothing."""

    def send(self, job: Job, delay: timedelta = timedelta(0)) -> None:
        raise RetryLater("SQS is unavailable")


def test_the_task_is_stored_and_its_job_queued() -> None:
    jobs = MemoryJobQueue()
    ports = memory_ports(jobs=jobs)
    enqueue_job(ports, WORKSPACE, TASK, JOB)
    assert ports.catalog.get(WORKSPACE, DataExport, "export").request == REQUEST
    assert [job for job, _ in jobs.entries] == [JOB]


def test_no_task_stays_if_the_queue_fails() -> None:
    ports = memory_ports(jobs=UnavailableQueue())
    with pytest.raises(RetryLater):
        enqueue_job(ports, WORKSPACE, TASK, JOB)
    assert ports.catalog.find(WORKSPACE, DataExport, "export") is None


def test_a_task_whose_uid_exists_queues_no_second_job() -> None:
    jobs = MemoryJobQueue()
    ports = memory_ports(jobs=jobs)
    enqueue_job(ports, WORKSPACE, TASK, JOB)
    with pytest.raises(Conflict):
        enqueue_job(ports, WORKSPACE, TASK, JOB)
    assert len(jobs.entries) == 1
