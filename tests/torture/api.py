"""Lets schemathesis play with the API of a fresh local stack, all checks and links, until enough was asked.

`python -m tests.torture.api --requests 20000`; prints the figures, exits 1 when anything was found.
"""

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from infra.openapi import FILE
from tests.e2e.stack import ROOT, Stack

#: A round is every operation once more with another seed; rounds are played until there were enough requests.
MOST_ROUNDS = 20
HERE = Path(__file__).parent


def play(stack: Stack, folder: Path, seed: int, given: argparse.Namespace) -> tuple[int, Counter[str]]:
    """One round: schemathesis' exit code, and what its hooks have counted."""
    figures = folder / "figures.json"
    command = [
        sys.executable, "-m", "schemathesis.cli", "--config-file", str(HERE / "schemathesis.toml"), "run", str(FILE),
        "--url", stack.url, "--header", f"Authorization: Bearer {stack.key()}", "--checks", "all",
        "--phases", "examples,coverage,fuzzing,stateful", "--max-examples", str(given.examples), "--seed", str(seed),
        "--continue-on-failure", "--generation-database", "none", "--no-color", "--warnings", "off",
        "--suppress-health-check", "all",
    ]  # fmt: skip
    added = {"SCHEMATHESIS_HOOKS": "tests.torture.schemathesis_hooks", "API_FIGURES": str(figures)}
    environment = {**os.environ, **added, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=folder, env=environment, check=False)
    return done.returncode, Counter(json.loads(figures.read_text(encoding="utf-8")))


def count(rounds: int, found: int, total: Counter[str]) -> dict[str, int]:
    """Return the counts of requests and responses; kinds that did not occur are 0."""
    return {"rounds": rounds, "rounds with findings": found, "requests": 0, "5xx": 0, **dict(sorted(total.items()))}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.torture.api", description=__doc__)
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--examples", type=int, default=100, help="of the fuzzer, for each operation and round")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--json", type=Path, default=None, help="where the figures go")
    given = parser.parse_args()
    began, total, found, rounds = time.monotonic(), Counter[str](), 0, 0
    with tempfile.TemporaryDirectory(prefix="carillon-api-") as folder:
        # The limit of calls by one key is for others to test.
        environment = {"CALLS_A_MINUTE": "1000000"}
        stack = Stack(Path(folder) / "data", "--workers", "1", environment=environment).wait_until_up()
        try:
            while total["requests"] < given.requests and rounds < MOST_ROUNDS:
                code, counts = play(stack, Path(folder), given.seed + rounds, given)
                total, found, rounds = total + counts, found + (code != 0), rounds + 1
        finally:
            stack.end()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    figures = {
        "seed": given.seed,
        **count(rounds, found, total),
        "seconds": round(time.monotonic() - began),
        "CPU seconds, stack included": round(used.ru_utime + used.ru_stime),
    }
    for name, figure in figures.items():
        print(f"{name:<28}{figure:>8}")
    if given.json:
        given.json.write_text(json.dumps(figures), encoding="utf-8")
    return 0 if not found and not total["5xx"] and total["requests"] >= given.requests else 1


if __name__ == "__main__":
    sys.exit(main())
