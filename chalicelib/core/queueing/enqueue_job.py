"""Keeps what a job will work on, and queues the job."""

from chalicelib.errors import CarillonError
from chalicelib.model.base import StoredDocument
from chalicelib.model.ids import WorkspaceUid
from chalicelib.model.queue_messages import Job
from chalicelib.ports import Ports


def enqueue_job(ports: Ports, workspace: WorkspaceUid, task: StoredDocument, job: Job) -> None:
    """Both or neither: a task that nobody was told of would read "queued" for ever."""
    ports.catalog.add(workspace, task)
    try:
        ports.jobs.send(job)
    except CarillonError:
        ports.catalog.remove(workspace, type(task), task.uid)
        raise
