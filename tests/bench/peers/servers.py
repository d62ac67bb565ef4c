"""Redis and PostgreSQL from Debian's packages: private, in a temporary folder, gone at the end also after a failure."""

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

#: Whoever may own a PostgreSQL when we are root, which it refuses to run as.
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
    """Raises Missing before anything is started."""
    find("redis-server", "redis-server")
    find("initdb", "postgresql")


@contextmanager
def redis(port: int, fsync: str) -> Iterator[Server]:
    """With an append-only file that is synced `always` or `everysec`, and no dumps beside it."""
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
    """As Debian configures it but for the port and `synchronous_commit`, on or off; fsync stays on."""
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
            # On SIGTERM it would wait for its clients.
            process = _start(command, cleanup, signal.SIGINT, cwd=folder, **streams, **options)
        ready = find("pg_isready", "postgresql-client")
        _wait([ready, "-h", "127.0.0.1", "-p", str(port), "-U", "bench", "-d", "postgres"], process, str(log))
        yield Server(f"postgresql://bench@127.0.0.1:{port}/postgres", process.pid)


def _folder(cleanup: ExitStack) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="carillon-peer-"))
    cleanup.callback(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _servant() -> str | None:
    """Whom to run PostgreSQL as; None when we are not root ourselves."""
    if os.getuid():
        return None
    for name in SERVANTS:
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    raise Missing(f"PostgreSQL does not run as root, and none of {', '.join(SERVANTS)} exists.")


def _start(
    command: Sequence[str], cleanup: ExitStack, number: signal.Signals = signal.SIGTERM, **options: object
) -> subprocess.Popen[bytes]:
    """`number` is the signal that ends it."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, **{"stdout": subprocess.DEVNULL, **options})
    cleanup.callback(end, process, number)
    return process


def end(process: subprocess.Popen, number: signal.Signals = signal.SIGTERM) -> None:
    """Asks it to end, by force after a while."""
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
