"""Test where a step waits: in the queue if it is due within 15 minutes, or else in a timer bucket."""

from datetime import timedelta

import pytest

from chalicelib.core.queueing.enqueue_steps import QUEUE_REACH, enqueue_steps
from chalicelib.model.queue_messages import ScheduledStep, build_step_message
from tests.builders import KEY
from tests.memory.clock import VirtualClock
from tests.memory.ports import memory_ports
from tests.memory.queues import MemoryStepQueue
from tests.memory.timers import MemoryTimers


@pytest.mark.parametrize(
    ("delay", "is_queued"),
    [
        (timedelta(minutes=-5), True),
        (timedelta(0), True),
        (QUEUE_REACH, True),
        (QUEUE_REACH + timedelta(seconds=1), False),
        (timedelta(days=300), False),
    ],
)
def test_a_step_waits_where_its_delay_fits(delay: timedelta, is_queued: bool) -> None:
    clock, queue, timers = VirtualClock(), MemoryStepQueue(), MemoryTimers()
    due = clock.now() + delay
    step = ScheduledStep(build_step_message(KEY, 1), due)
    enqueue_steps(memory_ports(clock=clock, steps=queue, timers=timers), [step])
    buckets = timers.buckets(due, due)
    assert (len(queue.entries), len(buckets)) == ((1, 0) if is_queued else (0, 1))
    if is_queued:
        assert queue.entries == [(max(due, clock.now()), step.message)]
    else:
        assert list(timers.read(buckets[0])) == [step]


def test_steps_of_one_call_are_split() -> None:
    clock, queue, timers = VirtualClock(), MemoryStepQueue(), MemoryTimers()
    near, far = (
        ScheduledStep(build_step_message(KEY, seq), clock.now() + delay)
        for seq, delay in enumerate([timedelta(minutes=1), timedelta(days=1)])
    )
    enqueue_steps(memory_ports(clock=clock, steps=queue, timers=timers), [far, near])
    assert [message for _, message in queue.entries] == [near.message]
    assert [list(timers.read(bucket)) for bucket in timers.buckets(far.due, far.due)] == [[far]]
