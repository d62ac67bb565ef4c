"""Hands the hints of one timer bucket to the step queue, each to appear at its second."""

from itertools import islice

from chalicelib.model.queue_messages import ReleaseTimers
from chalicelib.ports import Ports

#: Hints sent between two reads; ten SQS batches.
PORTION = 100


def release_timers(ports: Ports, job: ReleaseTimers) -> None:
    """A hint that is handed over twice is harmless, so a repeated job simply does it again."""
    hints = ports.timers.read(job.bucket)
    while portion := list(islice(hints, PORTION)):
        ports.steps.send(portion, ports.clock.now())
