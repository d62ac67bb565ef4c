"""Setup of every child process: logging, stop signals, and the end when the supervisor ends."""

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable

#: Variable with the inherited end of a pipe. The pipe closes when the supervisor ends.
LIFELINE = "LOCAL_LIFELINE"
#: Seconds for an orphan to finish its batch, or for AWS to save, before the process exits.
ORPHAN_SECONDS = 40.0
NOTICE_SECONDS = 0.3


def begin(then: Callable[[], None] | None = None) -> None:
    """Set up logging (the supervisor adds time and name to each line) and watch the supervisor.

    A thread calls `then` when the supervisor has ended and its children had NOTICE_SECONDS to notice.
    """
    logging.basicConfig(stream=sys.stdout, level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    descriptor = os.environ.get(LIFELINE)
    if descriptor is not None:
        threading.Thread(target=_watch, args=(int(descriptor), then), daemon=True, name="lifeline").start()


def _watch(descriptor: int, then: Callable[[], None] | None) -> None:
    # A pipe works on every Unix. PR_SET_PDEATHSIG works on Linux only and depends on the parent thread.
    os.read(descriptor, 1)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(NOTICE_SECONDS)
    if then is not None:
        then()
    time.sleep(ORPHAN_SECONDS)
    os._exit(1)


def on_stop(stop: Callable[[], None]) -> None:
    """Call `stop` on SIGTERM and SIGINT."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop())


def say(line: str) -> None:
    """Print a line of the log. A closed output does not stop the process, so no batch is lost."""
    try:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
    except (BrokenPipeError, ValueError):
        pass
