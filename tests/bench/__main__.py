"""`python -m tests.bench`: measures what is asked for, prints a table and, on demand, writes it as JSON."""

import argparse
import json
import os
import shutil
import socket
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.bench import calls, cpu, report
from tests.bench.load import measure_flow, measure_import
from tests.bench.machine import describe_machine
from tests.bench.stack import running

PARTS = ("import", "flow", "calls", "cpu")


def read_options(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measure what Carillon costs.")
    parser.add_argument("--contacts", type=int, default=10_000, help="rows to import and contacts of the flow")
    parser.add_argument("--only", default=",".join(PARTS), help="some of import,flow,calls,cpu; flow needs an import")
    parser.add_argument("--json", type=Path, help="a file for all figures")
    parser.add_argument("--keep", action="store_true", help="leave the stack's data and log where they are")
    given = parser.parse_args(arguments)
    given.only = given.only.split(",")
    if unknown := set(given.only) - set(PARTS):
        parser.error(f"--only knows {', '.join(PARTS)}, not {', '.join(sorted(unknown))}")
    if not 1 <= given.contacts <= 10_000:
        parser.error("--contacts must be between 1 and 10,000, which is what one call takes")
    return given


def main() -> int:
    options = read_options()
    measured: dict[str, Any] = {"machine": describe_machine()}
    if {"import", "flow"} & set(options.only):
        measured |= _measure_stack(options)
    # In this process, unlike in the stack, a line for each batch would hide the table.
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    if "calls" in options.only:
        _say("metering the calls of whole flows in process")
        measured["calls"] = calls.measure()
    if "cpu" in options.only:
        _say("timing steps in memory")
        measured["cpu"] = cpu.measure()
    print(report.show(measured))
    if options.json:
        options.json.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
    return 0


def _measure_stack(options: argparse.Namespace) -> dict[str, Any]:
    """The import is measured whenever it is needed; the flow on what it brought in."""
    folder = Path(tempfile.mkdtemp(prefix="carillon-bench-"))
    measured: dict[str, Any] = {}
    try:
        with running(folder, _free_port()) as stack:
            _say(f"importing {options.contacts:,} rows")
            measured["import"] = measure_import(stack, options.contacts)
            if "flow" in options.only:
                _say(f"sending to {options.contacts:,} contacts")
                measured["flow"] = measure_flow(stack, options.contacts)
    finally:
        if options.keep:
            _say(f"kept {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    return measured


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _say(line: str) -> None:
    print(f"… {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
