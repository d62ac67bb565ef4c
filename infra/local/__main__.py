"""`python -m infra.local`: checks the Python version, reads the options, runs the supervisor."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036  Report it before an import fails with a traceback.
    sys.exit("Carillon needs Python 3.11 or newer; this is Python " + sys.version.split()[0] + ".")

import argparse
from pathlib import Path

from infra.local.data import Refused
from infra.local.supervisor import Options, Supervisor

#: Exit code if the stack cannot start for a reason that the user can fix.
REFUSED = 2


def read_options(arguments: list[str] | None = None) -> Options:
    """Parse options such as `--port 8000 --workers 2`. Exits with code 2 on invalid values."""
    parser = argparse.ArgumentParser(prog="python -m infra.local", description="Run Carillon on this machine.")
    parser.add_argument(
        "--port", type=int, default=8000, help="port of the API; 0 selects a free one (default: %(default)s)"
    )
    parser.add_argument(
        "--data", type=Path, default=Path(".local"), help="directory for all data (default: %(default)s)"
    )
    parser.add_argument(
        "--speed",
        type=float,
        default=1.0,
        help="speed factor of the clock; 60 turns an hour into a minute (default: %(default)s)",
    )
    parser.add_argument(
        "--sample",
        type=int,
        choices=(0, 1),
        default=1,
        help="1 creates sample data in an empty directory, 0 does not (default: %(default)s)",
    )
    parser.add_argument(
        "--workers", type=int, default=2, help="number of worker processes, 1 to 64 (default: %(default)s)"
    )
    options = parser.parse_args(arguments)
    if not 0 <= options.port <= 65535:
        parser.error(f"the port must be between 0 and 65535, not {options.port}")
    if not 0 < options.speed <= 100_000:
        parser.error(f"the speed must be above 0 and at most 100000, not {options.speed}")
    if not 1 <= options.workers <= 64:
        parser.error(f"the number of workers must be between 1 and 64, not {options.workers}")
    return Options(options.port, options.data, options.speed, bool(options.sample), options.workers)


def main() -> int:
    options = read_options()
    try:
        return Supervisor(options).run()
    except Refused as refusal:
        print(refusal, file=sys.stderr, flush=True)
        return REFUSED


if __name__ == "__main__":
    sys.exit(main())
