"""What a worker imports before its first record: each module is paid for at every cold start."""

import subprocess
import sys
from pathlib import Path

import pytest

from app import app
from chalicelib.providers.registry import CHANNEL_TYPES

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
#: Besides, each channel type is there when a message of its kind comes, not before.
HEAVY |= {f"chalicelib.providers.{name}": "2 to 6, and what it imports" for name in CHANNEL_TYPES}
#: Worker → what it has no need for as well.
SELDOM = {
    "chalicelib.workers.jobs": {
        "chalicelib.workers.rare_jobs": "15 with all that it imports",
        "chalicelib.core.contacts.csv_reader": "2",
        "chalicelib.core.reporting.export_writer": "2",
        "chalicelib.core.contacts.jsonl_reader": "2",
        "dateutil.rrule": "5",
    },
    "chalicelib.workers.steps": {
        "chalicelib.core.contacts.csv_reader": "2",
        "chalicelib.core.segments.sampling": "2",
        "chalicelib.core.segments.filter": "2",
        "dateutil.rrule": "5",
    },
}
WORKERS = sorted({source.handler_string.rpartition(".")[0] for source in app.event_sources})
_PORTS = """
import chalicelib.wiring as wiring
from chalicelib.settings import Settings
wiring.build_ports(Settings(**{name: "x" for name, each in Settings.model_fields.items() if each.is_required()}))
"""


def _run(program: str) -> list[str]:
    """Return the printed words of a program. It runs in a new interpreter, because this one has imported everything."""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=Path.cwd())
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.parametrize("module", WORKERS)
def test_a_worker_imports_by_itself_and_nothing_heavy(module: str) -> None:
    loaded = set(_run(f"import {module}{_PORTS}import sys; print(*sys.modules)"))
    unwanted = HEAVY | SELDOM.get(module, {})
    assert {name: unwanted[name] for name in unwanted.keys() & loaded} == {}


@pytest.mark.parametrize("module", WORKERS)
def test_a_worker_starts_without_looking_for_garbage(module: str) -> None:
    count = "sum(each['collections'] for each in gc.get_stats())"
    (looks,) = _run(f"import gc; before = {count}; import {module}{_PORTS}print({count} - before)")
    assert int(looks) <= 1, "thirty of them, for nothing, are 6 % of a cold start"


@pytest.mark.parametrize("module", WORKERS)
def test_no_validator_of_a_step_is_built_before_one_is_read(module: str) -> None:
    told = "from chalicelib.nodes.condition import Condition; from chalicelib.nodes.registry import STEP; "
    told += "print(STEP.pydantic_complete, Condition.__pydantic_complete__)"
    assert _run(f"import {module}{_PORTS}{told}") == ["False", "False"]


def test_no_client_is_built_before_it_is_called() -> None:
    assert _run(f"{_PORTS}print(wiring.client_for.cache_info().currsize)") == ["0"]
