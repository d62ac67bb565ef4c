"""The zip: our code, Chalice's runtime and the wheels, compiled, and the same bytes for the same content."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from infra.packaging.target import Target

#: Zip's oldest time: the content decides, not the moment.
EPOCH = (1980, 1, 1, 0, 0, 0)
#: Where Lambda unpacks it; tracebacks name it.
TASK_ROOT = "/var/task"
#: Of installed distributions only what runs, and what says which version and license it has.
UNUSED_NAMES = frozenset(
    {"RECORD", "INSTALLER", "REQUESTED", "WHEEL", "direct_url.json", "entry_points.txt", "py.typed"}
)
UNUSED_SUFFIXES = frozenset({".pyc", ".pyi"})
#: bin: commands. swagger_ui: a page that Powertools could serve and we do not, 1.7 MB.
UNUSED_FOLDERS = frozenset({"__pycache__", "bin", "swagger_ui"})
#: Parts of Powertools that we import nothing of, nor what we import of it; its own router alone is 0.3 MB.
POWERTOOLS = "aws_lambda_powertools"
UNUSED_PARTS = (
    f"{POWERTOOLS}/event_handler",
    *(f"{POWERTOOLS}/utilities/{name}" for name in ("auth_alpha", "data_masking", "feature_flags", "kafka", "parser")),
)
_COMPILE = """
import compileall, py_compile, sys
done = compileall.compile_dir(
    sys.argv[1], ddir=sys.argv[2], maxlevels=20, quiet=1, workers=1,
    invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
)
sys.exit(not done)
"""


def unpack(archive: Path, folder: Path) -> None:
    """Chalice's zip: our code and its runtime."""
    with zipfile.ZipFile(archive) as content:
        content.extractall(folder)


def prune(folder: Path) -> None:
    """Remove what never runs."""
    for part in UNUSED_PARTS:
        shutil.rmtree(folder / part, ignore_errors=True)
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir() and path.name in UNUSED_FOLDERS:
            shutil.rmtree(path)
        elif path.is_file() and (path.name in UNUSED_NAMES or path.suffix in UNUSED_SUFFIXES):
            path.unlink()


def find_python(target: Target) -> str | None:
    """An interpreter of the target's version, as bytecode is of one version only; LAMBDA_PYTHON=… names one."""
    version = "{}.{}".format(*target.python)
    for name in (sys.executable, os.environ.get("LAMBDA_PYTHON", f"python{version}")):
        asked = [name, "-c", "import sys; print('{}.{}'.format(*sys.version_info))"]
        try:
            done = subprocess.run(asked, capture_output=True, text=True, check=False)  # noqa: S603 - our own arguments
        except FileNotFoundError:
            continue
        if done.returncode == 0 and done.stdout.strip() == version:
            return name
    return None


def compile_all(folder: Path, python: str) -> None:
    """Compile bytecode that Lambda uses without comparing it with the sources: times in a zip are meaningless."""
    # Sets of constants are written in the order of their hashes.
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    command = [python, "-c", _COMPILE, str(folder), TASK_ROOT]
    subprocess.run(command, env=environment, check=True)  # noqa: S603 - our own arguments


def write_zip(folder: Path, archive: Path) -> None:
    """Zip all files of a folder in the order of their names, readable by all users and without times."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as content:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), EPOCH)
            entry.external_attr = 0o100644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            content.writestr(entry, path.read_bytes(), compresslevel=9)
