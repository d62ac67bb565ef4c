"""The launcher's side of every peer: prepares, says so, waits for a line, launches, and tells when all are over."""

import sys
import time
from collections.abc import Callable

#: Seconds between two looks; each is one query.
PAUSE = 0.5


def drive(prepare: Callable[[], None], launch: Callable[[], None], count: Callable[[], tuple[int, int]]) -> None:
    """`count` tells how many executions are open and how many completed. Speaks by lines: ready, done <completed>."""
    prepare()
    print("ready", flush=True)
    sys.stdin.readline()
    launch()
    while count()[0]:
        time.sleep(PAUSE)
    print(f"done {count()[1]}", flush=True)
    sys.stdin.readline()
