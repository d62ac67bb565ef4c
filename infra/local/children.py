"""Child processes of the supervisor: starts, logs, restarts and stops them."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO

from infra.local import orphan
from infra.local.serve import SOCKET

#: A child that ran at least this long restarts without a delay, in s.
LIVED_SECONDS = 2.0
#: Delays before the restarts of a child that dies at its start, in s; the last one repeats.
RESTART_SECONDS = (0.2, 0.4, 0.8, 2.0, 5.0)

_printing = threading.Lock()


def log(name: str, line: str) -> None:
    """Print a line of the log. A closed output (`make run | head`) does not stop the stack."""
    with _printing:
        try:
            sys.stdout.write(f"{datetime.now().astimezone():%H:%M:%S}  {name:<9} {line}\n")
            sys.stdout.flush()
        except (BrokenPipeError, ValueError):
            pass


class Lifeline:
    """A pipe that shows children the end of the supervisor, and the lock on DATA.

    Children hold the lock too, so that no other stack starts on DATA while an orphan still saves.
    """

    def __init__(self, lock: IO[str]) -> None:
        self.reader, self._writer = os.pipe()
        self.inherited = (self.reader, lock.fileno())


@dataclass(slots=True)
class Child:
    """One named process; `keep` runs it until `end`."""

    name: str
    arguments: list[str]
    environment: Mapping[str, str]
    lifeline: Lifeline
    changed: Callable[[], None]
    listener: socket.socket | None = None
    before_restart: Callable[[], None] | None = None
    process: subprocess.Popen[str] | None = None
    last_line: str = ""
    ending: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process is not None and self.process.poll() is None else None

    def start(self) -> None:
        """Start the process and a thread that keeps it running."""
        self._spawn()
        self.thread = threading.Thread(target=self._keep, name=f"keep-{self.name}", daemon=True)
        self.thread.start()

    def run_once(self) -> int:
        """Run a process to its end and return its exit code."""
        return self._spawn().wait()

    def signal_end(self) -> None:
        """Ask the process to end and do not restart it."""
        self.ending.set()
        if self.pid is not None:
            self._send(signal.SIGTERM)

    def wait_for_end(self, seconds: float) -> None:
        """Wait for the process to end; kill it after `seconds`."""
        if self.process is None:
            return
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            log(self.name, f"did not end within {seconds:.0f} s; killed")
            self._send(signal.SIGKILL)
            self.process.wait()

    def _send(self, number: signal.Signals) -> None:
        if self.process is not None:
            self.process.send_signal(number)

    def _spawn(self) -> subprocess.Popen[str]:
        environment = {**self.environment, orphan.LIFELINE: str(self.lifeline.reader)}
        inherited = list(self.lifeline.inherited)
        if self.listener is not None:
            environment[SOCKET] = str(self.listener.fileno())
            inherited.append(self.listener.fileno())
        process = subprocess.Popen(  # noqa: S603  Our own modules under our own interpreter.
            [sys.executable, "-m", *self.arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            pass_fds=inherited,
            # Ctrl-C reaches only the supervisor, which stops the children in order.
            start_new_session=True,
        )
        self.process = process
        if process.stdout is not None:
            threading.Thread(target=self._read, args=(process.stdout,), name=f"read-{self.name}", daemon=True).start()
        self.changed()
        return process

    def _read(self, lines: IO[str]) -> None:
        for line in lines:
            self.last_line = line.rstrip()
            log(self.name, self.last_line)
        lines.close()

    def _keep(self) -> None:
        deaths = 0
        while self.process is not None:
            began = time.monotonic()
            code = self.process.wait()
            if self.ending.is_set():
                return
            lived = time.monotonic() - began >= LIVED_SECONDS
            deaths = 0 if lived else deaths + 1
            pause = 0.0 if lived else RESTART_SECONDS[min(deaths, len(RESTART_SECONDS)) - 1]
            log(self.name, f"ended ({_reason(code)}); starting it again" + (f" in {pause} s" if pause else ""))
            if self.ending.wait(pause):
                return
            if self.before_restart is not None:
                self.before_restart()
            self._spawn()


def _reason(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    return f"signal {signal.Signals(-code).name}"
