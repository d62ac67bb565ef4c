"""`make torture`: faults, mutants, kills and the API under schemathesis, one after the other; one table at the end.

`python -m tests.torture --kills 200 --fuzz 5000 --json torture.json`; exits 1 when anything was not as promised.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.bench.machine import describe_machine

COLUMNS = ("duplicates", "lost", "mismatches", "other")


def play(part: str, arguments: list[str], folder: Path) -> dict[str, Any]:
    """Run a part and return its figures with its exit code and its duration."""
    file, began, before = folder / f"{part}.json", time.monotonic(), _cpu_of_children()
    command = [sys.executable, "-m", part, *arguments, "--json", str(file)]
    code = subprocess.run(command, check=False).returncode
    written = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    spent = {"seconds": round(time.monotonic() - began), "cpu_seconds": round(_cpu_of_children() - before)}
    return {"exit_code": code, **spent, **written}


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def rows(parts: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, int], float]]:
    """Yield name, size, findings by kind and CPU seconds of each part."""
    for name, tier in parts["faults"].get("tiers", {}).items():
        yield name, f"{tier['runs']:,} runs, {tier['faults']:,} faults", tier, tier["cpu_seconds"]
    if mutants := parts["faults"].get("mutants"):
        caught = parts["faults"]["mutants_caught"]
        yield "mutants", f"{caught} of {len(mutants)} caught", {"other": len(mutants) - caught}, 0
    kills = parts["kills"]
    if "kills" in kills:
        found = {
            "duplicates": kills["twice"],
            "lost": kills["lost"],
            "mismatches": kills["statistics beside the rows"],
        }
        yield "kills", f"{kills['kills']} under {kills['contacts']:,} contacts", found, kills["cpu_seconds"]
    api = parts["api"]
    if "requests" in api:
        found = {"other": api["5xx"] + api["rounds with findings"]}
        yield "api", f"{api['requests']:,} requests", found, api["cpu_seconds"]


def show(machine: Mapping[str, Any], parts: Mapping[str, Any]) -> str:
    lines = ["", ", ".join(f"{name} {value}" for name, value in machine.items())]
    lines.append(f"{'':<12}{'':<32}" + "".join(f"{name:>12}" for name in (*COLUMNS, "cpu seconds")))
    for name, size, found, cpu in rows(parts):
        counts = "".join(f"{found.get(column, '–'):>12}" for column in COLUMNS)
        lines.append(f"{name:<12}{size:<32}{counts}{round(cpu) or '–':>12}")
    took = ", ".join(f"{name} {part['seconds']} s" for name, part in parts.items())
    failed = [name for name, part in parts.items() if part["exit_code"]]
    return "\n".join([*lines, took, f"NOT AS PROMISED: {', '.join(failed)}" if failed else "all as promised"])


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("--fuzz", type=int, default=5_000, help="runs with up to five faults")
    parser.add_argument("--contacts", type=int, default=10_000, help="of the flow under which processes are killed")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--requests", type=int, default=20_000, help="to the API")
    parser.add_argument("--json", type=Path, default=Path("torture.json"), help="where the figures go")
    given = parser.parse_args()
    asked = {
        "faults": ("tests.faults", ["--fuzz", str(given.fuzz)]),
        "kills": ("tests.torture.kills", ["--contacts", str(given.contacts), "--kills", str(given.kills)]),
        "api": ("tests.torture.api", ["--requests", str(given.requests)]),
    }
    machine = describe_machine()
    with tempfile.TemporaryDirectory(prefix="carillon-torture-") as folder:
        parts = {name: play(module, arguments, Path(folder)) for name, (module, arguments) in asked.items()}
    given.json.write_text(json.dumps({"machine": machine, **parts}, indent=1) + "\n", encoding="utf-8")
    print(show(machine, parts))
    return max(int(part["exit_code"] != 0) for part in parts.values())


if __name__ == "__main__":
    sys.exit(main())
