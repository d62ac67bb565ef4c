"""Read the dashboard's files, give them names that change with their content, and build the page that names them."""

import base64
import hashlib
import json
import re
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from posixpath import dirname, join, normpath
from string import Template

_HERE = Path(__file__).parent
_ASSETS = _HERE / "assets"
_TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}
_MAIN = "shell/main.js"
_PRELOAD = "lib/preload.js"
#: Style sheets of every page. The others are loaded with the screens that need them.
_STYLES = ("components/base.css", "components/parts.css")
#: A classic script without imports: it runs before the first paint, so that the page never flashes in the wrong theme.
_BLOCKING = "shell/theme.js"
_SCREENS = "shell/screens.js"
_STATIC_IMPORT = re.compile(r'^(?:import|export)\b[^"();]*"(\.\.?/[\w./-]+\.js)";', re.MULTILINE)
_SHEET = re.compile(r'import\.meta\.resolve\("(\.\.?/[\w./-]+\.css)"\)')
_SCREEN = re.compile(r'^ +"?([a-z/]+)"?: \(\) => import\("(\.\.?/[\w./-]+\.js)"\),$', re.MULTILINE)
_COMMENT = re.compile(r"^[ \t]*(?://.*|/\*\*(?:(?!\*/)[\s\S])*\*/[ \t]*)$", re.MULTILINE)
_REFERENCE = re.compile(r'"(\.\.?/[\w./-]+\.(?:js|css))"')


@dataclass(frozen=True, slots=True)
class Asset:
    """A file as the server sends it."""

    text: str
    content_type: str


@dataclass(frozen=True, slots=True)
class HtmlDocument:
    """A page and its Content-Security-Policy."""

    html: str
    policy: str


@cache
def assets() -> dict[str, Asset]:
    """Return all files by hashed name. They are read once per process."""
    return {hashed: Asset(_served(name), _TYPES[Path(name).suffix]) for name, hashed in _names().items()}


@cache
def _names() -> dict[str, str]:
    """Map paths below assets to hashed names: `shell/main.js` → `shell-main.0f3c….js`."""
    found = sorted(path.relative_to(_ASSETS).as_posix() for path in _ASSETS.rglob("*") if path.suffix in _TYPES)
    return {name: _hashed(name) for name in found}


@cache
def _read(name: str) -> str:
    return (_ASSETS / name).read_text(encoding="utf-8")


@cache
def _code(name: str) -> str:
    """Return the text of a file; of our own modules without comments, which hold types and reasons for developers.

    Line numbers stay, so that the browser names the lines that are in git.
    """
    text = _read(name)
    is_ours = name.endswith(".js") and not name.startswith("vendor/")
    return _COMMENT.sub(lambda found: "\n" * found[0].count("\n"), text) if is_ours else text


@cache
def _served(name: str) -> str:
    """Return the code of a file with flat names in its imports: `../lib/api.js` → `./lib-api.js`.

    All files share one flat path, because the route has one path parameter. There, `./draft.js` would mean the same
    file in every folder. The flat names carry no hash: the import map adds it, so that a changed module does not
    change the modules that import it.
    """
    return _REFERENCE.sub(lambda found: f'"./{_flat(_target(name, found[1]))}"', _code(name))


def _flat(name: str) -> str:
    return name.replace("/", "-")


def _target(importer: str, reference: str) -> str:
    return normpath(join(dirname(importer), reference))


def _hashed(name: str) -> str:
    stem, _, suffix = _flat(name).rpartition(".")
    return f"{stem}.{hashlib.sha256(_served(name).encode()).hexdigest()[:12]}.{suffix}"


def _digest(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def build_page(base: str) -> HtmlDocument:
    """Build the page below `base`, a path that ends with a slash.

    The import map comes before every preload. A browser with a preloaded module in its cache resolves its imports
    immediately, and ignores a later map.
    """
    names = _names()
    imports = {f"./assets/{_flat(name)}": f"./assets/{hashed}" for name, hashed in names.items()}
    import_map = json.dumps({"imports": imports}, separators=(",", ":"))
    flat = {screen: [_flat(name) for name in closure] for screen, closure in closures().items()}
    html = Template((_HERE / "page.html").read_text(encoding="utf-8")).substitute(
        base=escape(base),
        styles="".join(f'<link rel="stylesheet" href="assets/{names[name]}">\n' for name in _STYLES),
        blocking=names[_BLOCKING],
        import_map=import_map,
        closures=escape(json.dumps(flat, separators=(",", ":"))),
        preload=names[_PRELOAD],
        preloads="".join(f'<link rel="modulepreload" href="assets/{names[name]}">\n' for name in first_modules()),
        first=names[_MAIN],
    )
    policy = (
        f"default-src 'none'; script-src 'self' {_digest(import_map)}; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; frame-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
    )
    return HtmlDocument(html, policy)


@cache
def first_modules() -> tuple[str, ...]:
    """List the modules that run on every page view, with their static imports."""
    return tuple(name for name in _closure(_PRELOAD, _MAIN) if name.endswith(".js"))


def screens() -> dict[str, str]:
    """Map each screen of the shell to its module."""
    return {screen: _target(_SCREENS, reference) for screen, reference in _SCREEN.findall(_code(_SCREENS))}


@cache
def closures() -> dict[str, tuple[str, ...]]:
    """Map each screen to the files that it needs beyond the first view: modules and style sheets."""
    first = {*first_modules(), *_STYLES}
    return {screen: tuple(each for each in _closure(name) if each not in first) for screen, name in screens().items()}


def _closure(*roots: str) -> list[str]:
    """List modules and everything that they import statically, directly or not, and the sheets that they load."""
    found = list(roots)
    for name in found:
        for reference in (*_STATIC_IMPORT.findall(_code(name)), *_SHEET.findall(_code(name))):
            target = _target(name, reference)
            if target not in found:
                found.append(target)
    return found


@cache
def build_frame() -> HtmlDocument:
    """Build the frame that shows a rendered mail. Its origin is opaque, and only its own script can run."""
    script = (_HERE / "frame.js").read_text(encoding="utf-8")
    html = f'<!doctype html>\n<html lang="en">\n<title>Preview</title>\n<script>{script}</script>\n</html>\n'
    policy = (
        f"sandbox allow-scripts; default-src 'none'; script-src {_digest(script)}; style-src 'unsafe-inline'; "
        "img-src data: https:; font-src data: https:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    )
    return HtmlDocument(html, policy)
