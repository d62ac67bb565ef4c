"""Start of each peer: a launcher and two workers beside its own store."""

import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.bench.peers import servers
from tests.bench.peers.environment import ROOT, python
from tests.bench.peers.processes import cpu_seconds

#: Environment variable of a store's URL → function that starts the store on a port.
Stores = Mapping[str, Callable[[int], AbstractContextManager[servers.Server]]]
PROGRAMS = "tests.bench.peers.programs"
WORKERS = 2
#: One task at a time in each worker, without the traffic between workers that only monitoring needs.
CELERY_OPTIONS = ("--pool", "solo", "--without-gossip", "--without-mingle", "--without-heartbeat")
#: Longest time in seconds that a peer may take to get ready or to finish.
PATIENCE = 900.0
#: A start is complete after QUIET_LOOKS polls, 1 s apart, with less CPU than IDLE_SHARE of a core.
QUIET_LOOKS, IDLE_SHARE, SETTLE_SECONDS = 3, 0.1, 90


@dataclass(frozen=True, slots=True)
class Load:
    """Input of every contestant: number of contacts, seconds of the wait, port of the store."""

    contacts: int
    wait: float
    port: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """CPU seconds by process from the launch to the last END, and counts of contacts and messages."""

    cpu: Mapping[str, float]
    completed: int
    messages: int
    doubles: int

    def check(self, contacts: int) -> "Outcome":
        """Return the outcome. Raise RuntimeError when its counts are not those of the campaign."""
        found = (self.completed, self.messages, self.doubles)
        if found != (contacts, 2 * contacts, 0):
            raise RuntimeError(f"{found} completed, messages, doubles instead of {(contacts, 2 * contacts, 0)}")
        return self


@dataclass(frozen=True, slots=True)
class Peer:
    """A peer. `stores` are by URL variable; `launcher` and `workers` are command lines for the interpreter."""

    name: str
    durability: str
    stores: Stores
    launcher: Sequence[str]
    workers: Sequence[Sequence[str]]

    def run(self, load: Load) -> Outcome:
        """Start the store and the processes, run the campaign and remove everything."""
        with ExitStack() as cleanup:
            outbox = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="carillon-outbox-")))
            stores = {
                variable: cleanup.enter_context(make(load.port + number))
                for number, (variable, make) in enumerate(self.stores.items())
            }
            environment = _environment(load, outbox, {variable: store.url for variable, store in stores.items()})
            launcher = cleanup.enter_context(_running(self.launcher, environment, talks=True))
            _expect(launcher, "ready")
            workers = [cleanup.enter_context(_running(each, environment)) for each in self.workers]
            roots = {f"store-{number}": store.pid for number, store in enumerate(stores.values(), start=1)}
            roots |= {"launcher": launcher.pid, **_numbered(workers)}
            settle_down(roots)
            before = cpu_seconds(roots)
            _tell(launcher)
            completed = int(_expect(launcher, "done"))
            after = cpu_seconds(roots)
            used = {name: after[name] - before[name] for name in roots}
            return Outcome(used, completed, *count_messages(outbox))


def _environment(load: Load, outbox: Path, urls: Mapping[str, str]) -> dict[str, str]:
    told = {"CONTACTS": str(load.contacts), "WAIT_SECONDS": str(load.wait), "OUTBOX_DIR": str(outbox)}
    return {**os.environ, **told, **urls, "PYTHONPATH": str(ROOT)}


def count_messages(outbox: Path) -> tuple[int, int]:
    """Return the number of files in the outbox, and how many are duplicates of a message."""
    names = {path.name.removesuffix(".json") for path in outbox.iterdir() if path.suffix == ".json"}
    return len(names), sum(name.rpartition(".")[0] in names for name in names)


def _numbered(workers: Sequence[subprocess.Popen[str]]) -> dict[str, int]:
    return {f"worker-{number}": worker.pid for number, worker in enumerate(workers, start=1)}


@contextmanager
def _running(
    arguments: Sequence[str], environment: Mapping[str, str], talks: bool = False
) -> Iterator[subprocess.Popen[str]]:
    """Run a program of the peers' virtualenv and end it afterwards. Print its log when it dies by itself."""
    with tempfile.TemporaryFile("w+") as log:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE} if talks else {"stdin": subprocess.DEVNULL}
        streams = {"stdout": log, "stderr": log, **pipes}
        process = subprocess.Popen([python(), *arguments], cwd=ROOT, env=environment, text=True, **streams)
        try:
            yield process
        finally:
            ended = process.poll()
            if ended is None:
                servers.end(process)
            else:
                log.seek(0)
                print(f"{' '.join(arguments)} ended by itself ({ended}): {log.read()[-2_000:]}", file=sys.stderr)


def _tell(launcher: subprocess.Popen[str]) -> None:
    launcher.stdin.write("go\n")
    launcher.stdin.flush()


def _expect(launcher: subprocess.Popen[str], word: str) -> str:
    """Return the rest of the line after the word. Raise RuntimeError when the launcher ended or PATIENCE passed."""
    heard, _, _ = select.select([launcher.stdout], [], [], PATIENCE)
    line = launcher.stdout.readline() if heard else ""
    if not line.startswith(word):
        raise RuntimeError(f"The launcher said {line!r} instead of {word}")
    return line.removeprefix(word).strip()


def settle_down(roots: Mapping[str, int]) -> None:
    """Wait until all processes have started and are idle, so that the start is not measured."""
    deadline, quiet, last = time.monotonic() + SETTLE_SECONDS, 0, cpu_seconds(roots)
    while quiet < QUIET_LOOKS:
        if time.monotonic() > deadline:
            raise RuntimeError(f"Not idle after {SETTLE_SECONDS} s: {last}")
        time.sleep(1)
        now = cpu_seconds(roots)
        quiet = quiet + 1 if sum(now.values()) - sum(last.values()) < IDLE_SHARE else 0
        last = now


def peers() -> list[Peer]:
    """Return each peer with a strict durability setting, and with one that may lose the last writes in a crash."""
    strict = [_celery("always"), _celery_rows("always", "on"), _dbos("on"), _procrastinate("on")]
    return [*strict, _celery("everysec"), _celery_rows("everysec", "off"), _dbos("off"), _procrastinate("off")]


def _celery(fsync: str) -> Peer:
    return Peer("Celery", f"appendfsync {fsync}", _redis(fsync), *_celery_commands("celery_app"))


def _celery_rows(fsync: str, synchronous: str) -> Peer:
    kept = f"appendfsync {fsync}, synchronous_commit {synchronous}"
    stores = {**_redis(fsync), **_postgres(synchronous)}
    return Peer("Celery with PostgreSQL", kept, stores, *_celery_commands("celery_rows"))


def _dbos(synchronous: str) -> Peer:
    kept = f"synchronous_commit {synchronous}"
    return Peer("DBOS", kept, _postgres(synchronous), *_commands("dbos_app"))


def _procrastinate(synchronous: str) -> Peer:
    kept = f"synchronous_commit {synchronous}"
    return Peer("procrastinate", kept, _postgres(synchronous), *_commands("procrastinate_app"))


def _redis(fsync: str) -> Stores:
    return {"REDIS_URL": partial(servers.redis, fsync=fsync)}


def _postgres(synchronous: str) -> Stores:
    return {"POSTGRES_URL": partial(servers.postgres, synchronous=synchronous)}


def _celery_commands(program: str) -> tuple[list[str], list[list[str]]]:
    module = f"{PROGRAMS}.{program}"
    worker = ["-m", "celery", "-A", module, "worker", "-l", "WARNING", *CELERY_OPTIONS]
    return ["-m", module], [[*worker, "-n", f"worker{number}@%h"] for number in range(WORKERS)]


def _commands(program: str) -> tuple[list[str], list[list[str]]]:
    module = f"{PROGRAMS}.{program}"
    return ["-m", module, "launch"], [["-m", module, "worker", str(number)] for number in range(WORKERS)]
