"""The parts of Lambda around a handler: import by name, context, and time limit from `.chalice/config.json`."""

import importlib
import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

#: Time limit of a function without a configured one, in s.
DEFAULT_TIMEOUT = 30
REGION = "eu-west-1"
ACCOUNT = "000000000000"

Handler = Callable[[dict[str, Any], "Context"], Any]


@dataclass(frozen=True, slots=True)
class Context:
    """The attributes of Lambda's context object that Python functions use."""

    function_name: str
    timeout: float
    memory_limit_in_mb: int = 512
    function_version: str = "$LATEST"
    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    began: float = field(default_factory=time.monotonic)

    @property
    def invoked_function_arn(self) -> str:
        return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{self.function_name}"

    @property
    def log_group_name(self) -> str:
        return f"/aws/lambda/{self.function_name}"

    @property
    def log_stream_name(self) -> str:
        return "local"

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int(1000 * (self.timeout - (time.monotonic() - self.began))))


def load_handler(entry: str) -> Handler:
    """Import a handler such as `chalicelib.workers.steps.run_steps`. As in Lambda, `app.py` is not imported."""
    module, _, name = entry.rpartition(".")
    handler: Handler = getattr(importlib.import_module(module), name)
    return handler


def read_timeouts(root: Path, stage: str) -> Callable[[str], int]:
    """Return a lookup of time limits in s by function name. An unknown stage uses the first configured one."""
    path = root / ".chalice" / "config.json"
    config: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    stages: dict[str, Any] = config.get("stages", {})
    chosen: dict[str, Any] = stages.get(stage) or next(iter(stages.values()), {})

    def timeout(function: str) -> int:
        own = (level.get("lambda_functions", {}).get(function, {}) for level in (chosen, config))
        found = (level["lambda_timeout"] for level in (*own, chosen, config) if "lambda_timeout" in level)
        return int(next(found, DEFAULT_TIMEOUT))

    return timeout
