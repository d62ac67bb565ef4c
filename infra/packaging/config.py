"""Read `.chalice/config.json`: limits and policy of each function."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.packaging.target import Unbuildable

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / ".chalice" / "config.json"
#: Required fields of a function's entry. Without them Chalice would use its default values.
REQUIRED = ("lambda_timeout", "iam_policy_file")


@dataclass(frozen=True, slots=True)
class Function:
    """One Lambda function: `name` as declared in the code, times in seconds."""

    name: str
    timeout: int
    policy_file: str
    maximum_concurrency: int | None

    @property
    def logical_id(self) -> str:
        """Return the name that Chalice uses in the template."""
        if self.name == "api_handler":
            return "APIHandler"
        return "".join(part[:1].upper() + part[1:] for part in self.name.split("_"))


def read_config(path: Path = CONFIG) -> dict[str, Any]:
    """Return the configuration."""
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def stages(config: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the valid values of `STAGE=`."""
    return tuple(config["stages"])


def read_functions(config: Mapping[str, Any], stage: str, names: list[str], folder: Path) -> dict[str, Function]:
    """Return the entry of each declared function. Raises Unbuildable with all missing entries."""
    problems: list[str] = []
    found: dict[str, Function] = {}
    for name in names:
        entry = _entry(config, stage, name)
        missing = [key for key in REQUIRED if key not in entry]
        if missing:
            problems.append(
                f'The function {name} has no {" and no ".join(missing)}: give it an entry in "lambda_functions" of '
                f'.chalice/config.json, as {{"lambda_timeout": 30, "iam_policy_file": "policy-{name}.json"}}'
            )
            continue
        if not (folder / entry["iam_policy_file"]).is_file():
            problems.append(f"The function {name} has no policy: write .chalice/{entry['iam_policy_file']}")
        concurrency = entry.get("maximum_concurrency")
        found[name] = Function(name, int(entry["lambda_timeout"]), entry["iam_policy_file"], concurrency)
    known = config["lambda_functions"].keys()
    problems += [f"{name} in .chalice/config.json is no function of the code" for name in sorted(known - set(names))]
    if problems:
        raise Unbuildable("\n".join(problems))
    return found


def _entry(config: Mapping[str, Any], stage: str, name: str) -> dict[str, Any]:
    """Return the keys of the function. Keys of the stage override keys of all stages."""
    levels = (config.get("lambda_functions", {}), config["stages"][stage].get("lambda_functions", {}))
    return {key: value for level in levels for key, value in level.get(name, {}).items()}
