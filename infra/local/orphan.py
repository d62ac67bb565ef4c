"""What every child process does first: log plainly, stop on a signal, and end when the supervisor is gone."""

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable

#: The inherited end of a pipe whose other end only the supervisor holds: its end of file is the supervisor's end.
LIFELINE = "LOCAL_LIFELINE"
#: What an orphan may take to finish its batch, or AWS to save, before it is ended by force.
ORPHAN_SECONDS = 40.0
NOTICE_SECONDS = 0.3


def begin(then: Callable[[], None] | None = None) -> None:
    """Set up logging (the supervisor adds time and name to each line) and watch the supervisor.

    `then` is called, in a thread, once the supervisor is gone and all its children had a moment to notice.
    """
    logging.basicConfig(stream=sys.stdout, level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    descriptor = os.environ.get(LIFELINE)
    if descriptor is not None:
        threading.Thread(target=_watch, args=(int(descriptor), then), daemon=True, name="lifeline").start()


def _watch(descriptor: int, then: Callable[[], None] | None) -> None:
    # A pipe and not PR_SET_PDEATHSIG: it works on every Unix, and whichever thread of the supervisor was the parent.
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
    """Print one line of the log; a closed log (the supervisor is gone) is no reason to lose a batch."""
    try:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
    except (BrokenPipeError, ValueError):
        pass
