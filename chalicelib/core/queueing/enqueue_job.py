"""Store a task and queue the job that processes it."""

from chalicelib.errors import CarillonError
from chalicelib.model.base import StoredDocument
from chalicelib.model.ids import WorkspaceUid
from chalicelib.model.queue_messages import Job
from chalicelib.ports import Ports


def enqueue_job(ports: Ports, workspace: WorkspaceUid, task: StoredDocument, job: Job) -> None:
    """Store the task and send the job. If the send fails, the task is removed. Otherwise it would stay `queued`."""
    ports.catalog.add(workspace, task)
    try:
        ports.jobs.send(job)
    except CarillonError:
        ports.catalog.remove(workspace, type(task), task.uid)
        raise
