"""Saves the state of ministack as one snapshot in a forked child, so that requests do not wait."""

import asyncio
import copy
import gc
import json
import logging
import os
import signal
import time
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

#: Seconds between saves of a changed state. A kill -9 loses at most this time plus the duration of a save.
SAVE_SECONDS = 20.0
#: Limit of a save, in s. A longer one hangs on a lock that was held at the fork, and is cancelled.
HUNG_SECONDS = 120

log = logging.getLogger("aws")

GetStates = Mapping[str, Callable[[], Any]]


def save_states(states: GetStates, folder: Path, persistence: Any) -> None:
    """Write every service's state in ministack's own format; all files are complete before the first is renamed."""
    drafts = []
    for service, get_state in states.items():
        state = get_state()
        if state is None:
            continue
        wrapped = {"__ministack_format__": persistence._state_format_version(service), "payload": state}
        draft = folder / f".{service}.{os.getpid()}"
        # dumps is ten times faster than dump, since only dumps uses the encoder in C.
        draft.write_text(json.dumps(wrapped, default=persistence._json_default), encoding="utf-8")
        drafts.append((draft, folder / f"{service}.json"))
    for draft, path in drafts:
        draft.replace(path)


class Saver:
    """Saves the state after changes. Saves never overlap."""

    def __init__(self, get_states: Callable[[], GetStates], folder: Path, persistence: Any) -> None:
        self._get_states = get_states
        self._folder = folder
        self._persistence = persistence
        self._lock = asyncio.Lock()
        self._child: int | None = None
        self.changed = False

    async def run(self) -> None:
        while True:
            await asyncio.sleep(SAVE_SECONDS)
            if self.changed:
                await self.save()

    async def save(self) -> bool:
        """Save a snapshot and return whether it is on disk."""
        async with self._lock:
            self.changed = False
            began = time.monotonic()
            self._child = child = self._fork()
            forked = time.monotonic()
            _, status = await asyncio.get_running_loop().run_in_executor(None, os.waitpid, child, 0)
            self._child = None
            if status != 0:
                self.changed = True
                log.error("the state could not be saved (status %d); trying again", status)
            elif time.monotonic() - began > 5:
                log.warning(
                    "saved in %.1f s, stood still for %.0f ms", time.monotonic() - began, 1e3 * (forked - began)
                )
            return status == 0

    def save_on_shutdown(self) -> bool:
        """Save at shutdown and return whether it succeeded. The save of ministack takes eight times longer."""
        if self._child is not None:
            # An older snapshot must not overwrite this one.
            os.kill(self._child, signal.SIGKILL)
        for leftover in self._folder.glob(".*"):
            leftover.unlink(missing_ok=True)
        _, status = os.waitpid(self._fork(), 0)
        return status == 0

    def _fork(self) -> int:
        with warnings.catch_warnings():
            # The child has no other threads. If it waits for a lock of one, SIGALRM ends it.
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
        if child == 0:
            self._save_and_exit()
        return child

    def _save_and_exit(self) -> None:
        status = 1
        try:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.alarm(HUNG_SECONDS)
            os.nice(5)
            # A garbage collection would touch, and so copy, every page. The snapshot creates no garbage.
            gc.disable()
            # Close inherited connections. Otherwise they would outlive a parent that dies now.
            os.closerange(3, os.sysconf("SC_OPEN_MAX") if os.sysconf("SC_OPEN_MAX") < 65536 else 65536)
            # This process is the snapshot. Copies of a state that no longer changes would double the memory.
            vars(copy)["deepcopy"] = lambda value, _memo=None: value
            save_states(self._get_states(), self._folder, self._persistence)
            status = 0
        except Exception as error:  # noqa: BLE001  The parent tries again after any error, and this process ends.
            os.write(2, f"saving failed: {error!r}\n".encode())
        finally:
            os._exit(status)
