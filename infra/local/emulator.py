"""A separate ministack process that runs Lambdas, to try the built package (`make deploy-local`)."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import boto3
from botocore.config import Config

from infra.local.lambda_runtime import ACCOUNT, REGION

START_SECONDS = 60.0
#: ministack reads a 12-digit access key as the root user of that account.
ROOT = {"aws_access_key_id": ACCOUNT, "aws_secret_access_key": "test"}

#: IAM action → the statement that the emulator checks instead. The emulator does not read the table of a PartiQL
#: statement, so the resource is any table.
RENAMED = {
    "dynamodb:PartiQLInsert": {"Action": "dynamodb:BatchExecuteStatement", "Resource": "*"},
    "dynamodb:PartiQLUpdate": {"Action": "dynamodb:BatchExecuteStatement", "Resource": "*"},
    "sqs:SendMessage": {"Action": "sqs:SendMessageBatch"},
}


class Emulator:
    """A separate AWS on a port. With `is_strict` it checks every call against IAM."""

    def __init__(self, port: int, folder: Path, is_strict: bool = True) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.log = folder / "emulator.log"
        self._port, self._folder, self._is_strict = port, folder, is_strict
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        # Lambdas inherit this environment. It contains only what is needed to find the interpreter.
        environment = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        environment |= {
            "GATEWAY_PORT": str(self._port),
            "AUTH": str(self._is_strict).lower(),
            "MINISTACK_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "MINISTACK_TEST_NO_AUTOSTART": "1",
            "TMPDIR": tempfile.mkdtemp(dir=self._folder),
        }
        command = [sys.executable, "-m", "uvicorn", "ministack.app:app", "--host", "127.0.0.1"]
        command += ["--port", str(self._port), "--log-level", "warning"]
        with self.log.open("wb") as log:
            # A separate process group, so that its Lambdas end with it.
            self._process = subprocess.Popen(  # noqa: S603 - our own arguments
                command, cwd=self._folder, env=environment, stdout=log, stderr=log, start_new_session=True
            )
        self._await()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is None:
            return
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(20)
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(20)

    def client(self, service: str) -> Any:
        """Return a client of the account's root user. Policies do not restrict it."""
        make: Callable[..., Any] = boto3.client
        config = Config(s3={"addressing_style": "path"})
        return make(service, endpoint_url=self.url, region_name=REGION, config=config, **ROOT)

    def api_url(self, endpoint: str) -> str:
        """Return the emulator's URL of `https://<id>.execute-api.<region>.amazonaws.com/<stage>`."""
        host, _, stage = endpoint.removeprefix("https://").rstrip("/").partition("/")
        return f"{self.url}/restapis/{host.partition('.')[0]}/{stage}/_user_request_"

    def translate_policies(self, stack: str) -> None:
        """Add the emulator's names of actions to the roles of a stack that allow the IAM actions."""
        iam = self.client("iam")
        for role in [role["RoleName"] for role in iam.list_roles()["Roles"] if role["RoleName"].startswith(stack)]:
            for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]:
                statements = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]["Statement"]
                added = [more for each in statements for more in _also(each)]
                if added:
                    document = json.dumps({"Version": "2012-10-17", "Statement": added})
                    iam.put_role_policy(RoleName=role, PolicyName="emulator", PolicyDocument=document)

    def _await(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process and self._process.poll() is None:
            with (
                # The emulator is still starting.
                suppress(OSError),
                urllib.request.urlopen(f"{self.url}/_ministack/health", timeout=5),  # noqa: S310 - our own http URL
            ):
                return
            time.sleep(0.1)
        raise RuntimeError(f"The emulator did not start: {self.log.read_text()[-2000:]}")


def _also(statement: dict[str, Any]) -> list[dict[str, Any]]:
    return [{**statement, **RENAMED[action]} for action in statement["Action"] if action in RENAMED]
