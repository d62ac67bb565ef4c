"""Redis and PostgreSQL from Debian's packages, in a temporary folder that is removed after a failure too."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

#: Users that may run PostgreSQL when we are root, because it refuses to run as root.
SERVANTS = ("postgres", "nobody")
START_SECONDS, END_SECONDS = 30, 30


class Missing(Exception):
    """The message is one sentence that says what to install."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: what clients connect to, and its process."""

    url: str
    pid: int


def find(program: str, package: str) -> str:
    """The path of a program. Raises Missing."""
    places = [path for path in Path("/usr/lib/postgresql").glob("*/bin") if path.is_dir()]
    newest = sorted(places, key=lambda path: float(path.parent.name))[-1:]
    found = shutil.which(program, path=os.pathsep.join([*map(str, newest), os.environ.get("PATH", "")]))
    if found is None:
        raise Missing(f"{program} is not there: install it (Debian and Ubuntu: apt-get install {package}).")
    return found


def check() -> None:
    """Raise Missing before anything starts when a server is not installed."""
    find("redis-server", "redis-server")
    find("initdb", "postgresql")


@contextmanager
def redis(port: int, fsync: str) -> Iterator[Server]:
    """Run Redis with an append-only file, synced `always` or `everysec`, and without dumps."""
    with ExitStack() as cleanup:
        folder = _folder(cleanup)
        log = str(folder / "log")
        lasting = ["--appendonly", "yes", "--appendfsync", fsync, "--save", ""]
        place = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--logfile", log]
        process = _start([find("redis-server", "redis-server"), *place, *lasting], cleanup)
        client = find("redis-cli", "redis-tools")
        _wait([client, "-p", str(port), "ping"], process, log)
        yield Server(f"redis://127.0.0.1:{port}/0", process.pid)


@contextmanager
def postgres(port: int, synchronous: str) -> Iterator[Server]:
    """Run PostgreSQL as Debian configures it, except for the port and `synchronous_commit`; fsync stays on."""
    with ExitStack() as cleanup:
        folder = _folder(cleanup)
        user = _servant()
        if user:
            shutil.chown(folder, user)
        options = {"user": user} if user else {}
        data, log = folder / "data", folder / "log"
        made = [find("initdb", "postgresql"), "-D", str(data), "-U", "bench", "-A", "trust", "--encoding=UTF8"]
        subprocess.run([*made, "--no-instructions"], check=True, cwd=folder, stdout=subprocess.DEVNULL, **options)
        given = ["-c", f"synchronous_commit={synchronous}", "-c", "listen_addresses=127.0.0.1"]
        place = ["-D", str(data), "-p", str(port), "-k", str(folder)]
        with log.open("w") as written:
            command = [find("postgres", "postgresql"), *place, *given]
            streams = {"stdout": written, "stderr": written}
            # On SIGTERM PostgreSQL would wait for its clients.
            process = _start(command, cleanup, signal.SIGINT, cwd=folder, **streams, **options)
        ready = find("pg_isready", "postgresql-client")
        _wait([ready, "-h", "127.0.0.1", "-p", str(port), "-U", "bench", "-d", "postgres"], process, str(log))
        yield Server(f"postgresql://bench@127.0.0.1:{port}/postgres", process.pid)


def _folder(cleanup: ExitStack) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="carillon-peer-"))
    cleanup.callback(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _servant() -> str | None:
    """Return the user that runs PostgreSQL, or None when we are not root."""
    if os.getuid():
        return None
    for name in SERVANTS:
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    raise Missing(f"PostgreSQL does not run as root: create one of the users {', '.join(SERVANTS)}.")


def _start(
    command: Sequence[str], cleanup: ExitStack, number: signal.Signals = signal.SIGTERM, **options: object
) -> subprocess.Popen[bytes]:
    """Start a server; the signal `number` ends it."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, **{"stdout": subprocess.DEVNULL, **options})
    cleanup.callback(end, process, number)
    return process


def end(process: subprocess.Popen, number: signal.Signals = signal.SIGTERM) -> None:
    """End a process, by force after END_SECONDS."""
    process.send_signal(number)
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _wait(asked: Sequence[str], process: subprocess.Popen[bytes], log: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while subprocess.run(asked, capture_output=True, check=False).returncode:
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError("It did not start: " + Path(log).read_text(errors="replace")[-1_000:])
        time.sleep(0.1)
