"""The dashboard's files under names that change with their content, and the page that names them."""

import base64
import hashlib
import json
import re
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from string import Template

_HERE = Path(__file__).parent
_TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}
_FIRST = "main.js"
#: Of every page view; other sheets come with the screens that need them.
_STYLES = ("base.css", "parts.css")
#: Waits for nothing, so that the first paint has the chosen colours.
_BLOCKING = "theme.js"
_STATIC_IMPORT = re.compile(r'^(?:import|export) [^"()]*"\./([a-z-]+\.js)";$', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Asset:
    """A file as it is served."""

    text: str
    content_type: str


@dataclass(frozen=True, slots=True)
class HtmlDocument:
    """A page and the policy that goes with it."""

    html: str
    policy: str


@cache
def assets() -> dict[str, Asset]:
    """By hashed name; read once in a process."""
    return {hashed: Asset(_read(name), _TYPES[Path(name).suffix]) for name, hashed in _names().items()}


@cache
def _names() -> dict[str, str]:
    """`main.js` → `main.0f3c….js`."""
    found = sorted(path.name for path in (_HERE / "assets").iterdir() if path.suffix in _TYPES)
    return {name: _hashed(name) for name in found}


@cache
def _read(name: str) -> str:
    return (_HERE / "assets" / name).read_text(encoding="utf-8")


def _hashed(name: str) -> str:
    stem, _, suffix = name.rpartition(".")
    return f"{stem}.{hashlib.sha256(_read(name).encode()).hexdigest()[:12]}.{suffix}"


def _digest(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def build_page(base: str) -> HtmlDocument:
    """The page below `base`, a path that ends with a slash.

    The import map stands before every preload: a browser that has a preloaded module in its cache would resolve its
    imports at once, and take the map that comes later for too late.
    """
    names = _names()
    imports = {f"./assets/{name}": f"./assets/{hashed}" for name, hashed in names.items()}
    import_map = json.dumps({"imports": imports}, separators=(",", ":"))
    html = Template((_HERE / "page.html").read_text(encoding="utf-8")).substitute(
        base=escape(base),
        styles="".join(f'<link rel="stylesheet" href="assets/{names[name]}">\n' for name in _STYLES),
        blocking=names[_BLOCKING],
        import_map=import_map,
        preloads="".join(f'<link rel="modulepreload" href="assets/{names[name]}">\n' for name in first_modules()),
        first=names[_FIRST],
    )
    policy = (
        f"default-src 'none'; script-src 'self' {_digest(import_map)}; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; frame-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
    )
    return HtmlDocument(html, policy)


@cache
def first_modules() -> tuple[str, ...]:
    """What the first one imports, directly or not."""
    found: list[str] = [_FIRST]
    for name in found:
        found += [each for each in _STATIC_IMPORT.findall(_read(name)) if each not in found]
    return tuple(found)


@cache
def build_frame() -> HtmlDocument:
    """The frame that shows a rendered mail: of an origin of its own, and nothing in it runs but its own script."""
    script = (_HERE / "frame.js").read_text(encoding="utf-8")
    html = f'<!doctype html>\n<html lang="en">\n<title>Preview</title>\n<script>{script}</script>\n</html>\n'
    policy = (
        f"sandbox allow-scripts; default-src 'none'; script-src {_digest(script)}; style-src 'unsafe-inline'; "
        "img-src data: https:; font-src data: https:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    )
    return HtmlDocument(html, policy)
