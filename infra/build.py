"""`make build`: the zip for Lambda and the template for CloudFormation, checked, in build/<stage>/."""

import argparse
import hashlib
import json
import os
import shutil
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from chalicelib.settings import allowed_origin
from infra.packaging import bundle, checks, wheels
from infra.packaging.config import ROOT, Function, read_config, read_functions, stages
from infra.packaging.target import LAMBDA, TARGETS, Target, Unbuildable
from infra.packaging.template import FUNCTION, expand, finish, generate

OUTPUT = ROOT / "build"
#: The only parts of the project that Chalice packages.
SHIPPED = ("app.py", "chalicelib", ".chalice")


@dataclass(frozen=True, slots=True)
class Manifest:
    """Description of a build. `code` is the SHA-256 of the zip."""

    stage: str
    target: str
    code: str
    zip_bytes: int
    unpacked_bytes: int
    has_bytecode: bool


@dataclass(frozen=True, slots=True)
class Templates:
    """The SAM template and its expansion. `functions` maps names, `handlers` maps logical ids."""

    sam: dict[str, Any]
    expanded: dict[str, Any]
    functions: dict[str, Function]
    handlers: dict[str, str]


def build(stage: str, target: Target = LAMBDA, output: Path = OUTPUT, is_linted: bool = True) -> Manifest:
    """Build the zip and the template into `output`/<stage>. Raises Unbuildable."""
    with tempfile.TemporaryDirectory(prefix="carillon-build-") as scratch:
        project, content = stage_project(Path(scratch) / "project"), Path(scratch) / "content"
        templates, archive = build_templates(project, stage)
        if is_linted:
            checks.check_templates(templates.sam, templates.expanded)
        has_bytecode = fill(archive, target, content)
        return _write(templates, content, Manifest(stage, target.name, "", 0, 0, has_bytecode), output / stage)


def fill(archive: Path, target: Target, content: Path) -> bool:
    """Fill a folder with the content of the zip. Returns whether it contains bytecode."""
    bundle.unpack(archive, content)
    wheels.install(target, content)
    bundle.prune(content)
    python = bundle.find_python(target)
    if python:
        bundle.compile_all(content, python)
    return python is not None


def stage_project(project: Path) -> Path:
    """Make a clean copy of the shipped files, because Chalice packages everything beside app.py and caches by name."""
    project.mkdir(parents=True)
    unwanted = shutil.ignore_patterns("__pycache__", "deployments", "deployed")
    for name in SHIPPED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, project / name, ignore=unwanted)
        else:
            shutil.copy(source, project / name)
    return project


def build_templates(project: Path, stage: str) -> tuple[Templates, Path]:
    """Return both templates and the zip of Chalice. Raises Unbuildable when a function has no entry or no policy."""
    config = read_config()
    if stage not in stages(config):
        raise Unbuildable(f"There is no stage {stage}: .chalice/config.json has {', '.join(stages(config))}")
    functions = read_functions(config, stage, declared_functions(), ROOT / ".chalice")
    generated, archive = generate(project, stage)
    sam = finish(generated, functions, allowed_origin(os.environ))
    handlers = {
        name: each["Properties"]["Handler"] for name, each in sam["Resources"].items() if each["Type"] == FUNCTION
    }
    return Templates(sam, expand(sam), functions, handlers), archive


def declared_functions() -> list[str]:
    """Return the names of the functions that the code declares: the API handler and every worker."""
    from app import app  # noqa: PLC0415 - a deployment without a build does not need the application

    return ["api_handler", *(source.name for source in app.event_sources)]


def _write(templates: Templates, content: Path, manifest: Manifest, folder: Path) -> Manifest:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    archive = folder / "deployment.zip"
    bundle.write_zip(content, archive)
    modules = {handler.rpartition(".")[0] for handler in templates.handlers.values()}
    checks.check_zip(archive, TARGETS[manifest.target], wheels.check_lock(), modules)
    (folder / "sam.json").write_text(json.dumps(templates.sam, indent=1, sort_keys=True))
    (folder / "template.json").write_text(json.dumps(templates.expanded, separators=(",", ":"), sort_keys=True))
    sizes = [path.stat().st_size for path in content.rglob("*") if path.is_file()]
    code = hashlib.sha256(archive.read_bytes()).hexdigest()
    written = Manifest(manifest.stage, manifest.target, code, archive.stat().st_size, sum(sizes), manifest.has_bytecode)
    (folder / "manifest.json").write_text(json.dumps(asdict(written), indent=1))
    return written


def main() -> int:
    parser = argparse.ArgumentParser(prog="make build", description=__doc__)
    parser.add_argument("--stage", default="dev")
    parser.add_argument("--target", choices=sorted(TARGETS), default=LAMBDA.name)
    parser.add_argument("--lock", action="store_true", help="write infra/requirements.lock again and stop")
    options = parser.parse_args()
    try:
        if options.lock:
            wheels.write_lock(LAMBDA)
            return 0
        made = build(options.stage, TARGETS[options.target])
    except Unbuildable as error:
        print(error, file=sys.stderr)
        return 1
    print(f"build/{made.stage}/deployment.zip  {made.zip_bytes:,} bytes, {made.unpacked_bytes:,} unpacked")
    print(f"build/{made.stage}/template.json   linted; sha256 of the code {made.code[:16]}…")
    if not made.has_bytecode:
        version = ".".join(map(str, TARGETS[made.target].python))
        print(f"No bytecode: python{version} is not installed here. The build works, but starts about 200 ms slower.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
