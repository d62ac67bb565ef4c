"""What must hold before anything is deployed: of the zip, and of both templates by cfn-lint."""

import json
import re
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from infra.packaging.target import Target, Unbuildable
from infra.packaging.wheels import PROVIDED, normalise

#: Lambda takes 50 MB; a cold start pays for each.
MAX_ZIP_BYTES = 10_000_000
#: CloudFormation's limit for a template in S3.
MAX_TEMPLATE_BYTES = 1_000_000
#: The field e_machine of an ELF file.
AARCH64 = 0xB7
_FOREIGN = re.compile(r"^(tests|infra|\.chalice|\.git|\.env|\.local)(/|$)")
#: A region with everything, and the default of this project.
LINT_REGIONS = ("us-east-1", "eu-west-1")


def check_zip(archive: Path, target: Target, locked: Mapping[str, str], modules: Iterable[str]) -> None:
    """`modules` are those of the handlers. Unbuildable lists everything that is wrong."""
    with zipfile.ZipFile(archive) as content:
        names = set(content.namelist())
        problems = [*_lacks(names, modules), *_is_not_locked(content, names, locked)]
        if target.platforms:
            problems += _wrong_machine(content, names, target)
    problems += [f"{name} does not belong into the zip" for name in sorted(names) if _FOREIGN.match(name)]
    problems += [
        f"{each} is in Lambda already" for each in sorted(PROVIDED) if any(n.startswith(f"{each}/") for n in names)
    ]
    if (size := archive.stat().st_size) > MAX_ZIP_BYTES:
        problems.append(f"the zip has {size:,} bytes, more than {MAX_ZIP_BYTES:,}")
    _refuse("The zip is not what it has to be", problems)


def _lacks(names: set[str], modules: Iterable[str]) -> list[str]:
    wanted = {"app.py", "chalice/app.py", *(f"{module.replace('.', '/')}.py" for module in modules)}
    return [f"{name} is missing" for name in sorted(wanted - names)]


def _is_not_locked(content: zipfile.ZipFile, names: set[str], locked: Mapping[str, str]) -> list[str]:
    found = {}
    for name in names:
        if name.endswith(".dist-info/METADATA"):
            lines = content.read(name).decode().splitlines()
            said = dict(line.split(": ", 1) for line in lines[:10] if ": " in line)
            found[normalise(said["Name"])] = said["Version"]
    problems = [
        f"{name} {version} of infra/requirements.lock is missing"
        for name, version in locked.items()
        if found.get(name) != version
    ]
    return problems + [f"{name} is not in infra/requirements.lock" for name in sorted(found.keys() - locked.keys())]


def _wrong_machine(content: zipfile.ZipFile, names: set[str], target: Target) -> list[str]:
    problems = []
    for name in sorted(name for name in names if name.endswith(".so")):
        start = content.read(name)[:20]
        if int.from_bytes(start[18:20], "little") != AARCH64:
            problems.append(f"{name} is not for arm64")
        if "cpython-" in name and "cpython-{}{}".format(*target.python) not in name:
            problems.append(f"{name} is not for Python {'.'.join(map(str, target.python))}")
    return problems


def check_templates(*templates: Mapping[str, Any]) -> None:
    """cfn-lint has nothing to say, at any level, and CloudFormation takes the size."""
    problems = []
    for template in templates:
        text = json.dumps(template)
        problems += lint(text)
        if len(text.encode()) > MAX_TEMPLATE_BYTES:
            problems.append(f"the template has {len(text):,} bytes, CloudFormation takes {MAX_TEMPLATE_BYTES:,}")
    _refuse("The template is not what it has to be", problems)


def lint(text: str) -> list[str]:
    """The findings of cfn-lint, with their rule and place."""
    from cfnlint import api  # noqa: PLC0415 - takes a second, only builds need it

    found = api.lint(text, config=api.ManualArgs(regions=list(LINT_REGIONS)))
    return [f"{match.rule.id} {match.message} ({'/'.join(map(str, match.path or ()))})" for match in found]


def _refuse(what: str, problems: list[str]) -> None:
    if problems:
        raise Unbuildable("\n".join([f"{what}:", *(f"  {problem}" for problem in problems)]))
