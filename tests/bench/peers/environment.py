"""The virtualenv of the peers. It is rebuilt when their requirements change."""

import hashlib
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).parent
REQUIREMENTS = HERE / "requirements.txt"
ROOT = HERE.parents[2]
PLACE = ROOT / "build" / "peers"


def python() -> str:
    """Return the interpreter with the peers' packages, and install them first if necessary."""
    ready = PLACE / f".ready-{hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:12]}"
    found = PLACE / "bin" / "python"
    if not ready.exists():
        print(f"… installing the peers into {PLACE.relative_to(ROOT)} (once)", file=sys.stderr, flush=True)
        venv.create(PLACE, with_pip=True, clear=True)
        command = [found, "-m", "pip", "install", "-qq", "--disable-pip-version-check", "-r", REQUIREMENTS]
        subprocess.run(command, check=True)
        ready.touch()
    return str(found)
