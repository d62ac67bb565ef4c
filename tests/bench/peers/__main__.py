"""`python -m tests.bench.peers` runs one campaign on Carillon and its peers and prints CPU seconds in two tables."""

import argparse
import json
import os
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.bench.machine import describe_machine
from tests.bench.peers import servers, table
from tests.bench.peers.carillon import Alone, Carillon
from tests.bench.peers.contestants import Load, Peer, peers
from tests.bench.peers.environment import REQUIREMENTS, python

Contestant = Carillon | Peer | Alone
#: Exit code when a server must be installed first.
REFUSED = 2


def read_options(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.peers", description="Carillon beside its peers.")
    parser.add_argument("--contacts", type=int, default=1_000, help="of the campaign, 1 to 10,000")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each contestant")
    parser.add_argument("--wait", type=float, default=20.0, help="real seconds that the wait of two days takes")
    parser.add_argument("--only", default="", help="some names or beginnings of names, by commas")
    parser.add_argument("--port", type=int, help="port of the stores and the stack (default: a free one)")
    parser.add_argument("--json", type=Path, help="file for all figures")
    given = parser.parse_args(arguments)
    if not (1 <= given.contacts <= 10_000 and given.rounds >= 1 and given.wait > 0):
        parser.error("--contacts must be between 1 and 10,000, --rounds at least 1, --wait above 0")
    return given


def main() -> int:
    options = read_options()
    try:
        servers.check()
    except servers.Missing as missing:
        print(missing, file=sys.stderr)
        return REFUSED
    # Ending as after Ctrl-C also ends the servers of this run.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    python()
    # Log lines of this process would hide the table.
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    os.environ.setdefault("POWERTOOLS_METRICS_DISABLED", "true")
    contestants = _choose(options.only)
    rounds = [_run_all(contestants, options, number) for number in range(1, options.rounds + 1)]
    measured = _summarise(rounds, options)
    print(table.show(measured))
    if options.json:
        options.json.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
    return 0


def _choose(names: str) -> list[Contestant]:
    wanted = tuple(names.casefold().split(","))
    every = [Carillon(), *peers(), Alone()]
    return [each for each in every if each.name.casefold().startswith(wanted)]


def _run_all(
    contestants: Sequence[Contestant], options: argparse.Namespace, number: int
) -> dict[str, Mapping[str, float]]:
    """Run the contestants one after the other, so that other load on the machine affects all alike."""
    found: dict[str, Mapping[str, float]] = {}
    for each in contestants:
        load = Load(options.contacts, options.wait, options.port or _free_port())
        found[_title(each)] = each.run(load).check(options.contacts).cpu
        used = ", ".join(f"{name} {seconds:.2f}" for name, seconds in found[_title(each)].items())
        print(f"… round {number}, {_title(each)}: CPU seconds {used}", file=sys.stderr, flush=True)
    return found


def _title(contestant: Contestant) -> str:
    return f"{contestant.name}, {contestant.durability}"


def _summarise(rounds: Sequence[Mapping[str, Mapping[str, float]]], options: argparse.Namespace) -> dict[str, Any]:
    summary = table.summarise(rounds, options.contacts)
    ours, alone = _title(Carillon()), _title(Alone())
    return {
        "machine": {**describe_machine(), "peers": REQUIREMENTS.read_text(encoding="utf-8").split("\n")[1:-1]},
        "contacts": options.contacts,
        "wait_seconds": options.wait,
        "rounds": rounds,
        "summary": summary,
        "ratios": table.ratios(summary, ours, [name for name in summary if name not in {ours, alone}]),
    }


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
