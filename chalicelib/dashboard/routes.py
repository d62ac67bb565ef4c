"""Routes of the dashboard: its page, its assets, and the frame that shows a mail."""

from chalice.app import Blueprint, Response

from chalicelib.dashboard.files import HtmlDocument, assets, build_frame, build_page

blueprint = Blueprint(__name__)
#: The type of headers in Chalice.
_Headers = dict[str, str | list[str]]
_HEADERS: _Headers = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
_YEAR = "public, max-age=31536000, immutable"


@blueprint.route("/", methods=["GET"], cors=False)
def get_page() -> Response:
    """Serve the page. Browsers revalidate it each time, because it names the current modules."""
    # The path starts with the stage of API Gateway, or with the base path of a custom domain.
    path = str((blueprint.current_request.context or {}).get("path") or "/")
    return _respond(build_page(f"{path.rstrip('/')}/"))


@blueprint.route("/preview", methods=["GET"], cors=False)
def get_frame() -> Response:
    """Serve an empty frame. Its parent sends the HTML to show in a message."""
    return _respond(build_frame())


@blueprint.route("/assets/{name}", methods=["GET"], cors=False)
def get_asset(name: str) -> Response:
    """Serve a module or a style sheet by its hashed name. The content of a name never changes."""
    asset = assets().get(name)
    if asset is None:
        headers: _Headers = {**_HEADERS, "Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store"}
        return Response("There is no such file. The dashboard was updated: reload it.", headers, 404)
    return Response(asset.text, {**_HEADERS, "Content-Type": asset.content_type, "Cache-Control": _YEAR})


def _respond(document: HtmlDocument) -> Response:
    headers: _Headers = {
        **_HEADERS,
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": document.policy,
        "Cache-Control": "no-cache",
    }
    return Response(document.html, headers)
