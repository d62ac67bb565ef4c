"""`make deploy-local`: deploy the package of `make build` with CloudFormation to an emulator that runs its Lambdas."""

import argparse
import json
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from infra.build import build
from infra.deploy import Deployment, read_built
from infra.local.emulator import Emulator
from infra.local.lambda_runtime import REGION
from infra.packaging.target import THIS_MACHINE, Unbuildable

STAGE = "dev"


@dataclass(slots=True)
class Deployed:
    """A stack in an emulator: its API, its first key and the outputs of the template."""

    emulator: Emulator
    deployment: Deployment
    output: Path
    outputs: Mapping[str, str]

    @property
    def api(self) -> str:
        return self.emulator.api_url(self.outputs["EndpointURL"])

    @property
    def key(self) -> str:
        """First API key, read from Secrets Manager as an operator does."""
        secret = self.emulator.client("secretsmanager").get_secret_value(SecretId=self.outputs["FirstKeyArn"])
        return str(json.loads(secret["SecretString"])["key"])

    def functions(self) -> dict[str, str]:
        """Return the names of the functions by logical id."""
        found = self.deployment.stack.physical_ids(frozenset({"AWS::Lambda::Function"}))
        return {logical_id: name for logical_id, (_, name) in found.items()}


@contextmanager
def deployed(folder: Path, port: int, say: Callable[[str], None] = print, speed: float = 1.0) -> Iterator[Deployed]:
    """Build for this machine and deploy to a new emulator that checks IAM. The emulator stops on exit.

    `speed` is a factor of the engine's clock: 60 turns an hour of waiting into a minute.
    """
    build(STAGE, THIS_MACHINE, folder / "build", is_linted=False)
    if speed != 1.0:
        _speed_up(folder / "build" / STAGE / "template.json", speed)
    with Emulator(port, folder) as emulator:
        deployment = Deployment(emulator.client, STAGE, REGION, lambda _: True, say, pause=0.2)
        outputs = deployment.deploy(read_built(STAGE, folder / "build", THIS_MACHINE.name), {})
        emulator.translate_policies(deployment.stack.name)
        yield Deployed(emulator, deployment, folder / "build", outputs)


def _speed_up(template: Path, speed: float) -> None:
    content, now = json.loads(template.read_text()), str(time.time())
    clock = {"CLOCK_SPEED": str(speed), "CLOCK_REAL_ANCHOR": now, "CLOCK_VIRTUAL_ANCHOR": now}
    for resource in content["Resources"].values():
        if resource["Type"] == "AWS::Lambda::Function":
            resource["Properties"]["Environment"]["Variables"] |= clock
    template.write_text(json.dumps(content))


def main() -> int:
    parser = argparse.ArgumentParser(prog="make deploy-local", description=__doc__)
    parser.add_argument("--port", type=int, default=4566)
    port = parser.parse_args().port
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with tempfile.TemporaryDirectory(prefix="carillon-deployed-") as folder:
        try:
            with deployed(Path(folder), port) as running:
                print(f"\nHere       URL={running.api}\n           KEY={running.key}")
                print(
                    f"           AWS_ENDPOINT_URL={running.emulator.url} shows its tables and queues. Ctrl-C ends it."
                )
                stop.wait()
        except Unbuildable as error:
            print(error, file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
