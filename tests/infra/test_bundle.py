"""The zip: what is in it, what is not, and that the same content is the same bytes."""

import sys
import zipfile
from pathlib import Path

import pytest

from infra.build import Templates, fill
from infra.packaging import bundle, wheels
from infra.packaging.checks import MAX_ZIP_BYTES, check_zip
from infra.packaging.target import LAMBDA, THIS_MACHINE, Unbuildable


@pytest.fixture(scope="module")
def archive(built: tuple[Templates, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The zip for this machine: the same but for the wheels that have a processor, and without a network."""
    folder = tmp_path_factory.mktemp("zip")
    assert fill(built[1], THIS_MACHINE, folder / "content")
    bundle.write_zip(folder / "content", folder / "deployment.zip")
    return folder / "deployment.zip"


def _modules(templates: Templates) -> set[str]:
    return {handler.rpartition(".")[0] for handler in templates.handlers.values()}


def test_the_zip_has_what_runs_and_nothing_else(archive: Path, templates: Templates) -> None:
    check_zip(archive, THIS_MACHINE, wheels.check_lock(), _modules(templates))
    with zipfile.ZipFile(archive) as content:
        names = content.namelist()
    tops = {name.partition("/")[0].partition("-")[0] for name in names}
    assert not tops & {"boto3", "botocore", "pytest", "moto", "tests", "infra", "dns", "bin", ".chalice"}
    assert not [name for name in names if "swagger_ui" in name]


def test_the_zip_is_small(archive: Path) -> None:
    assert archive.stat().st_size < MAX_ZIP_BYTES


def test_every_module_has_bytecode_that_is_not_compared_with_its_source(archive: Path) -> None:
    with zipfile.ZipFile(archive) as content:
        names = set(content.namelist())
        tag = sys.implementation.cache_tag
        for name in [name for name in names if name.startswith("chalicelib/") and name.endswith(".py")]:
            folder, _, module = name.rpartition("/")
            compiled = content.read(f"{folder}/__pycache__/{module.removesuffix('.py')}.{tag}.pyc")
            # The flags of PEP 552: by hash, and not checked.
            assert int.from_bytes(compiled[4:8], "little") == 0b01, name
            assert str(Path.cwd()).encode() not in compiled, "a path of the machine that built it"


def test_the_same_content_is_the_same_zip(built: tuple[Templates, Path], tmp_path: Path) -> None:
    archives = []
    for name in ("one", "another"):
        bundle.unpack(built[1], tmp_path / name)
        bundle.compile_all(tmp_path / name, sys.executable)
        bundle.write_zip(tmp_path / name, tmp_path / f"{name}.zip")
        archives.append((tmp_path / f"{name}.zip").read_bytes())
    assert archives[0] == archives[1]


def test_a_zip_that_lacks_something_or_has_too_much_says_all_of_it(tmp_path: Path) -> None:
    for name, text in {
        "app.py": "",
        "boto3/__init__.py": "",
        "tests/test_x.py": "",
        "x.so": "\x7fELF" + "\0" * 14 + "\x3e\0",
        "odd-1.dist-info/METADATA": "Name: odd\nVersion: 1\n",
    }.items():
        (tmp_path / "content" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "content" / name).write_text(text)
    bundle.write_zip(tmp_path / "content", tmp_path / "x.zip")
    with pytest.raises(Unbuildable) as refused:
        check_zip(tmp_path / "x.zip", LAMBDA, {"pydantic": "2"}, {"chalicelib.workers.steps"})
    for said in (
        "chalice/app.py is missing",
        "chalicelib/workers/steps.py is missing",
        "pydantic 2 of infra/requirements.lock is missing",
        "odd is not in infra/requirements.lock",
        "x.so is not for arm64",
        "tests/test_x.py does not belong into the zip",
        "boto3 is in Lambda already",
    ):
        assert said in str(refused.value)


def test_the_lock_holds_what_is_required_with_a_hash_each() -> None:
    locked = wheels.check_lock()
    lines = [line for line in wheels.LOCK.read_text().splitlines() if line and not line.startswith("#")]
    assert len(lines) == len(locked)
    assert all(" --hash=sha256:" in line for line in lines)


def test_a_requirement_that_the_lock_does_not_hold_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("pydantic==9.9.9\nnew-thing==1.0\n")
    monkeypatch.setattr(wheels, "REQUIREMENTS", tmp_path / "requirements.txt")
    with pytest.raises(Unbuildable, match=r"does not hold new-thing, pydantic of requirements.txt: run make lock"):
        wheels.check_lock()
