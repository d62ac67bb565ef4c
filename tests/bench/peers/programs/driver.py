"""The launcher of every peer: prepares, prints `ready`, waits for a line, launches, and reports the end."""

import sys
import time
from collections.abc import Callable

#: Seconds between two polls; each poll is one query.
PAUSE = 0.5


def drive(prepare: Callable[[], None], launch: Callable[[], None], count: Callable[[], tuple[int, int]]) -> None:
    """Drive a run; `count` returns open and completed executions. Prints `ready` and `done <completed>`."""
    prepare()
    print("ready", flush=True)
    sys.stdin.readline()
    launch()
    while count()[0]:
        time.sleep(PAUSE)
    print(f"done {count()[1]}", flush=True)
    sys.stdin.readline()
