"""Test that a timer bucket is moved to the step queue, with the delay that each step still has."""

from datetime import datetime, timedelta

from chalicelib.core.queueing.release_timers import PORTION, release_timers
from chalicelib.model.queue_messages import ReleaseTimers, ScheduledStep, build_step_message
from tests.builders import KEY
from tests.memory.clock import VirtualClock
from tests.memory.ports import memory_ports
from tests.memory.queues import MemoryStepQueue
from tests.memory.timers import MemoryTimers


def _release(clock: VirtualClock, dues: list[datetime]) -> MemoryStepQueue:
    queue, timers = MemoryStepQueue(), MemoryTimers()
    timers.put([ScheduledStep(build_step_message(KEY, seq), due) for seq, due in enumerate(dues)])
    (bucket,) = timers.buckets(min(dues), max(dues))
    release_timers(memory_ports(clock=clock, steps=queue, timers=timers), ReleaseTimers(bucket=bucket))
    return queue


def test_each_step_arrives_at_its_second() -> None:
    clock = VirtualClock()
    dues = [clock.now() + timedelta(minutes=1, seconds=second) for second in (0, 17, 59)]
    queue = _release(clock, dues)
    assert [visible_at for visible_at, _ in queue.entries] == dues


def test_a_late_step_arrives_immediately() -> None:
    clock = VirtualClock()
    queue = _release(clock, [clock.now() - timedelta(hours=1)])
    assert [visible_at for visible_at, _ in queue.entries] == [clock.now()]


def test_a_bucket_of_several_portions_is_moved_completely() -> None:
    clock = VirtualClock()
    count = 2 * PORTION + 1
    queue = _release(clock, [clock.now() + timedelta(minutes=1)] * count)
    assert sorted(message.seq for _, message in queue.entries) == list(range(count))
