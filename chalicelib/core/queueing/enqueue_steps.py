"""Enqueue step messages: those due within 15 minutes on the queue, later ones in a timer bucket."""

from collections.abc import Sequence
from datetime import timedelta

from chalicelib.model.queue_messages import ScheduledStep
from chalicelib.ports import Ports

#: Longest delay of an SQS message. Later steps wait in a timer bucket, which is released before they are due.
QUEUE_REACH = timedelta(minutes=15)


def enqueue_steps(ports: Ports, steps: Sequence[ScheduledStep]) -> None:
    """Enqueue steps by their due time. Raises RetryLater if a service fails.

    A duplicate step message does no harm. A lost one is repaired by a recount, but the execution is late.
    """
    now = ports.clock.now()
    near = [step for step in steps if step.due - now <= QUEUE_REACH]
    far = [step for step in steps if step.due - now > QUEUE_REACH]
    if far:
        ports.timers.put(far)
    if near:
        ports.steps.send(near, now)
