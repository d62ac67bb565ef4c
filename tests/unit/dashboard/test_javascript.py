"""The unit tests of the dashboard's JavaScript, in tests/dashboard, run by Node.js."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[2] / "dashboard"
NODE = shutil.which("node")
#: Times and numbers depend on the reader's locale and time zone.
ENVIRONMENT = {**os.environ, "LC_ALL": "en_US.UTF-8", "TZ": "UTC"}


@pytest.mark.skipif(NODE is None, reason="Node.js is not installed (apt-get install nodejs)")
def test_the_pure_modules_pass_their_unit_tests() -> None:
    files = sorted(path.name for path in TESTS.glob("*.test.js"))
    assert files
    command = [str(NODE), "--disable-warning=MODULE_TYPELESS_PACKAGE_JSON", "--test", *files]
    run = subprocess.run(command, check=False, cwd=TESTS, env=ENVIRONMENT, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stdout + run.stderr
