"""Runs the local stack in the foreground: starts, restarts and stops its processes in order."""

import os
import signal
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from infra.local import banner
from infra.local.children import Child, Lifeline, log
from infra.local.data import Data, Refused, listen
from infra.local.lambda_runtime import REGION
from infra.local.paths import HEALTH, RELEASE, SAVE
from infra.local.virtual_time import BEAT_SECONDS, continue_from, describe

#: Limit for the first response of a process, in s.
START_SECONDS = 60.0
#: Limit for workers to finish their batches, and for AWS to save, in s. Longer than the longest function.
END_SECONDS = 45.0


@dataclass(frozen=True, slots=True)
class Options:
    port: int
    data: Path
    speed: float
    sample: bool
    workers: int


class Supervisor:
    """One run of the stack."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._data = Data(options.data)
        self._api_socket = listen(options.port, "choose another one with PORT=….")
        self._aws_socket = self._data.socket_of("aws")
        self._providers_socket = self._data.socket_of("providers")
        self._url = f"http://127.0.0.1:{self._api_socket.getsockname()[1]}"
        self._aws_url = f"http://127.0.0.1:{self._aws_socket.getsockname()[1]}"
        self._providers = f"127.0.0.1:{self._providers_socket.getsockname()[1]}"
        self._clock = continue_from(self._data.read_json("clock.json"), options.speed, time.time())
        self._note_clock(clean=False)
        self._lifeline = Lifeline(self._data.lock)
        self._stop = threading.Event()
        self._writing = threading.Lock()
        self._environment = self._base_environment()
        self._aws = self._child("aws", "infra.local.aws", listener=self._aws_socket)
        self._aws.environment = self._aws_environment()
        self._aws.before_restart = lambda: log("aws", "restarts from its last save, at most 30 s old")
        self._others: list[Child] = []

    def run(self) -> int:
        """Run until SIGINT, SIGTERM or SIGHUP; return 0 after a clean end. Raises Refused if the start fails."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)
        try:
            if self._start():
                self._wait()
        finally:
            self._end()
        return 0

    def _start(self) -> bool:
        """Start all processes; return False if a signal arrives before they are up."""
        began = time.monotonic()
        self._aws.start()
        self._await(self._aws_url + "/_ministack/health", "AWS", [self._aws])
        self._run_once("prepare", "infra.local.prepare", str(self._data.root))
        self._environment |= self._data.read_json("environment.json") or {}
        if not self._data.key.exists():
            sample = [] if self._options.sample else ["--no-sample"]
            self._run_once("sample", "infra.local.sample", "--data", str(self._data.root), *sample)
        _post(self._aws_url + SAVE, START_SECONDS)
        # Set after the resources exist: their topics are in the local AWS, but pushes go to the local providers.
        self._environment["AWS_ENDPOINT_URL_SNS"] = f"http://{self._providers}"
        workers = [self._child(f"worker-{n + 1}", "infra.local.runner", str(n)) for n in range(self._options.workers)]
        api = self._child("api", "infra.local.http", listener=self._api_socket)
        providers = self._child("providers", "infra.local.providers", listener=self._providers_socket)
        self._others = [providers, api, *workers, self._child("clock", "infra.local.clock")]
        for child in self._others:
            child.start()
        self._await(self._url + HEALTH, "The API", self._others)
        if self._stop.is_set():
            return False
        log("stack", f"up in {time.monotonic() - began:.1f} s")
        banner.show(self._url, self._data)
        return True

    def _wait(self) -> None:
        if self._options.speed == 1:
            self._stop.wait()
        while not self._stop.wait(BEAT_SECONDS):
            self._note_clock(clean=False)

    def _end(self) -> None:
        """Stop the workers after their batches; then stop AWS, which saves its state."""
        log("stack", "ending")
        for child in self._others:
            child.signal_end()
        deadline = time.monotonic() + END_SECONDS
        while any(child.pid for child in self._others) and time.monotonic() < deadline:
            if self._aws.pid is None:
                break
            # Repeated, because a worker may start another long poll before it sees the signal.
            _post(self._aws_url + RELEASE, 2.0)
            time.sleep(0.1)
        for child in self._others:
            child.wait_for_end(max(1.0, deadline - time.monotonic()))
        self._aws.signal_end()
        self._aws.wait_for_end(END_SECONDS)
        self._note_clock(clean=True)
        self._write_pids()
        self._data.close()
        log("stack", "ended")

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._stop.set()

    def _base_environment(self) -> dict[str, str]:
        """Return the environment of all children, without the AWS settings of the user."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return {
            **inherited,
            "AWS_ENDPOINT_URL": self._aws_url,
            "AWS_ENDPOINT_URL_PINPOINT_SMS_VOICE_V2": f"http://{self._providers}",
            "AWS_ENDPOINT_URL_SOCIALMESSAGING": f"http://{self._providers}",
            "TWILIO_URL": f"http://{self._providers}",
            "META_URL": f"http://{self._providers}",
            "WEBHOOK_ALLOWED": ",".join(filter(None, (self._providers, os.environ.get("WEBHOOK_ALLOWED")))),
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            **dict.fromkeys(("NO_PROXY", "no_proxy"), "127.0.0.1,localhost"),
            "PYTHONUNBUFFERED": "1",
            "PUBLIC_URL": self._url,
            "OUTBOX_DIR": str(self._data.outbox),
            "STAGE": "local",
            "LOCAL_DATA": str(self._data.root),
            **self._clock.environment(),
        }

    def _aws_environment(self) -> dict[str, str]:
        return {
            **self._environment,
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(self._aws_socket.getsockname()[1]),
            "MINISTACK_REGION": REGION,
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "PERSIST_STATE": "1",
            "STATE_DIR": str(self._data.aws_state),
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(self._data.aws_objects),
            "TMPDIR": str(self._data.aws_scratch),
            "LOG_LEVEL": "WARNING",
        }

    def _child(self, name: str, module: str, *arguments: str, listener: Any = None) -> Child:
        return Child(name, [module, *arguments], self._environment, self._lifeline, self._write_pids, listener)

    def _run_once(self, name: str, module: str, *arguments: str) -> None:
        child = self._child(name, module, *arguments)
        if child.run_once() != 0 and not self._stop.is_set():
            raise Refused(f"The stack cannot start: {name} failed ({child.last_line or 'see above'}).")

    def _await(self, url: str, name: str, needed: Iterable[Child]) -> None:
        """Wait until the URL answers 200."""
        deadline = time.monotonic() + START_SECONDS
        while not _answers(url) and not self._stop.wait(0.05):
            for child in needed:
                if child.pid is None:
                    raise Refused(f"The stack cannot start: {child.name} failed ({child.last_line or 'see above'}).")
            if time.monotonic() > deadline:
                raise Refused(f"{name} did not answer within {START_SECONDS:.0f} s.")

    def _write_pids(self) -> None:
        with self._writing:
            pids: dict[str, object] = {"supervisor": os.getpid(), "aws": self._aws.pid}
            named = {child.name: child.pid for child in self._others}
            pids |= {name: named.get(name) for name in ("providers", "api", "clock")}
            pids["workers"] = [pid for name, pid in named.items() if name.startswith("worker-")]
            self._data.write_json("pids.json", pids)

    def _note_clock(self, *, clean: bool) -> None:
        self._data.write_json("clock.json", describe(self._clock, time.time(), clean))


#: Without a proxy, since these are processes of this machine.
_open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open


def _answers(url: str) -> bool:
    try:
        with _open(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def _post(url: str, seconds: float) -> None:
    request = urllib.request.Request(url, method="POST", data=b"")  # noqa: S310  An internal URL.
    try:
        _open(request, timeout=seconds).close()
    except (OSError, urllib.error.URLError):
        return
