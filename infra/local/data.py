"""The directory that keeps a local stack between two runs: its lock, its format, its ports, its pids."""

import fcntl
import json
import os
import socket
import time
from pathlib import Path
from typing import IO, Any

#: Raised by one when an older checkout could no longer read the directory.
FORMAT = 1

#: How long a start waits for the orphans of a killed supervisor to save and end.
ORPHANS_SECONDS = 15.0


class Refused(Exception):
    """The stack cannot start; the message is one sentence for the user."""


def write_atomically(path: Path, content: str) -> None:
    """Write a file so that a reader, or a crash, sees either the old or the new content."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(content, encoding="utf-8")
    draft.replace(path)


def is_alive(pid: int | None) -> bool:
    """Whether a process of our own with this id exists."""
    try:
        os.kill(pid or 2**30, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # Somebody else's: the id is taken.
        return True
    return True


def listen(port: int, advice: str) -> socket.socket:
    """Bind 127.0.0.1 and listen; port 0 takes a free one. Raises Refused when it is in use."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError as error:
        listener.close()
        raise Refused(f"Port {port} cannot be used ({os.strerror(error.errno or 0).lower()}): {advice}") from error
    listener.listen(2048)
    return listener


class Data:
    """An opened and locked directory; `close` (or the end of the process) gives the lock back."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.key = self.root / "key"
        self.outbox = self.root / "outbox"
        self.sample = self.root / "sample.json"
        self.aws_state = self.root / "aws" / "state"
        self.aws_objects = self.root / "aws" / "objects"
        self.aws_scratch = self.root / "aws" / "tmp"
        self._given = root
        try:
            self.lock = self._open()
        except OSError as error:
            raise Refused(f"DATA={root} cannot be used: {error.strerror or error}.") from error

    def _open(self) -> IO[str]:
        self.root.mkdir(parents=True, exist_ok=True)
        lock = (self.root / "lock").open("a")
        if not self._take(lock):
            raise Refused(f"Another local stack runs on DATA={self._given}: stop it, or choose another DATA.")
        self._check_format()
        for folder in (self.outbox, self.aws_state, self.aws_objects, self.aws_scratch):
            folder.mkdir(parents=True, exist_ok=True)
        return lock

    def _take(self, lock: IO[str]) -> bool:
        """Take the lock; waits for the last children of a supervisor that is gone."""
        deadline = time.monotonic() + ORPHANS_SECONDS
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if self._supervisor_lives() or time.monotonic() > deadline:
                    return False
                time.sleep(0.1)
            else:
                return True

    def _supervisor_lives(self) -> bool:
        # A start that has written no pids yet counts as alive.
        pid = (self.read_json("pids.json") or {}).get("supervisor", 0)
        return pid == 0 or is_alive(pid)

    def _check_format(self) -> None:
        path = self.root / "format"
        if not path.exists():
            write_atomically(path, f"{FORMAT}\n")
        found = path.read_text(encoding="utf-8", errors="replace").strip()
        if not found.isdecimal():
            raise Refused(f"DATA={self._given} is not readable: its file 'format' holds {found[:20]!r}, not a number.")
        if int(found) > FORMAT:
            raise Refused(
                f"DATA={self._given} was written by a newer Carillon (format {found}, this one reads up to {FORMAT})."
            )

    def close(self) -> None:
        self.lock.close()

    def read_json(self, name: str) -> dict[str, Any] | None:
        """What a file holds, None when it is not there. Raises Refused when it cannot be read."""
        try:
            found = json.loads((self.root / name).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise Refused(f"DATA={self._given} is not readable: {name}: {error}.") from error
        if not isinstance(found, dict):
            raise Refused(f"DATA={self._given} is not readable: {name} holds no object.")
        return found

    def write_json(self, name: str, content: object) -> None:
        write_atomically(self.root / name, json.dumps(content) + "\n")

    def socket_of(self, name: str) -> socket.socket:
        """Listen on the port of the last run when it is still free, else on another one: what is stored names it.

        AWS's is in the URLs of queues, that of the providers in the settings of webhook channels.
        """
        known = self.read_json("ports.json") or {}
        try:
            listener = listen(known.get(name, 0), "")
        except Refused:
            listener = listen(0, "no port is free.")
        self.write_json("ports.json", {**known, name: listener.getsockname()[1]})
        return listener
