"""What a cold start costs: CPU from an empty interpreter to the first record, of the built zip, without the network."""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from infra.build import build, declared_functions
from infra.local.lambda_runtime import REGION
from infra.local.resources import load_template
from infra.packaging import bundle
from infra.packaging.target import THIS_MACHINE

#: CPU until a worker looks at its first record, on a machine that imports boto3 in BOTO3_SECONDS.
BUDGET_SECONDS = 0.35
#: The yardstick: machines differ, and what else they do.
BOTO3_SECONDS = 0.127
TRIES = 5
#: Runs in the child: the handler's module as Lambda imports it, its ports and, behind them, its clients.
_CHILD = """
import importlib, sys
module, _, name = sys.argv[1].rpartition(".")
handler = getattr(importlib.import_module(module), name)
import chalicelib.wiring as wiring
wiring.ports()
for service in sys.argv[2:]:
    wiring.client_for(service)
"""
#: The clients that a function's first record asks for; all others stay unbuilt.
CLIENTS = {"api_handler": ("secretsmanager", "dynamodb"), "revive_steps": ("sqs",), "revive_jobs": ("sqs",)}
EVERY_WORKER = ("dynamodb", "sqs")


@dataclass(frozen=True, slots=True)
class Start:
    """CPU seconds: of importing boto3, until the handler looks at its first record, until it can call AWS."""

    boto3: float
    ready: float
    with_clients: float

    @property
    def by_the_yardstick(self) -> float:
        """`ready` on a machine that imports boto3 in BOTO3_SECONDS."""
        return self.ready * BOTO3_SECONDS / self.boto3


def handlers() -> dict[str, str]:
    """Name → what Lambda imports."""
    from app import app  # noqa: PLC0415 - the whole application, which the measured children must not inherit

    sources = {source.name: source.handler_string for source in app.event_sources}
    return {name: sources.get(name, "app.app") for name in declared_functions()}


def measure(content: Path, handler: str, clients: tuple[str, ...], tries: int = TRIES) -> Start:
    """The best of some tries, in turns: a machine that others use changes from minute to minute."""
    programs = (("import boto3",), (_CHILD, handler), (_CHILD, handler, *clients))
    taken = [[_cpu(content, *program) for program in programs] for _ in range(tries)]
    return Start(*map(min, zip(*taken, strict=True)))


def _cpu(content: Path, program: str, *arguments: str) -> float:
    declared = load_template()["Globals"]["Function"]["Environment"]["Variables"]
    variables = {name: value if isinstance(value, str) else "x" for name, value in declared.items()}
    credentials = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "x")
    python = {"PYTHONPATH": str(content), "PYTHONDONTWRITEBYTECODE": "1", "PATH": os.environ["PATH"]}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(  # noqa: S603 - our own arguments
        [sys.executable, "-c", program, *arguments],
        cwd=content,
        env={**variables, **credentials, **python, "AWS_DEFAULT_REGION": REGION, "STAGE": "prod"},
        check=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime)


def main() -> int:
    parser = argparse.ArgumentParser(prog="make coldstart", description=__doc__)
    parser.add_argument("--tries", type=int, default=TRIES)
    tries = parser.parse_args().tries
    slow = []
    with tempfile.TemporaryDirectory() as folder:
        build("dev", THIS_MACHINE, Path(folder), is_linted=False)
        content = Path(folder) / "content"
        bundle.unpack(Path(folder) / "dev" / "deployment.zip", content)
        for name, handler in handlers().items():
            start = measure(content, handler, CLIENTS.get(name, EVERY_WORKER), tries)
            here = f"{1000 * start.ready:4.0f} ms, with clients {1000 * start.with_clients:4.0f} ms"
            print(f"{name:<16} CPU here {here}; by the yardstick {1000 * start.by_the_yardstick:4.0f} ms")
            if name != "api_handler" and start.by_the_yardstick > BUDGET_SECONDS:
                slow.append(name)
    print(f"A worker may take {1000 * BUDGET_SECONDS:.0f} ms where boto3 takes {1000 * BOTO3_SECONDS:.0f} ms.")
    return len(slow)


if __name__ == "__main__":
    sys.exit(main())
