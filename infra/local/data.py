"""The data directory of a local stack: its lock, format, ports and process ids."""

import fcntl
import json
import os
import socket
import time
from pathlib import Path
from typing import IO, Any

#: Format version of the directory. Increase it when older code cannot read the new content.
FORMAT = 1

#: Seconds that a start waits for orphans of a killed supervisor to save and end.
ORPHANS_SECONDS = 15.0


class Refused(Exception):
    """The stack cannot start; the message tells the user why and what to do."""


def write_atomically(path: Path, content: str) -> None:
    """Write a file so that a reader, or a crash, sees either the old or the new content."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(content, encoding="utf-8")
    draft.replace(path)


def is_alive(pid: int | None) -> bool:
    """Return whether a process with this id exists."""
    try:
        os.kill(pid or 2**30, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # The process belongs to another user.
        return True
    return True


def listen(port: int, advice: str) -> socket.socket:
    """Listen on 127.0.0.1; port 0 selects a free one. Raises Refused if the port is in use."""
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
    """An opened and locked directory. `close`, or the end of the process, releases the lock."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.key = self.root / "key"
        self.outbox = self.root / "outbox"
        self.sample = self.root / "sample.json"
        self.aws_state = self.root / "aws" / "state"
        self.aws_objects = self.root / "aws" / "objects"
        self.aws_scratch = self.root / "aws" / "tmp"
        self._path = root
        try:
            self.lock = self._open()
        except OSError as error:
            raise Refused(f"DATA={root} cannot be used: {error.strerror or error}.") from error

    def _open(self) -> IO[str]:
        self.root.mkdir(parents=True, exist_ok=True)
        lock = (self.root / "lock").open("a")
        if not self._acquire(lock):
            raise Refused(f"Another local stack runs on DATA={self._path}: stop it, or choose another DATA.")
        self._check_format()
        for folder in (self.outbox, self.aws_state, self.aws_objects, self.aws_scratch):
            folder.mkdir(parents=True, exist_ok=True)
        return lock

    def _acquire(self, lock: IO[str]) -> bool:
        """Acquire the lock. Waits for the children of a supervisor that has ended."""
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
        # A supervisor that has not written its pid yet counts as alive.
        pid = (self.read_json("pids.json") or {}).get("supervisor", 0)
        return pid == 0 or is_alive(pid)

    def _check_format(self) -> None:
        path = self.root / "format"
        if not path.exists():
            write_atomically(path, f"{FORMAT}\n")
        found = path.read_text(encoding="utf-8", errors="replace").strip()
        if not found.isdecimal():
            raise Refused(f"DATA={self._path} is not readable: its file 'format' holds {found[:20]!r}, not a number.")
        if int(found) > FORMAT:
            raise Refused(
                f"DATA={self._path} was written by a newer Carillon (format {found}, this one reads up to {FORMAT})."
            )

    def close(self) -> None:
        self.lock.close()

    def read_json(self, name: str) -> dict[str, Any] | None:
        """Return the object in a file, or None if it does not exist. Raises Refused if it cannot be read."""
        try:
            found = json.loads((self.root / name).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise Refused(f"DATA={self._path} is not readable: {name}: {error}.") from error
        if not isinstance(found, dict):
            raise Refused(f"DATA={self._path} is not readable: {name} is not a JSON object.")
        return found

    def write_json(self, name: str, content: object) -> None:
        write_atomically(self.root / name, json.dumps(content) + "\n")

    def socket_of(self, name: str) -> socket.socket:
        """Listen on the port of the last run if it is free, otherwise on another one.

        Stored data contains these ports: queue URLs that of AWS, webhook channels that of the providers.
        """
        known = self.read_json("ports.json") or {}
        try:
            listener = listen(known.get(name, 0), "")
        except Refused:
            listener = listen(0, "no port is free.")
        self.write_json("ports.json", {**known, name: listener.getsockname()[1]})
        return listener
