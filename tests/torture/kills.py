"""Kills workers, API and clock with SIGKILL under a running flow, then checks the outcome of every contact.

`python -m tests.torture.kills --contacts 10000 --kills 50`; prints the figures, exits 1 when one is not as promised.
"""

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from tests.e2e.stack import OVER, Stack, eventually

#: A worker holds one batch of the step queue at a time.
BATCH = 10
#: Replaces 180 s, so that a run takes minutes. The lease of 45 s stays: earlier redeliveries return to the queue.
VISIBILITY_SECONDS = 20
#: Seconds after the last kill: lease and visibility, twice for an execution hit twice, and 5 minutes for dead letters.
TAIL_SECONDS = 900
Figures = dict[str, int]


class Killer:
    """Ends processes by -9 at random moments, and counts them."""

    def __init__(self, stack: Stack, seed: int) -> None:
        self.done: Counter[str] = Counter()
        self._stack = stack
        self._random = random.Random(seed)

    def run(self, flow: str, kills: int) -> None:
        """Until enough were killed or the flow is over."""
        while self.done.total() < kills and not self._is_over(flow):
            time.sleep(self._random.uniform(0.2, 2.0))
            self._kill_one()

    def _kill_one(self) -> None:
        pids = self._stack.pids()
        targets = [("api", pids["api"]), ("clock", pids["clock"])] + [("worker", pid) for pid in pids["workers"]] * 2
        name, pid = self._random.choice(targets)
        with suppress(ProcessLookupError):
            if pid:
                os.kill(pid, signal.SIGKILL)
                self.done[name] += 1

    def _is_over(self, flow: str) -> bool:
        with suppress(OSError, AssertionError):  # The API may be the one that was killed.
            return self._stack.flow(flow)["status"] in OVER
        return False


def count(stack: Stack, flow: str, contacts: Sequence[str], killer: Killer, seconds: float) -> tuple[Figures, bool]:
    """Return the counts, and True when no contact is lost, none has two mails and the statistics are right."""
    shown = stack.flow(flow)["stats"]
    rows = Counter(row["contactUid"] for row in stack.every(f"/v1/flows/{flow}/executions"))
    messages = Counter(each["status"] for each in stack.every(f"/v1/messages?flowUid={flow}"))
    mails = stack.accepted(flow)
    over = shown["completed"] + shown["failed"] + shown["skipped"]
    figures = {
        "contacts": len(contacts),
        "kills": killer.done.total(),
        **{f"kills of {name}": count for name, count in sorted(killer.done.items())},
        "seconds": round(seconds),
        "mails": mails.total(),
        "sent": shown["sent"],
        "unknown": shown["unknown"],
        "unknown at most": BATCH * killer.done["worker"],
        "unknown with a mail": len(mails) - shown["sent"],
        "twice": sum(1 for times in mails.values() if times > 1),
        "lost": len(set(contacts) - set(rows)) + len(contacts) - over,
        "statistics beside the rows": sum(abs(shown[name] - messages[name]) for name in ("sent", "unknown")),
    }
    good = figures["twice"] == figures["lost"] == figures["statistics beside the rows"] == 0
    good = good and set(rows.values()) == {1} and shown["sent"] + shown["unknown"] == len(contacts)
    few = 0 <= figures["unknown with a mail"] <= shown["unknown"] <= figures["unknown at most"]
    return figures, good and few


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.torture.kills", description=__doc__)
    parser.add_argument("--contacts", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--json", type=Path, default=None, help="where the figures go")
    given = parser.parse_args()
    print(f"seed {given.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="carillon-kills-") as folder:
        environment = {"LOCAL_VISIBILITY_SECONDS": str(VISIBILITY_SECONDS)}
        stack = Stack(Path(folder) / "data", "--sample", "0", environment=environment).wait_until_up()
        try:
            contacts = stack.make_contacts("kills", given.contacts)
            flow, began, killer = stack.start_flow(contacts), time.monotonic(), Killer(stack, given.seed)
            killer.run(flow, given.kills)
            eventually(stack.is_up, 60)
            stack.await_end(flow, TAIL_SECONDS)
            figures, is_good = count(stack, flow, contacts, killer, time.monotonic() - began)
        finally:
            stack.end()
    for name, figure in figures.items():
        print(f"{name:<28}{figure:>8}")
    if given.json:
        given.json.write_text(json.dumps({"seed": given.seed, **figures}), encoding="utf-8")
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
