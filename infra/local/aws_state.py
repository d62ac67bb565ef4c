"""Saves ministack's state while it works: in a forked child, as one snapshot, so that nobody waits for it."""

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

#: How often a changed state is saved. With the time it takes, it bounds what a kill -9 of AWS loses.
SAVE_SECONDS = 20.0
#: A save that takes longer hangs (a lock was held when the process was forked) and is given up.
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
        # dumps and not dump, which runs ten times slower: only dumps uses the encoder written in C.
        draft.write_text(json.dumps(wrapped, default=persistence._json_default), encoding="utf-8")
        drafts.append((draft, folder / f"{service}.json"))
    for draft, path in drafts:
        draft.replace(path)


class Saver:
    """Knows whether something changed, saves it, and never runs two saves at once."""

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
        """Save a snapshot of this moment; True when it is on the disk."""
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

    def save_at_the_end(self) -> bool:
        """Replaces ministack's own save, which takes eight times longer; True when it is on the disk."""
        if self._child is not None:
            # An older snapshot must not overwrite this one.
            os.kill(self._child, signal.SIGKILL)
        for leftover in self._folder.glob(".*"):
            leftover.unlink(missing_ok=True)
        _, status = os.waitpid(self._fork(), 0)
        return status == 0

    def _fork(self) -> int:
        with warnings.catch_warnings():
            # The other threads do not exist in the child. It takes none of their locks; SIGALRM ends it if it does.
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
            # A collection would look at, and so copy, every page of a snapshot that makes no garbage.
            gc.disable()
            # The clients' connections must end with the parent, should it die now.
            os.closerange(3, os.sysconf("SC_OPEN_MAX") if os.sysconf("SC_OPEN_MAX") < 65536 else 65536)
            # This process is the snapshot: copying what nobody changes any more would double the memory.
            vars(copy)["deepcopy"] = lambda value, _memo=None: value
            save_states(self._get_states(), self._folder, self._persistence)
            status = 0
        except Exception as error:  # noqa: BLE001  Whatever it was: the parent tries again, and this process ends.
            os.write(2, f"saving failed: {error!r}\n".encode())
        finally:
            os._exit(status)
