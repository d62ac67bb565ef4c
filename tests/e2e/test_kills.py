"""A flow continues after kills, restarts and Ctrl-C, and no contact gets two mails.

After SIGKILL during a send, the lease and the visibility timeout have to expire first; `python -m tests.torture.kills`
tests that. Here the workers end by SIGTERM, as in a deployment.
"""

import os
import signal
import time
from contextlib import suppress
from itertools import cycle
from pathlib import Path

from tests.e2e.stack import Stack, check_accounts, eventually

#: Each costs a second of a core to start the process again.
MOST_KILLS = 9


def test_a_flow_ends_well_while_api_and_clock_are_killed_and_workers_are_ended(tmp_path: Path) -> None:
    stack = Stack(tmp_path / "data", "--sample", "0").wait_until_up()
    try:
        contacts = stack.make_contacts("kill", 400)
        flow = stack.start_flow(contacts)
        kills = 0
        for name in cycle(("api", "worker", "clock")):
            if len(stack.accepted(flow)) >= 380 or kills >= MOST_KILLS:
                break
            kills += kill(stack, name, kills)
            time.sleep(0.3)
        eventually(stack.is_up, 60)

        ended = stack.await_end(flow, 40)

        assert kills >= 4
        assert ended["status"] == "completed"
        assert len(check_accounts(stack, flow, contacts)) == 400
    finally:
        stack.end()


def kill(stack: Stack, name: str, number: int) -> bool:
    pids = stack.pids()
    pid = pids["workers"][number % len(pids["workers"])] if name == "worker" else pids[name]
    with suppress(ProcessLookupError):
        if pid:
            os.kill(pid, signal.SIGTERM if name == "worker" else signal.SIGKILL)
            return True
    return False


def test_flows_go_on_after_ctrl_c_and_a_second_start(tmp_path: Path) -> None:
    first = Stack(tmp_path / "data", "--sample", "0").wait_until_up()
    contacts = first.make_contacts("again", 230)
    paced = first.start_flow(contacts[:30], {"pauseBetweenContactsMs": 500, "maxConcurrentMessages": 2})
    eventually(lambda: len(first.accepted(paced)) >= 2, 15)
    fast = first.start_flow(contacts[30:])
    eventually(lambda: len(first.accepted(fast)) >= 5, 15)
    assert first.end(signal.SIGINT) == 0
    before = first.accepted(paced), first.accepted(fast)

    second = Stack(tmp_path / "data", port=first.port).wait_until_up()
    try:
        assert (len(before[0]) < 30, len(before[1]) < 200) == (True, True)
        for flow, some in ((fast, contacts[30:]), (paced, contacts[:30])):
            assert second.await_end(flow, 40)["status"] == "completed"
            assert len(check_accounts(second, flow, some)) == len(some)
    finally:
        second.end()
