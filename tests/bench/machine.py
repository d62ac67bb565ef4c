"""What the operating system tells of this machine and of a process: cores, CPU seconds, peak memory."""

import os
import platform
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Usage:
    """Of one process and its ended children: CPU seconds so far; its largest resident set in MB."""

    cpu: float
    peak_mb: float


def describe_machine() -> dict[str, str | int]:
    """The figures mean little without it."""
    return {
        "cores": os.cpu_count() or 0,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "ministack": version("ministack"),
        "boto3": version("boto3"),
        "load": f"{os.getloadavg()[0]:.1f}",
    }


def read_usage(pid: int) -> Usage | None:
    """None where there is no /proc, or the process has ended."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return None
    # utime, stime, cutime, cstime: fields 14 to 17 of proc(5), of which the first two stand before the ")".
    ticks = sum(int(field) for field in stat[11:15])
    peak = next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")), 0)
    return Usage(ticks / os.sysconf("SC_CLK_TCK"), peak / 1024)
