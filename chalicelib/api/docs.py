"""Serve the OpenAPI document and its page. All files come from the package."""

from pathlib import Path

from chalice.app import Blueprint

from chalicelib.api.http.endpoint import ApiResponse, Call, NoBody, NoData, ResponseForm, endpoint
from chalicelib.errors import NotFound

blueprint = Blueprint(__name__)
_HERE = Path(__file__).with_name("pages")
_FILES = {"page.js": "text/javascript; charset=utf-8", "page.css": "text/css; charset=utf-8"}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)


@endpoint(blueprint, "GET /openapi.json", response=NoData, form=ResponseForm.BARE, scope=None)
def get_openapi(call: Call[NoBody, NoBody]) -> ApiResponse[NoData]:
    """Return the OpenAPI 3.1 document of this API."""
    from chalicelib.api.http import openapi  # noqa: PLC0415  Its import takes 50 ms.

    del call
    return ApiResponse(200, openapi.text(), {"Cache-Control": "public, max-age=300"})


@endpoint(blueprint, "GET /docs", response=NoData, media_type="text/html", scope=None)
def get_docs(call: Call[NoBody, NoBody]) -> ApiResponse[NoData]:
    """Return the page that shows the OpenAPI document."""
    del call
    headers = {"Content-Security-Policy": _POLICY}
    return ApiResponse(200, _read("page.html"), headers, "text/html; charset=utf-8")


@endpoint(blueprint, "GET /docs/{name}", response=NoData, media_type="text/javascript", scope=None)
def get_docs_file(call: Call[NoBody, NoBody]) -> ApiResponse[NoData]:
    """Return the script or style of the page."""
    name = call.path["name"]
    if name not in _FILES:
        raise NotFound("File", name)
    return ApiResponse(200, _read(name), {"Cache-Control": "public, max-age=300"}, _FILES[name])


def _read(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")
