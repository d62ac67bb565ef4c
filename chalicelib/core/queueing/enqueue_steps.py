"""Puts hints where they will be met in time: the queue up to 15 minutes ahead, else a timer."""

from collections.abc import Sequence
from datetime import timedelta

from chalicelib.model.queue_messages import ScheduledStep
from chalicelib.ports import Ports

#: SQS delays at most this long. Farther hints wait in a bucket: nothing in between, so none arrives behind the sweep.
QUEUE_REACH = timedelta(minutes=15)


def enqueue_steps(ports: Ports, hints: Sequence[ScheduledStep]) -> None:
    """Hints may be lost or doubled without harm; losing one costs time, so failures raise RetryLater."""
    now = ports.clock.now()
    near = [hint for hint in hints if hint.due - now <= QUEUE_REACH]
    far = [hint for hint in hints if hint.due - now > QUEUE_REACH]
    if far:
        ports.timers.put(far)
    if near:
        ports.steps.send(near, now)
