"""`python -m tests.bench` runs the chosen measurements, prints a table and, with --json, writes all figures as JSON."""

import argparse
import json
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from tests.bench import audience, calls, cpu, hostile, hot_keys, latency, report, scale
from tests.bench.load import measure_flow, measure_import, measure_steps
from tests.bench.machine import describe_machine
from tests.bench.stack import WORKERS, Stack, running

#: Part, its key in the figures, its progress text, and its function.
IN_PROCESS: tuple[tuple[str, str, str, Callable[[], Any]], ...] = (
    ("cpu", "cpu", "timing steps in memory", cpu.measure),
    ("audience", "audience_units", "metering an import, a preview and an expansion in process", audience.measure_units),
    ("hostile", "hostile", "sending hostile requests", hostile.measure),
    ("latency", "latency", "timing every API route", latency.measure),
    ("hot", "hot", "metering the load of keys", hot_keys.measure),
    ("scale", "scale", "launching, pausing, resuming, counting and cancelling large flows", scale.measure),
)
PARTS = ("import", "flow", "steps", "calls", "cpu", "audience", "hostile", "latency", "hot", "scale")
#: Contacts of the flow that measures steps per second.
STEPPING = 5_000


def read_options(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measure what Carillon costs.")
    parser.add_argument("--contacts", type=int, default=10_000, help="contacts to import and to send to")
    parser.add_argument("--only", default=",".join(PARTS), help=f"some of {','.join(PARTS)}; flow needs an import")
    sizes = ",".join(map(str, audience.SIZES))
    parser.add_argument("--audience", default=sizes, help="contacts of the audience, size by size")
    metered = ",".join(map(str, calls.SIZES))
    parser.add_argument("--metered", default=metered, help="contacts of the metered flows")
    parser.add_argument("--json", type=Path, help="file for all figures")
    parser.add_argument("--port", type=int, help="port of the stack (default: a free one)")
    parser.add_argument("--keep", action="store_true", help="keep the data and the log of the stack")
    given = parser.parse_args(arguments)
    given.only = given.only.split(",")
    given.audience = [int(size) for size in given.audience.split(",")]
    given.metered = [int(size) for size in given.metered.split(",")]
    if unknown := set(given.only) - set(PARTS):
        parser.error(f"--only knows {', '.join(PARTS)}, not {', '.join(sorted(unknown))}")
    if not 1 <= given.contacts <= 10_000:
        parser.error("--contacts must be between 1 and 10,000, the limit of one API call")
    return given


def main() -> int:
    options = read_options()
    measured: dict[str, Any] = {"machine": describe_machine(), **_measure_stacks(options)}
    # Log lines of this process would hide the table.
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    os.environ.setdefault("POWERTOOLS_METRICS_DISABLED", "true")
    if "calls" in options.only:
        _say("metering the calls of whole flows in process")
        measured["calls"] = calls.measure(options.metered)
    for part, name, doing, measure in IN_PROCESS:
        if part in options.only:
            _say(doing)
            measured[name] = measure()
    print(report.show(measured))
    if options.json:
        options.json.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
    return 0


def _measure_stacks(options: argparse.Namespace) -> dict[str, Any]:
    """Run the measurements that need a running stack, each on a fresh one."""
    measured: dict[str, Any] = {}
    if {"import", "flow"} & set(options.only):
        measured |= _measure_stack(options)
    if "steps" in options.only:
        measured["steps"] = [_measure_steps(options, workers) for workers in (1, WORKERS)]
    if "audience" in options.only:
        measured["audience"] = [_measure_audience(options, size) for size in options.audience]
    return measured


def _measure_stack(options: argparse.Namespace) -> dict[str, Any]:
    """Measure the import, and on request a flow over the imported contacts."""
    measured: dict[str, Any] = {}
    with _fresh_stack(options) as stack:
        _say(f"importing {options.contacts:,} rows")
        measured["import"] = measure_import(stack, options.contacts)
        if "flow" in options.only:
            _say(f"sending to {options.contacts:,} contacts")
            measured["flow"] = measure_flow(stack, options.contacts)
    return measured


def _measure_steps(options: argparse.Namespace, workers: int) -> dict[str, Any]:
    with _fresh_stack(options, workers) as stack:
        contacts = min(options.contacts, STEPPING)
        _say(f"two messages to each of {contacts:,} contacts, by {workers} worker process(es)")
        return {"workers": workers, **measure_steps(stack, contacts)}


def _measure_audience(options: argparse.Namespace, size: int) -> dict[str, Any]:
    """Measure one audience on a fresh stack, so that its memory use is that of this size."""
    with _fresh_stack(options) as stack:
        _say(f"an audience of {size:,} contacts")
        found = audience.measure_stack(stack, size)
        # Larger sizes take minutes, so each result is printed before the next size can fail.
        _say(report.show({"audience": [found]}))
        return found


@contextmanager
def _fresh_stack(options: argparse.Namespace, workers: int = WORKERS) -> Iterator[Stack]:
    folder = Path(tempfile.mkdtemp(prefix="carillon-bench-"))
    try:
        with running(folder, options.port or _free_port(), workers) as stack:
            yield stack
    finally:
        if options.keep:
            _say(f"kept {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _say(line: str) -> None:
    print(f"… {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
