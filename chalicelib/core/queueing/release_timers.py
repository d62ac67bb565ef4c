"""Move the step messages of one timer bucket to the step queue."""

from itertools import islice

from chalicelib.model.queue_messages import ReleaseTimers
from chalicelib.ports import Ports

#: Step messages sent between two reads; ten SQS batches.
PORTION = 100


def release_timers(ports: Ports, job: ReleaseTimers) -> None:
    """Send each step message of the bucket with the delay until its second. A repeated job sends duplicates."""
    steps = ports.timers.read(job.bucket)
    while portion := list(islice(steps, PORTION)):
        ports.steps.send(portion, ports.clock.now())
