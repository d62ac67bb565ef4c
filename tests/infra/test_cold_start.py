"""What a worker imports before its first record: each module is paid for at every cold start."""

import subprocess
import sys
from pathlib import Path

import pytest

from app import app

#: What a worker has no need for before its first record, and what it would cost on a quiet machine, in CPU ms.
HEAVY = {
    "app": "the whole application",
    "chalicelib.api": "the API",
    "chalicelib.dashboard": "the dashboard",
    "boto3": "127: botocore makes the same clients",
    "s3transfer": "30: uploads in parts",
    "email_validator": "18",
    "dns": "40",
    "phonenumbers": "10",
    "aws_lambda_powertools.event_handler": "100",
    "aws_lambda_powertools.utilities.parser": "100",
    "aws_xray_sdk": "160",
    "requests": "60",
}
WORKERS = sorted({source.handler_string.rpartition(".")[0] for source in app.event_sources})


@pytest.mark.parametrize("module", WORKERS)
def test_a_worker_imports_by_itself_and_nothing_heavy(module: str) -> None:
    program = f"import {module}, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=Path.cwd())
    assert done.returncode == 0, done.stderr
    loaded = set(done.stdout.split())
    assert {name: HEAVY[name] for name in HEAVY.keys() & loaded} == {}


def test_no_client_is_built_before_it_is_called() -> None:
    program = (
        "import chalicelib.wiring as w; from chalicelib.settings import Settings; "
        "needed = [n for n, f in Settings.model_fields.items() if f.is_required()]; "
        "w.build_ports(Settings(**dict.fromkeys(needed, 'x'))); print(w.client_for.cache_info().currsize)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "0"
