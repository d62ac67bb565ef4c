"""Facts about this machine and its processes: cores, CPU seconds, peak memory."""

import os
import platform
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Usage:
    """CPU seconds of one process and its ended children so far, and its largest resident set in MB."""

    cpu: float
    peak_mb: float


def describe_machine() -> dict[str, str | int]:
    """Describe the machine, so that figures can be compared."""
    return {
        "cores": os.cpu_count() or 0,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "ministack": version("ministack"),
        "boto3": version("boto3"),
        "load": f"{os.getloadavg()[0]:.1f}",
    }


def read_usage(pid: int) -> Usage | None:
    """Return the usage of a process, or None without /proc or after the process has ended."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return None
    # utime, stime, cutime, cstime: fields 14 to 17 of proc(5), counted from field 3 after the ")".
    ticks = sum(int(field) for field in stat[11:15])
    peak = next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")), 0)
    return Usage(ticks / os.sysconf("SC_CLK_TCK"), peak / 1024)
