"""`python -m infra.local`: checks the Python version, reads the options, runs the supervisor."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036  Said here in one sentence, before an import fails with a traceback.
    sys.exit("Carillon needs Python 3.11 or newer; this is Python " + sys.version.split()[0] + ".")

import argparse
from pathlib import Path

from infra.local.data import Refused
from infra.local.supervisor import Options, Supervisor

#: The exit code when the stack cannot start for a reason that the user can remove.
REFUSED = 2


def read_options(arguments: list[str] | None = None) -> Options:
    """Turn `--port 8000 --data .local --speed 1 --sample 1 --workers 2` into Options; exits 2 on nonsense."""
    parser = argparse.ArgumentParser(prog="python -m infra.local", description="Run Carillon on this machine.")
    parser.add_argument("--port", type=int, default=8000, help="where the API listens; 0 takes a free one")
    parser.add_argument("--data", type=Path, default=Path(".local"), help="directory that holds everything")
    parser.add_argument("--speed", type=float, default=1.0, help="how many times faster the clock runs")
    parser.add_argument("--sample", type=int, choices=(0, 1), default=1, help="0 starts without sample data")
    parser.add_argument("--workers", type=int, default=2, help="number of worker processes")
    given = parser.parse_args(arguments)
    if not 0 <= given.port <= 65535:
        parser.error(f"the port must be between 0 and 65535, not {given.port}")
    if not 0 < given.speed <= 100_000:
        parser.error(f"the speed must be above 0 and at most 100000, not {given.speed}")
    if not 1 <= given.workers <= 64:
        parser.error(f"the number of workers must be between 1 and 64, not {given.workers}")
    return Options(given.port, given.data, given.speed, bool(given.sample), given.workers)


def main() -> int:
    options = read_options()
    try:
        return Supervisor(options).run()
    except Refused as refusal:
        print(refusal, file=sys.stderr, flush=True)
        return REFUSED


if __name__ == "__main__":
    sys.exit(main())
