"""What a cold start costs: CPU from an empty interpreter to the first record, in the built zip, without the network."""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from infra.build import OUTPUT, build, declared_functions
from infra.packaging.config import CONFIG, read_config
from infra.packaging.target import THIS_MACHINE

#: Beside it a person notices, and a burst of a thousand workers pays for it.
BUDGET_SECONDS = 0.35
TRIES = 5
#: Runs in the child: the handler's module as Lambda imports it, the ports, and the clients that its first record needs.
_CHILD = """
import importlib, sys
module, _, name = sys.argv[1].rpartition(".")
handler = getattr(importlib.import_module(module), name)
import chalicelib.wiring as wiring
wiring.ports()
for service in sys.argv[2].split(","):
    wiring.client_for(service)
"""
#: The clients that a function's first record needs; all the others stay unbuilt.
CLIENTS = {"api_handler": "secretsmanager,dynamodb", "revive_steps": "sqs", "revive_jobs": "sqs"}
EVERY_WORKER = "dynamodb,sqs"


def handlers() -> dict[str, str]:
    """Name → what Lambda imports."""
    from app import app  # noqa: PLC0415 - the whole application, which the measured children must not inherit

    sources = {source.name: source.handler_string for source in app.event_sources}
    return {name: sources.get(name, "app.app") for name in declared_functions()}


def measure(content: Path, handler: str, clients: str, tries: int = TRIES) -> float:
    """CPU seconds, the best of some tries: what another process takes away is not ours."""
    return min(_once(content, handler, clients) for _ in range(tries))


def _once(content: Path, handler: str, clients: str) -> float:
    variables = ("CATALOG_TABLE", "CONTACTS_TABLE", "EXECUTIONS_TABLE", "TIMERS_TABLE", "STEP_QUEUE_URL")
    variables += ("JOB_QUEUE_URL", "FILES_BUCKET", "SIGNING_SECRET_ID")
    environment = {
        **dict.fromkeys(variables, "x"),
        **read_config(CONFIG)["stages"]["prod"]["environment_variables"],
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(content),
        "PYTHONDONTWRITEBYTECODE": "1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
    }
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-c", _CHILD, handler, clients]
    subprocess.run(command, cwd=content, env=environment, check=True)  # noqa: S603 - our own arguments
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime)


def measure_all(archive: Path, tries: int = TRIES) -> dict[str, float]:
    """Every function of the zip, in CPU seconds."""
    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(archive) as content:
            content.extractall(folder)
        found = handlers()
        return {name: measure(Path(folder), found[name], CLIENTS.get(name, EVERY_WORKER), tries) for name in found}


def main() -> int:
    parser = argparse.ArgumentParser(prog="make coldstart", description=__doc__)
    parser.add_argument("--tries", type=int, default=TRIES)
    options = parser.parse_args()
    manifest = OUTPUT / "coldstart" / "dev" / "manifest.json"
    build("dev", THIS_MACHINE, OUTPUT / "coldstart", is_linted=False)
    found = measure_all(manifest.parent / "deployment.zip", options.tries)
    for name, seconds in sorted(found.items(), key=lambda pair: -pair[1]):
        print(f"{name:<16} {1000 * seconds:4.0f} ms CPU")
    print(json.dumps({"budget_ms": 1000 * BUDGET_SECONDS, "worst_ms": round(1000 * max(found.values()))}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
