"""A local stack as a process, for end-to-end tests that start it, call it over HTTP, and kill or end it."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3

ROOT = Path(__file__).parents[2]
#: Speed of the clock of the shared stack.
SPEED = 4
STARTED = "Ctrl-C ends it"
MARK = b"X-Carillon-Message: "
OVER = {"completed", "partial_completed", "failed", "cancelled", "error"}


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def eventually(check: Callable[[], Any], seconds: float) -> Any:
    """Return the result of `check` once it is true. Polling is the only way to wait for another process."""
    deadline = time.monotonic() + seconds
    while not (found := check()):
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.02)
    return found


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A zombie process, whose parent was killed, has ended too.
    state = Path(f"/proc/{pid}/stat")
    return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"


class Stack:
    """A running stack with its data in one directory."""

    def __init__(
        self, data: Path, *options: str, port: int | None = None, environment: Mapping[str, str] | None = None
    ) -> None:
        self.data = data
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = data.with_suffix(".log")
        self.begun = len(self.read_log()) if self.log.exists() else 0
        command = [sys.executable, "-m", "infra.local", "--port", str(self.port), "--data", str(data), *options]
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT, env={**os.environ, **(environment or {})}
            )

    def wait_until_up(self) -> "Stack":
        # The file also has the log of an earlier start with the same data.
        eventually(lambda: STARTED in self.read_log()[self.begun :] or self.process.poll() is not None, 120)
        assert self.process.poll() is None, self.read_log()
        return self

    def read_log(self) -> str:
        return self.log.read_text()

    def pids(self) -> dict[str, Any]:
        return dict(json.loads((self.data / "pids.json").read_text()))

    def get(self, path: str, method: str = "GET") -> tuple[int, bytes]:
        request = urllib.request.Request(self.url + path, method=method)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    def is_up(self) -> bool:
        try:
            return self.get("/_local/health")[0] == 200
        except OSError:
            # The stack does not answer, or not in time.
            return False

    def aws(self, service: str) -> Any:
        port = json.loads((self.data / "ports.json").read_text())["aws"]
        make: Any = boto3.client
        keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
        return make(service, endpoint_url=f"http://127.0.0.1:{port}", region_name="eu-west-1", **keys)

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(100)

    def call(self, method: str, path: str, body: object = None, content_type: str = "application/json") -> Any:
        """Call the API with the key of this stack and return the answer. Any status but a success fails the test."""
        data = body.encode() if isinstance(body, str) else None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self.key()}", "Content-Type": content_type}
        request = urllib.request.Request(self.url + path, method=method, data=data, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                raise AssertionError(f"{method} {path}: {error.code} {error.read().decode()[:500]}") from error

    def key(self) -> str:
        return (self.data / "key").read_text().strip()

    def flow(self, uid: str) -> Any:
        return self.call("GET", f"/v1/flows/{uid}")["data"]

    def every(self, path: str) -> list[Any]:
        """Return the items of all pages of a list."""
        found: list[Any] = []
        joint, cursor = "&" if "?" in path else "?", ""
        while True:
            page = self.call("GET", f"{path}{joint}limit=100{cursor}")
            found += page["data"]
            if not page["nextCursor"]:
                return found
            cursor = f"&cursor={page['nextCursor']}"

    def accepted(self, flow: str) -> Counter[str]:
        """Count how often the provider accepted each message of a flow, by the ID in the mails of the outbox."""
        found: Counter[str] = Counter()
        for path in (self.data / "outbox").glob("2*.eml"):
            mark = next(line for line in path.read_bytes().split(b"\r\n") if line.startswith(MARK))
            uid = mark.removeprefix(MARK).decode()
            if uid.split(".")[1] == flow:
                found[uid] += 1
        return found

    def import_contacts(self, csv: str) -> Any:
        task = self.call("POST", "/v1/contacts/import", csv, "text/csv")["data"]["uid"]
        return eventually(
            lambda: (found := self.call("GET", f"/v1/imports/{task}")["data"])["status"] == "completed" and found, 60
        )

    def make_email_campaign(
        self, audience: Mapping[str, object] | None = None, configuration: Mapping[str, int] | None = None
    ) -> tuple[str, str]:
        """Create a channel with an unverified sender and a campaign of one mail. Return (channel, campaign)."""
        tag = uuid4().hex[:8]
        settings = {"fromEmail": f"news@{tag}.example"}
        channel = self.call("POST", "/v1/channels", {"name": tag, "type": "email", "settings": settings})["data"]["uid"]
        content = {"subject": "Hi {{ first_name }}", "text": "Hello {{ first_name }}"}
        made = {"name": tag, "channelType": "email", "content": content}
        template = self.call("POST", "/v1/templates", made)["data"]["uid"]
        self.call("POST", f"/v1/templates/{template}/publish", {})
        request: dict[str, object] = {"name": tag, "channelUid": channel, "templateUid": template}
        request |= {"audience": audience} if audience else {}
        request |= {"configuration": configuration} if configuration else {}
        return channel, self.call("POST", "/v1/campaigns", request)["data"]["uid"]

    def start_flow(self, contacts: Sequence[str], configuration: Mapping[str, int] | None = None) -> str:
        channel, campaign = self.make_email_campaign()
        request = {"channelUid": channel, "campaignUid": campaign, "contactUids": list(contacts)}
        return str(self.call("POST", "/flows", {**request, "configuration": configuration or {}})["data"]["uid"])

    def get_with_key(self, path: str) -> bytes:
        request = urllib.request.Request(self.url + path, headers={"Authorization": f"Bearer {self.key()}"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return bytes(answer.read())

    def make_contacts(self, tag: str, count: int) -> list[str]:
        rows = [f"{tag}-{n},{tag}-{n}@example.com,Name{n}" for n in range(count)]
        self.import_contacts("\n".join(["externalId,email,firstName", *rows, ""]))
        found = [each["uid"] for each in self.every("/v1/contacts") if str(each["externalId"]).startswith(f"{tag}-")]
        assert len(found) == count
        return found

    def await_end(self, flow: str, seconds: float) -> Any:
        return eventually(lambda: (found := self.flow(flow))["status"] in OVER and found, seconds)


def check_accounts(stack: Stack, flow: str, contacts: Sequence[str], unknown_at_most: int = 0) -> Counter[str]:
    """Check that every contact has one execution and at most one mail, and that the statistics match the executions."""
    shown = stack.flow(flow)["stats"]
    rows = stack.every(f"/v1/flows/{flow}/executions")
    messages = Counter(each["status"] for each in stack.every(f"/v1/messages?flowUid={flow}"))
    accepted = stack.accepted(flow)
    assert sorted(row["contactUid"] for row in rows) == sorted(contacts)
    assert Counter(row["status"] for row in rows) == {"completed": len(contacts)}
    assert [uid for uid, times in accepted.items() if times > 1] == []
    assert (shown["total"], shown["completed"]) == (len(contacts), len(contacts))
    assert (shown["pending"], shown["processing"], shown["failed"], shown["skipped"]) == (0, 0, 0, 0)
    assert (shown["sent"], shown["unknown"]) == (messages["sent"], messages["unknown"])
    assert shown["sent"] + shown["unknown"] == len(contacts)
    assert shown["unknown"] <= unknown_at_most
    # A sent message has a mail; an unknown message may have one.
    assert shown["sent"] <= len(accepted) <= len(contacts)
    return accepted
