"""Start the command line: `python -m infra.cli --help`."""

import sys

from infra.cli.app import run

if __name__ == "__main__":
    run(sys.argv[1:])
