"""Serves the dashboard: its page, its modules, and the frame that shows a mail."""

from chalice.app import Blueprint, Response

from chalicelib.dashboard.files import HtmlDocument, assets, build_frame, build_page

blueprint = Blueprint(__name__)
#: As Chalice types them.
_Headers = dict[str, str | list[str]]
_HEADERS: _Headers = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
_YEAR = "public, max-age=31536000, immutable"


@blueprint.route("/", methods=["GET"], cors=False)
def get_page() -> Response:
    """The page; asked for again each time, as it alone knows the names of the modules."""
    # API Gateway puts the stage before the path, and a custom domain its own; what is left of "/" is where we are.
    path = str((blueprint.current_request.context or {}).get("path") or "/")
    return _show(build_page(f"{path.rstrip('/')}/"))


@blueprint.route("/preview", methods=["GET"], cors=False)
def get_frame() -> Response:
    """An empty frame that is told by its parent what to show."""
    return _show(build_frame())


@blueprint.route("/assets/{name}", methods=["GET"], cors=False)
def get_asset(name: str) -> Response:
    """A module or a style sheet by its hashed name, which no other content ever has."""
    asset = assets().get(name)
    if asset is None:
        headers: _Headers = {**_HEADERS, "Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store"}
        return Response("There is no such file; the dashboard was changed, load it again.", headers, 404)
    return Response(asset.text, {**_HEADERS, "Content-Type": asset.content_type, "Cache-Control": _YEAR})


def _show(document: HtmlDocument) -> Response:
    headers: _Headers = {
        **_HEADERS,
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": document.policy,
        "Cache-Control": "no-cache",
    }
    return Response(document.html, headers)
