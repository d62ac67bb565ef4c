"""The page, assets and preview frame of the dashboard: names, caching and policies; rules for its modules."""

import base64
import gzip
import hashlib
import json
import re
from html import unescape
from typing import Any

import pytest

from app import app
from chalicelib.dashboard import files
from infra.local.lambda_runtime import Context

ASSETS = sorted(path.relative_to(files._ASSETS).as_posix() for path in files._ASSETS.rglob("*") if path.is_file())
OWN = [name for name in ASSETS if name.endswith(".js") and not name.startswith("vendor/")]
#: Size limits on the wire, in bytes: of the first view, and of what each screen adds to it.
FIRST_VIEW, SCREEN = 45_000, 25_000
#: Screens that may be larger.
LARGE_SCREENS = {"campaigns/": 60_000}

#: UI texts in code: words between tags, text in attributes that a reader sees or hears, and string literals that begin
#: with a capital letter and have a second word.
TEXT_IN_CODE = (
    re.compile(r"[^=]>\s*([A-Za-z][a-z]+[^<>$`{}&|=;]*)</"),
    re.compile(r"""\b(?:name|label|aria-label|lead|what|title|help|placeholder|action)="([A-Z][^"]*)\""""),
    re.compile(r"""["`]([A-Z][a-z’-]+ [A-Za-z$][^"`\n]*)["`]"""),
)
#: Not texts: the brand's logotype, and an HTTP header.
NOT_TRANSLATED = {"carillon", "Bearer ${asKey ?? key.value}"}
#: Modules that hold texts or the code of others.
NOT_SEARCHED = ("vendor/", "lib/texts/")


def get(path: str, resource: str | None = None, stage: str = "", **parameters: str) -> tuple[int, str, dict[str, str]]:
    """Send a GET event of API Gateway, which has the stage in `requestContext.path` only."""
    event: dict[str, Any] = {
        "resource": resource or path,
        "path": path,
        "httpMethod": "GET",
        "headers": {},
        "multiValueHeaders": {},
        "multiValueQueryStringParameters": None,
        "pathParameters": parameters or None,
        "stageVariables": None,
        "requestContext": {"httpMethod": "GET", "resourcePath": resource or path, "path": f"{stage}{path}"},
        "body": None,
        "isBase64Encoded": False,
    }
    answer = app(event, Context("api_handler", 29))
    return answer["statusCode"], answer["body"], {name.lower(): value for name, value in answer["headers"].items()}


def zipped(text: str) -> int:
    return len(gzip.compress(text.encode(), 9))


def test_the_page_is_revalidated_and_its_files_are_cached_for_a_year() -> None:
    status, page, headers = get("/")
    assert (status, headers["cache-control"]) == (200, "no-cache")
    named = re.findall(r'(?:href|src)="assets/([^"]+)"', page)
    assert len(named) > 10
    for name in named:
        status, text, headers = get(f"/assets/{name}", "/assets/{name}", name=name)
        assert (status, headers["cache-control"]) == (200, "public, max-age=31536000, immutable")
        assert headers["content-type"].startswith("text/javascript" if name.endswith(".js") else "text/css")
        assert hashlib.sha256(text.encode()).hexdigest()[:12] in name


def test_the_import_map_comes_before_every_preload_and_names_every_module() -> None:
    _, page, _ = get("/")
    assert page.index('type="importmap"') < page.index("modulepreload")
    shown = re.search(r'<script type="importmap">(.*?)</script>', page)
    assert shown
    imports = json.loads(shown[1])["imports"]
    served = [f"./assets/{name.replace('/', '-')}" for name in ASSETS if name.endswith((".js", ".css"))]
    assert len(served) == len(set(served)), "two files share one flat name"
    assert set(imports) == set(served)
    assert all(re.fullmatch(r"\./assets/[a-z-]+\.[0-9a-f]{12}\.(js|css)", target) for target in imports.values())


def test_served_modules_import_flat_names_that_the_import_map_knows() -> None:
    """A name with a folder would resolve outside of assets, where there is no route."""
    flat = {files._flat(name) for name in files._names()}
    for asset in files.assets().values():
        if not asset.content_type.startswith("text/javascript"):
            continue
        references = set(re.findall(r'"(\.\.?/[^"]+\.(?:js|css))"', asset.text))
        assert {each.removeprefix("./") for each in references} <= flat


def test_the_page_lists_for_each_screen_the_files_that_its_module_imports() -> None:
    _, page, _ = get("/")
    named = re.search(r'<meta name="closures" content="([^"]*)">', page)
    assert named
    shown = json.loads(unescape(named[1]))
    assert set(shown) == set(files.screens())
    assert "campaigns-campaign.js" in shown["campaigns/"]
    assert "campaigns-timeline.js" in shown["campaigns/"], "an import of the screen's module"
    assert "components-when.js" in shown["campaigns/"], "an import of an import"
    assert "campaigns-builder.css" in shown["campaigns/"], "a style sheet"
    flat = {files._flat(name) for name in files._names()}
    first = {files._flat(name) for name in files.first_modules()}
    for screen, closure in shown.items():
        assert set(closure) <= flat - first, screen
        assert len(closure) == len(set(closure)), screen


def test_the_policy_allows_the_import_map_and_no_other_inline_script() -> None:
    _, page, headers = get("/")
    policy = headers["content-security-policy"]
    inline = re.findall(r"<script(?![^>]*src)[^>]*>(.*?)</script>", page, re.DOTALL)
    assert len(inline) == 1
    digest = base64.b64encode(hashlib.sha256(inline[0].encode()).digest()).decode()
    assert f"script-src 'self' 'sha256-{digest}';" in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"<style| style=| on[a-z]+=", page)


@pytest.mark.parametrize(("stage", "base"), [("", "/"), ("/dev", "/dev/"), ("/my/domain", "/my/domain/")])
def test_the_base_is_the_path_before_the_route(stage: str, base: str) -> None:
    _, page, _ = get("/", stage=stage)
    assert f'<base href="{base}">' in page


def test_the_base_cannot_break_out_of_its_attribute() -> None:
    _, page, _ = get("/", stage='/"><script>alert(1)</script>')
    assert "<script>alert" not in page


@pytest.mark.parametrize(
    "name", ["shell-main.js", "shell-main.000000000000.js", "shell/main.js", "..%2froutes.py", "licences.txt"]
)
def test_other_names_are_not_found_and_not_cached(name: str) -> None:
    status, text, headers = get(f"/assets/{name}", "/assets/{name}", name=name)
    assert (status, headers["cache-control"]) == (404, "no-store")
    assert "no such file" in text


def test_the_preview_frame_is_sandboxed_and_runs_its_own_script_only() -> None:
    _, page, headers = get("/preview")
    policy = headers["content-security-policy"]
    script = re.search(r"<script>(.*?)</script>", page, re.DOTALL)
    assert script
    digest = base64.b64encode(hashlib.sha256(script[1].encode()).digest()).decode()
    assert policy.startswith("sandbox allow-scripts; default-src 'none';")
    assert f"script-src 'sha256-{digest}';" in policy
    assert "allow-same-origin" not in policy
    assert "connect-src" not in policy


def test_the_first_view_fits_the_budget() -> None:
    """The chart is not counted, because it is loaded later."""
    _, page, _ = get("/")
    names = {*files.first_modules(), *files.closures()["overview"], *files._STYLES, files._BLOCKING}
    assert zipped(page) + sum(zipped(files._served(name)) for name in names) <= FIRST_VIEW


@pytest.mark.parametrize("screen", files.screens())
def test_a_screen_fits_the_budget(screen: str) -> None:
    added = sum(zipped(files._served(name)) for name in files.closures()[screen])
    assert added <= LARGE_SCREENS.get(screen, SCREEN)


def test_every_screen_of_the_shell_is_a_module_with_a_screen() -> None:
    assert len(files.screens()) == files._read(files._SCREENS).count("import(") > 15
    for name in files.screens().values():
        assert "export function Screen(" in files._read(name), name


@pytest.mark.parametrize("name", OWN)
def test_a_module_is_short_documented_and_writes_text_only(name: str) -> None:
    text = files._read(name)
    assert text.startswith("// ")
    assert text.count("\n") <= 300
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|dangerouslySet|\beval\(|new Function", text
    )
    assert {files._target(name, each) for each in files._REFERENCE.findall(files._code(name))} - set(ASSETS) == set()


@pytest.mark.parametrize("name", [name for name in OWN if not name.startswith(NOT_SEARCHED)])
def test_a_module_has_no_texts_of_its_own(name: str) -> None:
    """All texts are in lib/texts, where they can be reviewed and translated together."""
    code = files._code(name)
    found = {text.strip() for pattern in TEXT_IN_CODE for text in pattern.findall(code)}
    assert found - NOT_TRANSLATED == set()


@pytest.mark.parametrize("name", OWN)
def test_a_module_is_checked_by_typescript(name: str) -> None:
    assert files._read(name).startswith("// @ts-check\n")


@pytest.mark.parametrize("name", [name for name in OWN if not name.startswith(NOT_SEARCHED)])
def test_an_exported_function_documents_the_types_of_its_parameters(name: str) -> None:
    function = re.compile(r"^export (?:async )?(?:function \w+\((?!\))|const \w+ = (?:async )?\((?!\)))")
    lines = files._read(name).splitlines()
    exported = [number for number, line in enumerate(lines) if function.match(line)]
    assert [lines[number] for number in exported if not lines[number - 1].endswith("*/")] == []


def test_every_module_is_imported() -> None:
    used = {files._BLOCKING, files._MAIN, files._PRELOAD, *files._STYLES}
    for name in OWN:
        used |= {files._target(name, each) for each in files._REFERENCE.findall(files._code(name))}
    assert set(files._names()) - used == set()


def test_vendored_code_keeps_its_licence_notice() -> None:
    licences = files._read("vendor/licences.txt")
    for library in ("preact", "@preact/signals", "htm", "uplot"):
        assert f"================ {library} " in licences
    for name in ("vendor/preact.js", "vendor/uplot.js", "vendor/uplot.css"):
        assert files._read(name).startswith("/*!")
