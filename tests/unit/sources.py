"""The Python sources of the project, parsed once for the tests that check its rules."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Module:
    """A parsed source file."""

    path: Path
    text: str
    tree: ast.Module

    @property
    def name(self) -> str:
        """Path from the root of the repository."""
        return self.path.relative_to(ROOT).as_posix()

    @property
    def part(self) -> str:
        """The ring of chalicelib (`errors`, `model`, …), or `app`, `tests` or `infra`."""
        first, *rest = self.path.relative_to(ROOT).with_suffix("").parts
        return rest[0] if first == "chalicelib" and rest else first

    @property
    def inner(self) -> str:
        """Path from the folder chalicelib."""
        return self.name.removeprefix("chalicelib/")

    def imports(self) -> Iterator[tuple[str, int]]:
        """Yield the dotted names of all imports of the file, with their lines."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from ((alias.name, node.lineno) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{self.name}:{node.lineno} imports relatively"
                yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)


@cache
def modules() -> tuple[Module, ...]:
    """Return all Python modules of the project. Packages that npm installs may contain others."""
    found = [path for top in ("chalicelib", "infra", "tests") for path in (ROOT / top).rglob("*.py")]
    found = [path for path in found if "node_modules" not in path.parts] + [ROOT / "app.py"]
    return tuple(Module(path, text := path.read_text(encoding="utf-8"), ast.parse(text)) for path in sorted(found))


def shipped() -> tuple[Module, ...]:
    """Return the modules that the package for AWS contains."""
    return tuple(module for module in modules() if module.part not in {"infra", "tests", "__init__"})


def functions(module: Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield all functions and methods of a module, nested ones included."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node
