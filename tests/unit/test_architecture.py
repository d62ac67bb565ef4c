"""The architecture rules: which module may import which, and what only one place may know."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

import pytest

from chalicelib.nodes.registry import NODE_TYPES
from chalicelib.providers.registry import CHANNEL_TYPES
from tests.unit.sources import ROOT, modules, shipped

_INNER = frozenset({"errors", "model", "core", "ports"})
_TRANSLATORS = _INNER | {"nodes", "wiring", "telemetry", "settings"}
#: Each ring of chalicelib → the rings that it may import besides itself.
MAY_IMPORT: dict[str, frozenset[str]] = {
    "errors": frozenset(),
    "model": frozenset({"errors"}),
    "nodes": frozenset({"errors", "model"}),
    "ports": frozenset({"errors", "model"}),
    "core": frozenset({"errors", "model", "nodes", "ports"}),
    "settings": frozenset(),
    "telemetry": frozenset(),
    "aws": _INNER | {"telemetry"},
    "providers": _INNER | {"telemetry"},
    "wiring": _INNER | {"nodes", "aws", "providers", "settings"},
    "api": _TRANSLATORS,
    "workers": _TRANSLATORS,
    "dashboard": _TRANSLATORS,
    "app": frozenset({"api", "workers", "dashboard"}),
}
#: The capabilities of chalicelib/core. Each may import those of later rows only.
CAPABILITIES: tuple[frozenset[str], ...] = (
    frozenset({"launching"}),
    frozenset({"steps"}),
    frozenset({"receipts"}),
    frozenset({"events", "reporting", "reconciliation"}),
    frozenset({"flows"}),
    frozenset({"channels"}),
    frozenset({"workspaces", "privacy", "segments"}),
    frozenset({"contacts", "billing"}),
    frozenset({"notifications"}),
    frozenset({"templates", "queueing", "campaigns"}),
)
#: The folders of the dashboard's modules, upper ones last. Each may import from those of earlier rows and from itself.
DASHBOARD_FOLDERS: tuple[frozenset[str], ...] = (
    frozenset({"vendor"}),
    frozenset({"lib"}),
    frozenset({"components"}),
    frozenset({"campaigns", "flows", "contacts", "content", "workspace"}),
    frozenset({"shell"}),
)
AWS_LIBRARIES = frozenset({"boto3", "botocore", "aws_lambda_powertools"})
KNOW_AWS = frozenset({"aws", "providers", "telemetry", "wiring"})
KNOW_CHALICE = frozenset({"api", "workers", "dashboard", "app"})
#: Libraries that the core imports besides the standard library and pydantic: (module, library) → reason.
ALLOWED: dict[tuple[str, str], str] = {
    ("model/ids.py", "ulid"): "ids that sort by time, monotonic within a millisecond",
    ("core/campaigns/recurrence.py", "dateutil"): "RFC 5545, pure computation; botocore depends on it already",
    ("core/templates/render.py", "minijinja"): "the sandboxed template language, pure computation",
    ("core/templates/sandbox.py", "minijinja"): "the environment of the template language, with its limits and filters",
    ("core/contacts/validate_contact.py", "email_validator"): "the syntax of email addresses; its DNS look-up is off",
    ("core/contacts/validate_contact.py", "phonenumbers"): "the numbering plans of the world, as data",
    (
        "model/validation_problems.py",
        "pydantic_core",
    ): "part of pydantic: it defines the type of an error's details",
    ("core/channels/edit_channel.py", "pydantic_core"): "part of pydantic: it builds error details",
}
#: Libraries that read a clock, draw random numbers or touch the machine.
IMPURE = frozenset(
    {"asyncio", "http", "logging", "os", "pathlib", "random", "secrets", "shutil", "socket", "subprocess", "tempfile"}
    | {"threading", "time", "urllib", "uuid", "importlib"}
)
#: Pure modules that may use one of them: (module, library) → reason.
EXCUSED: dict[tuple[str, str], str] = {
    ("core/templates/sandbox.py", "time"): "CPU time of one rendering, a limit against hostile templates",
    ("model/signing.py", "urllib"): "urllib.parse writes a URL into a query string; it opens nothing",
    (
        "core/reporting/significance.py",
        "random",
    ): "a simulation with a fixed seed: the same numbers give the same answer",
}
#: Key attributes of tables and indexes (infra/resources.yaml).
KEY_ATTRIBUTES = frozenset({"pk", "sk", "activeKey", "activeSort", "dueKey", "contactKey"})
TOP_LEVEL = frozenset(
    {"README.md", "app.py", "chalicelib", "infra", "tests", "requirements.txt", "LICENSE", "Makefile"}
)
#: These folders may have more files, because a reader looks up one file by its name.
LARGE_FOLDERS = frozenset({"model", "aws", "providers", "api"})
MAX_FILES = 16


def part_of(dotted: str) -> str | None:
    """Return the ring of chalicelib that a dotted name lies in, `app`, or None for other packages."""
    first, *rest = dotted.split(".")
    return (rest[0] if rest else "chalicelib") if first == "chalicelib" else "app" if first == "app" else None


def library_of(dotted: str) -> str | None:
    """Return the third-party library of a dotted name, or None."""
    first = dotted.partition(".")[0]
    return None if first in sys.stdlib_module_names or first in {"chalicelib", "app", "tests", "infra"} else first


def test_imports_point_in_one_direction() -> None:
    broken = []
    for module in shipped():
        allowed = MAY_IMPORT.get(module.part)
        assert allowed is not None, f"{module.name}: add its ring to MAY_IMPORT"
        for dotted, line in module.imports():
            part = part_of(dotted)
            if part not in {None, module.part, *allowed}:
                broken.append(f"{module.name}:{line} ({module.part}) imports {dotted}")
    assert broken == []


def capability_of(dotted: str) -> str | None:
    """Return the capability that a dotted name of chalicelib.core lies in, or None."""
    first, second, third, *_ = [*dotted.split("."), "", "", ""]
    return third if (first, second) == ("chalicelib", "core") else None


def test_capabilities_import_only_downwards() -> None:
    rank = {name: row for row, names in enumerate(CAPABILITIES) for name in names}
    broken = []
    for module in shipped():
        if module.part != "core" or module.path.parent.name == "core":
            continue
        own = module.path.relative_to(ROOT / "chalicelib/core").parts[0]
        for dotted, line in module.imports():
            other = capability_of(dotted)
            if other not in {None, own} and rank[str(other)] <= rank[own]:
                broken.append(f"{module.name}:{line} ({own}) imports {dotted}")
    assert broken == []


def test_dashboard_folders_import_only_downwards() -> None:
    """A shared module that imported a screen would bring that screen into every page that uses the module.

    Screens do not import each other either; what two of them need belongs to components or lib.
    """
    assets = ROOT / "chalicelib/dashboard/assets"
    rank = {name: row for row, names in enumerate(DASHBOARD_FOLDERS) for name in names}
    broken = []
    for path in sorted(assets.rglob("*.js")):
        own = path.relative_to(assets).parts[0]
        for reference in re.findall(r'"(\.\.?/[\w./-]+\.(?:js|css))"', path.read_text(encoding="utf-8")):
            target = Path(os.path.normpath(path.parent / reference)).relative_to(assets)
            other = target.parts[0]
            if other != own and rank[other] >= rank[own]:
                broken.append(f"{path.relative_to(assets)} imports {target}")
    assert broken == []
    assert {path.name for path in assets.iterdir() if path.is_dir()} == set(rank)


@cache
def pure() -> frozenset[str]:
    """Return the modules that only compute: model, node types, and the rules of the core.

    A core module is a use case if it imports ports or another use case; every other core module is a rule.
    """
    core = {module.name.removesuffix(".py").replace("/", "."): module for module in shipped() if module.part == "core"}
    named = {
        name: {dotted for each, _ in module.imports() for dotted in (each, each.rpartition(".")[0])}
        for name, module in core.items()
    }
    use_cases = {name for name, used in named.items() if any(part_of(dotted) == "ports" for dotted in used)}
    while more := {name for name, used in named.items() if used & use_cases} - use_cases:
        use_cases |= more
    rules = {module.name for name, module in core.items() if name not in use_cases}
    return frozenset(rules | {module.name for module in shipped() if module.part in {"errors", "model", "nodes"}})


def test_a_rule_of_the_core_imports_no_node_type() -> None:
    """Node types are passed in, so that a new one needs no change in the core."""
    broken = [
        f"{module.name}:{line} imports {dotted}"
        for module in shipped()
        if module.part == "core" and module.name in pure()
        for dotted, line in module.imports()
        if part_of(dotted) == "nodes"
    ]
    assert broken == []


def test_only_the_edges_import_aws_libraries_and_chalice() -> None:
    broken = []
    for module in shipped():
        for dotted, line in module.imports():
            library = library_of(dotted) or ""
            is_aws = library in AWS_LIBRARIES or library.startswith("mypy_boto3")
            if (is_aws and module.part not in KNOW_AWS) or (library == "chalice" and module.part not in KNOW_CHALICE):
                broken.append(f"{module.name}:{line} imports {dotted}")
    assert broken == []


def test_type_stubs_are_imported_for_the_type_checker_only() -> None:
    """Type stubs are not in requirements.txt, so such an import fails on Lambda."""
    broken = []
    for module in shipped():
        guards = [node for node in ast.walk(module.tree) if isinstance(node, ast.If)]
        guarded = {
            line
            for guard in guards
            if ast.unparse(guard.test) == "TYPE_CHECKING"
            for line in range(guard.lineno, (guard.end_lineno or guard.lineno) + 1)
        }
        for dotted, line in module.imports():
            if (library_of(dotted) or "").startswith(("mypy_boto3", "types_")) and line not in guarded:
                broken.append(f"{module.name}:{line} imports {dotted}")
    assert broken == []


def test_the_core_imports_only_allowed_libraries() -> None:
    broken, used = [], set()
    for module in shipped():
        for dotted, line in module.imports():
            library = library_of(dotted)
            if module.part not in _INNER | {"nodes"} or library in {None, "pydantic"}:
                continue
            used.add((module.inner, str(library)))
            if (module.inner, library) not in ALLOWED:
                broken.append(f"{module.name}:{line} imports {dotted}")
    assert broken == []
    assert set(ALLOWED) - used == set(), "remove the reason of an import that no longer exists"


def test_pure_code_reads_no_clock_and_no_random_numbers_and_does_no_io() -> None:
    broken = []
    for module in shipped():
        if module.name not in pure():
            continue
        for dotted, line in module.imports():
            library = dotted.partition(".")[0]
            if library in IMPURE and (module.inner, library) not in EXCUSED:
                broken.append(f"{module.name}:{line} {dotted}")
        for node in ast.walk(module.tree):
            reads = isinstance(node, ast.Attribute) and node.attr in {"now", "utcnow", "today"}
            if reads and isinstance(node.value, ast.Name) and node.value.id in {"datetime", "date"}:
                broken.append(f"{module.name}:{node.lineno} {node.value.id}.{node.attr}")
    assert broken == []


def test_only_the_stores_name_key_attributes() -> None:
    broken = [
        f"{module.name}:{node.lineno} {node.value!r}"
        for module in shipped()
        if module.part != "aws"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in KEY_ATTRIBUTES
    ]
    assert broken == []


def test_folders_stay_small() -> None:
    """A reader finds a file among sixteen by reading the names, but not among ninety."""
    folders = {path.parent for path in (ROOT / "chalicelib").rglob("*.py")}
    counts = {
        folder.relative_to(ROOT / "chalicelib").as_posix(): sum(
            path.name != "__init__.py" for path in folder.glob("*.py")
        )
        for folder in folders
    }
    assert {name: count for name, count in counts.items() if count > MAX_FILES and name not in LARGE_FOLDERS} == {}


def test_no_public_class_name_is_used_twice() -> None:
    """Two classes of one name send a reader to the wrong one."""
    found: dict[str, list[str]] = {}
    for module in shipped():
        for node in module.tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found.setdefault(node.name, []).append(module.name)
    assert {name: places for name, places in found.items() if len(places) > 1} == {}


def test_every_module_has_a_docstring_of_one_sentence() -> None:
    broken = []
    for module in modules():
        docstring = (ast.get_docstring(module.tree) or "").partition("\n\n")[0]
        if module.tree.body and not re.fullmatch(r"\S.{9,}[.?:]", docstring, re.DOTALL):
            broken.append(f"{module.name}: {docstring!r}")
    assert broken == []


#: Parts of larger use cases, which the tests of these cover: module → test file.
TESTED_BY: dict[str, str] = {
    "events/ingest_events.py": "test_open_event_campaign.py",
    "reconciliation/finish_recount.py": "test_recount_flow.py",
    "reconciliation/reconcile_spend.py": "test_charge_messages.py",
    "reconciliation/request_recount.py": "test_recount_flow.py",
    "steps/admission/base.py": "test_process_steps.py",
}


def test_every_use_case_has_a_test_file_of_its_name() -> None:
    """A reader who changes a use case finds its tests by name."""
    tests = {path.name for path in (ROOT / "tests").rglob("test_*.py")}
    missing = {
        module.inner.removeprefix("core/")
        for module in shipped()
        if module.part == "core"
        and any(part_of(dotted) == "ports" for dotted, _ in module.imports())
        and f"test_{module.path.stem}.py" not in tests
    }
    assert missing == set(TESTED_BY)
    assert set(TESTED_BY.values()) <= tests


def test_every_node_type_is_registered_and_has_its_cases() -> None:
    files = {path.stem for path in (ROOT / "chalicelib/nodes").glob("*.py")} - {"__init__", "registry"}
    assert {node_type.__module__.rpartition(".")[2] for node_type in NODE_TYPES} == files
    cases = {path.stem for path in (ROOT / "tests/unit/nodes/cases").iterdir()}
    assert cases == {node_type.model_fields["type"].default.lower() for node_type in NODE_TYPES}


def test_every_channel_type_is_registered_and_has_its_tests() -> None:
    files = {path.stem for path in (ROOT / "chalicelib/providers").glob("*.py") if "\ndef build(" in path.read_text()}
    assert set(CHANNEL_TYPES) == files
    tested = {path.stem.removeprefix("test_") for path in (ROOT / "tests/unit/providers").glob("test_*.py")}
    assert set(CHANNEL_TYPES) <= tested


def test_the_top_level_has_no_other_entries() -> None:
    ignored = {line.strip().strip("/") for line in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()}
    found = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")}
    assert found - ignored - TOP_LEVEL == set()


def _texts() -> Iterator[tuple[str, str]]:
    """Yield path and text of every text file that could be committed."""
    ignored = {"__pycache__", "build", "dist", "deployments", "deployed", "node_modules"}
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [
            name for name in folders if name in {".chalice", ".ci"} or not (name[0] == "." or name in ignored)
        ]
        for name in set(names) - {".git"}:  # in a second working tree, .git is a file with a path
            with suppress(UnicodeDecodeError):
                yield f"{folder}/{name}".removeprefix(f"{ROOT}/"), Path(folder, name).read_text(encoding="utf-8")


def test_no_file_names_a_path_of_one_machine() -> None:
    place = re.compile(r"(?<![\w.:/{}-])/(?:home|mnt|private|root|work|Users)/[\w.]|[A-Z]:\\Users\\")
    broken = [f"{name}: {found[0]}" for name, text in _texts() for found in place.finditer(text)]
    assert broken == []


WORKERS = sorted(path.stem for path in (ROOT / "chalicelib/workers").glob("[a-z]*.py"))


@pytest.mark.parametrize("worker", WORKERS)
def test_a_worker_is_imported_alone_as_lambda_does(worker: str, tmp_path: Path) -> None:
    """Import it without app.py and environment variables, and from another folder."""
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); sys.modules['app'] = None; import chalicelib.workers.{worker}"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env={}, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
