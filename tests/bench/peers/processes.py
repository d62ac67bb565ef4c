"""CPU seconds of whole process trees, from /proc."""

import os
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(roots: Mapping[str, int]) -> dict[str, float]:
    """Return the CPU seconds of each process and its descendants by name: user and system, ended ones included.

    A child that ends and is waited for goes into its parent's sum, so nothing is lost or counted twice.
    """
    used: dict[int, float] = {}
    children: dict[int, list[int]] = defaultdict(list)
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (found := _read(entry)):
            parent, used[int(entry.name)] = found
            children[parent].append(int(entry.name))
    return {name: _sum(root, used, children) for name, root in roots.items()}


def _sum(pid: int, used: Mapping[int, float], children: Mapping[int, list[int]]) -> float:
    return used.get(pid, 0.0) + sum(_sum(child, used, children) for child in children.get(pid, ()))


def _read(entry: Path) -> tuple[int, float] | None:
    """Return the parent and the CPU seconds, or None when the process has just ended."""
    try:
        fields = (entry / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    # ppid is field 4 of proc(5), utime to cstime are 14 to 17; two fields stand before the ")".
    return int(fields[1]), sum(map(int, fields[11:15])) / _TICKS
