"""The local stack as a user starts it, in its own directory, and the resource usage of its processes."""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3

from infra.local.lambda_runtime import REGION
from infra.local.resources import physical_name
from tests.bench.machine import Usage, read_usage

ROOT = Path(__file__).parents[2]
STARTED = "Ctrl-C ends it"
START_SECONDS, END_SECONDS = 90, 60
WORKERS = 2
#: Seconds between two polls; each poll costs the API a few reads.
PAUSE = 1.0


class Stack:
    """A running stack and a client with its admin key."""

    def __init__(self, data: Path, port: int, workers: int, speed: float = 1) -> None:
        self.data, self.url = data, f"http://127.0.0.1:{port}"
        self.log = data.parent / "log"
        command = [sys.executable, "-m", "infra.local", "--port", str(port), "--data", str(data)]
        with self.log.open("w", encoding="utf-8") as log:
            options = ["--sample", "0", "--workers", str(workers), "--speed", str(speed)]
            self._process = subprocess.Popen([*command, *options], cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)

    def wait_until_up(self) -> None:
        """Wait until the stack is up. Raise RuntimeError with the end of the log when it does not start."""
        deadline = time.monotonic() + START_SECONDS
        while STARTED not in self.log.read_text(encoding="utf-8"):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("The stack did not start: " + self.log.read_text(encoding="utf-8")[-2_000:])
            time.sleep(0.1)

    def end(self) -> None:
        """End the stack as Ctrl-C does."""
        self._process.terminate()
        self._process.wait(END_SECONDS)

    def call(self, method: str, path: str, body: object = None) -> Any:
        """Call the API and return the JSON. Raise RuntimeError with the response when it is an error."""
        headers = {"Authorization": f"Bearer {self._key()}", "Content-Type": "application/json"}
        content = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, method=method, data=content, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                raise RuntimeError(f"{method} {path}: {error.code} {error.read(2_000).decode()}") from error

    def post(self, path: str, body: object) -> Any:
        return self.call("POST", path, body)["data"]

    def get(self, path: str) -> Any:
        return self.call("GET", path)["data"]

    def add_channel(self, kind: str, content: Mapping[str, str], **settings: str) -> tuple[str, str]:
        """Create a channel of this type and a published template for it."""
        channel = self.post("/v1/channels", {"name": "Bench", "type": kind, "settings": settings})["uid"]
        template = self.post("/v1/templates", {"name": "Hello", "channelType": kind, "content": content})["uid"]
        self.post(f"/v1/templates/{template}/publish", {})
        return channel, template

    def pages(self, path: str) -> Iterator[Any]:
        """Yield every object of a list, in pages of the largest size."""
        cursor = ""
        while True:
            page = self.call("GET", f"{path}?limit=100{cursor}")
            yield from page["data"]
            if not page["nextCursor"]:
                return
            cursor = f"&cursor={page['nextCursor']}"

    def wait_for(self, path: str, done: Callable[[Mapping[str, Any]], bool], seconds: float) -> Mapping[str, Any]:
        """Poll the path until it is done, and return its data. Raise TimeoutError."""
        deadline = time.monotonic() + seconds
        while not done(shown := self.get(path)):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{path} is not done after {seconds:.0f} s: {shown}")
            time.sleep(PAUSE)
        return dict(shown)

    def verify_sender(self, domain: str) -> None:
        """Verify a sender domain, because the local SES rejects unknown senders too."""
        self._aws("sesv2").create_email_identity(EmailIdentity=domain)

    def count_rows(self) -> Counter[str]:
        """Count all executions by status with a table scan, a hundred times faster than through the API."""
        pages = self._aws("dynamodb").get_paginator("scan").paginate(TableName=physical_name("ExecutionsTable"))
        return Counter(item["status"]["S"] for page in pages for item in page["Items"])

    def _aws(self, service: str) -> Any:
        port = json.loads((self.data / "ports.json").read_text(encoding="utf-8"))["aws"]
        make: Any = boto3.client
        keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
        return make(service, endpoint_url=f"http://127.0.0.1:{port}", region_name=REGION, **keys)

    def pids(self) -> dict[str, int]:
        """Return the process ids of AWS, the API, the clock and the workers by name."""
        pids = json.loads((self.data / "pids.json").read_text(encoding="utf-8"))
        named = {"aws": pids["aws"], "api": pids["api"], "clock": pids["clock"]}
        return named | {f"worker-{number}": pid for number, pid in enumerate(pids["workers"], start=1)}

    def usage(self) -> dict[str, Usage]:
        """Return the usage by process; empty where the system does not report it."""
        return {name: usage for name, pid in self.pids().items() if (usage := read_usage(pid))}

    def mails(self) -> Counter[str]:
        """Return the number of files in the outbox by message."""
        found: Counter[str] = Counter()
        with os.scandir(self.data / "outbox") as entries:
            for entry in entries:
                if entry.name.endswith(".eml"):
                    found[_message_of(Path(entry.path))] += 1
        return found

    def _key(self) -> str:
        return (self.data / "key").read_text(encoding="utf-8").strip()


def _message_of(mail: Path) -> str:
    """Return the message uid of a mail; two files of one message are a duplicate."""
    with mail.open(encoding="utf-8", errors="replace") as lines:
        return next(
            (line.partition(":")[2].strip() for line in lines if line.startswith("X-Carillon-Message:")), mail.name
        )


@contextmanager
def running(folder: Path, port: int, workers: int = WORKERS, speed: float = 1) -> Iterator[Stack]:
    """Yield a running stack and end it afterwards. Its clock may run faster than real time."""
    stack = Stack(folder / "data", port, workers, speed)
    try:
        stack.wait_until_up()
        yield stack
    finally:
        stack.end()


@contextmanager
def measured(stack: Stack) -> Iterator[dict[str, Any]]:
    """Yield a dict that receives the duration, and the CPU seconds and peak memory by process."""
    figures: dict[str, Any] = {}
    before, began = stack.usage(), time.monotonic()
    yield figures
    figures["seconds"] = time.monotonic() - began
    after = stack.usage()
    figures["cpu_seconds"] = {name: after[name].cpu - before[name].cpu for name in after if name in before}
    figures["peak_mb"] = {name: usage.peak_mb for name, usage in after.items()}
