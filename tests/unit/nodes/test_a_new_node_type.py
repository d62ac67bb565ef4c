"""A new node type is one file and its name in the registry, as the README states."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
FILE = '''"""GATE: lets everybody through at once whose first name is long enough; others wait a day."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from chalicelib.model.steps import Continue, NodeOutcome, Step, StepContext, WaitUntil


class Gate(Step):
    """At least so many letters."""

    type: Literal["GATE"] = "GATE"
    letters: Annotated[int, Field(ge=1, le=20)]

    def decide(self, context: StepContext) -> NodeOutcome:
        """By the record as it is now."""
        if len(context.contact.first_name or "") >= self.letters:
            return Continue()
        return WaitUntil(context.now + timedelta(days=1))
'''
CASES = {
    "decides": [
        {
            "name": "a long name goes on",
            "step": {"id": "g", "type": "GATE", "letters": 3},
            "context": {"contact": {"firstName": "Anna"}},
            "outcome": {"type": "go"},
        },
        {
            "name": "no name waits",
            "step": {"id": "g", "type": "GATE", "letters": 3},
            "context": {"now": "2026-03-02T09:00:00Z"},
            "outcome": {"type": "sleep", "until": "2026-03-03T09:00:00Z"},
        },
    ],
    "refused": [
        {
            "name": "no letters",
            "step": {"id": "g", "type": "GATE", "letters": 0},
            "problems": [["steps[0].letters", "greater than or equal to 1"]],
        }
    ],
}


def _add_the_type(root: Path) -> None:
    (root / "chalicelib/nodes/gate.py").write_text(FILE, encoding="utf-8")
    registry = root / "chalicelib/nodes/registry.py"
    named = registry.read_text(encoding="utf-8").replace("Tag, End)", "Tag, End, Gate)")
    imported = named.replace(
        "from chalicelib.nodes.send", "from chalicelib.nodes.gate import Gate\nfrom chalicelib.nodes.send"
    )
    registry.write_text(imported, encoding="utf-8")
    (root / "tests/unit/nodes/cases/gate.json").write_text(json.dumps(CASES), encoding="utf-8")


def test_a_node_type_is_one_file_and_its_name_in_the_registry(tmp_path: Path) -> None:
    """Validation, schemas and the case runner know it, and the law of the architecture holds."""
    for part in (
        "chalicelib",
        "tests/unit/nodes",
        "tests/builders.py",
        "tests/__init__.py",
        "tests/unit/__init__.py",
        ".pytest.ini",
    ):
        target = tmp_path / part
        target.parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, target)
    (tmp_path / "tests/unit/nodes/test_a_new_node_type.py").unlink()
    _add_the_type(tmp_path)
    run = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:xdist",
        "-c",
        ".pytest.ini",
        "-k",
        "GATE",
        "tests/unit/nodes",
    ]
    done = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    schemas = (
        "from chalicelib.nodes.registry import NODE_TYPES; print([t.model_json_schema()['title'] for t in NODE_TYPES])"
    )
    shown = subprocess.run([sys.executable, "-c", schemas], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "Gate" in shown.stdout
