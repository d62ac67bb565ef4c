"""What the functions import beside our code: pinned by version and hash, as wheels for the target's platform."""

import json
import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory

from infra.packaging.target import Target, Unbuildable

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = ROOT / "requirements.txt"
LOCK = ROOT / "infra" / "requirements.lock"
#: In Lambda's Python already, and large.
PROVIDED = frozenset({"boto3", "botocore", "s3transfer"})
#: Wanted by a requirement but never imported by what we use of it: email-validator asks DNS only when told to. 1 MB.
UNUSED = frozenset({"dnspython"})
_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)


def pins(text: str) -> dict[str, str]:
    """Name (as normalised by PEP 503) → version, of a file of requirements."""
    return {normalise(name): version for name, version in _PIN.findall(text)}


def normalise(name: str) -> str:
    """Return the name of a distribution as normalised by PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()


def check_lock() -> dict[str, str]:
    """Return the locked versions. Raises Unbuildable when requirements.txt was changed without the lock."""
    wanted, locked = pins(REQUIREMENTS.read_text()), pins(LOCK.read_text())
    stale = sorted(name for name, version in wanted.items() if locked.get(name) != version)
    if stale:
        raise Unbuildable(
            f"infra/requirements.lock does not hold {', '.join(stale)} of requirements.txt: run make lock"
        )
    return locked


def install(target: Target, folder: Path) -> None:
    """Put the locked distributions into `folder`. Raises Unbuildable when a wheel is missing or has another hash."""
    locked = check_lock()
    if target.platforms:
        _pip(target, "install", "--target", str(folder), "--no-deps", "--require-hashes", "-r", str(LOCK))
    else:
        for name, version in locked.items():
            _copy(name, version, folder)


def _copy(name: str, version: str, folder: Path) -> None:
    """Copy the packages of the running environment, which `make` installed with the same pins. Needs no network."""
    try:
        found = metadata.distribution(name)
    except metadata.PackageNotFoundError as error:
        raise Unbuildable(f"{name} is not installed here: run make test once") from error
    if found.version != version:
        raise Unbuildable(f"{name} {found.version} is installed, infra/requirements.lock says {version}: run make lock")
    for file in found.files or ():
        if ".." not in file.parts and file.suffix != ".pyc":
            place = folder / file
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(str(found.locate_file(file)), place)


def _pip(target: Target, *arguments: str) -> str:
    platforms = [option for name in target.platforms for option in ("--platform", name)]
    python = ".".join(map(str, target.python))
    options = [
        "--quiet",
        "--disable-pip-version-check",
        "--only-binary=:all:",
        "--no-compile",
        "--python-version",
        python,
    ]
    command = [sys.executable, "-m", "pip", *arguments, *options, *platforms]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own arguments
    if done.returncode:
        raise Unbuildable(f"pip cannot install for {', '.join(target.platforms)}:\n{done.stderr.strip()}")
    return done.stdout


def write_lock(target: Target) -> None:
    """Resolve requirements.txt for the target and write the versions and hashes of the wheels that Lambda gets."""
    # pip wants a folder for a foreign platform, though a dry run puts nothing there.
    with TemporaryDirectory() as nowhere:
        asked = ("install", "--dry-run", "--ignore-installed", "--target", nowhere, "--report", "-")
        report = json.loads(_pip(target, *asked, "-r", str(REQUIREMENTS)))
    lines = ["# Made by make lock: what requirements.txt means on Lambda, with the hashes of its wheels.\n"]
    for each in sorted(report["install"], key=lambda each: normalise(each["metadata"]["name"])):
        name, version = normalise(each["metadata"]["name"]), each["metadata"]["version"]
        if name not in PROVIDED | UNUSED:
            digest = each["download_info"]["archive_info"]["hashes"]["sha256"]
            lines.append(f"{name}=={version} --hash=sha256:{digest}\n")
    LOCK.write_text("".join(lines))
