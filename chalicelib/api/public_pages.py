"""Pages behind the links in messages: unsubscribe, confirm, opens and clicks. A GET of a page changes nothing."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from html import escape
from typing import Annotated
from urllib.parse import parse_qs, quote

from chalice.app import Blueprint
from pydantic import Field

from chalicelib.api.http.endpoint import ApiResponse, Call, NoBody, NoData, endpoint
from chalicelib.api.http.pages import Form, describe, page, paragraph, unknown_link
from chalicelib.core.privacy.confirm_opt_in import Confirmation, confirm_opt_in, read_confirmation
from chalicelib.core.privacy.set_consent import Kind
from chalicelib.core.privacy.unsubscribe import Subscription, read_subscription, unsubscribe
from chalicelib.core.receipts.record_link_visit import record_click, record_open
from chalicelib.core.templates.link_tracking import MAX_URL
from chalicelib.errors import NotFound, RetryLater, invalid
from chalicelib.model.base import StrictModel
from chalicelib.model.contact import ConsentState
from chalicelib.model.ids import WorkspaceUid
from chalicelib.model.message import MessageType
from chalicelib.model.workspace import Workspace
from chalicelib.ports import Ports

blueprint = Blueprint(__name__)
#: A text image, so that no binary response is needed.
_PIXEL = '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>'
#: Largest number of form fields. The page has fewer, and a mail client sends one.
MAX_FIELDS = 100
#: Message types that can be ended here. Replies to a contact cannot.
_ENDED = (MessageType.NEWSLETTER, MessageType.MESSAGE)


@endpoint(blueprint, "GET /u/{token}", response=NoData, media_type="text/html", scope=None)
def get_unsubscribe(call: Call[NoBody, NoBody]) -> ApiResponse[NoData]:
    """Show the page to unsubscribe."""
    try:
        return _ask(call.ports, read_subscription(call.ports, call.path["token"]))
    except NotFound:
        return unknown_link()


@endpoint(
    blueprint, "POST /u/{token}", response=NoData, media_type="text/html", scope=None, body=Form, idempotent=False
)
def post_unsubscribe(call: Call[Form, NoBody]) -> ApiResponse[NoData]:
    """Unsubscribe at once: from the selected kinds, or, by a mail client (RFC 8058), from the kind of the link."""
    try:
        link = read_subscription(call.ports, call.path["token"])
    except NotFound:
        return unknown_link()
    fields = _read_form(call.body.form)
    if "page" not in fields:
        unsubscribe(call.ports, link, [link.kind], "one_click")
        return _done(call.ports, link, [link.kind])
    ticked = [kind for kind in _choices(link) if _value(kind) in fields.get("stop", ())]
    if not ticked:
        return _ask(call.ports, link, "Nothing was ticked, so nothing has changed.")
    unsubscribe(call.ports, link, ticked, "unsubscribe_page")
    return _done(call.ports, link, ticked)


def _read_form(text: str) -> Mapping[str, Sequence[str]]:
    try:
        return parse_qs(text, max_num_fields=MAX_FIELDS)
    except ValueError as error:
        raise invalid("form", f"has more than {MAX_FIELDS} fields") from error


@endpoint(blueprint, "GET /c/{token}", response=NoData, media_type="text/html", scope=None)
def get_confirm(call: Call[NoBody, NoBody]) -> ApiResponse[NoData]:
    """Show the page to confirm. It needs a click, because scanners open links automatically."""
    try:
        found = read_confirmation(call.ports, call.path["token"])
    except NotFound:
        return unknown_link()
    if not found.is_open:
        return _answered(call.ports, found)
    sender = _sender(call.ports, found.workspace)
    return page(
        "Please confirm",
        paragraph(f"Do you want {describe(*found.kind)} from {sender}?")
        + '<form method="post"><button type="submit">Yes, I do</button></form>'
        + paragraph("If you did not ask for them, just close this page: then you will not get any."),
    )


@endpoint(
    blueprint, "POST /c/{token}", response=NoData, media_type="text/html", scope=None, body=Form, idempotent=False
)
def post_confirm(call: Call[Form, NoBody]) -> ApiResponse[NoData]:
    """Confirm the consent."""
    try:
        return _answered(call.ports, confirm_opt_in(call.ports, call.path["token"]))
    except NotFound:
        return unknown_link()


class ClickQuery(StrictModel):
    """The query of a tracked link."""

    u: Annotated[str, Field(min_length=1, max_length=MAX_URL)]
    """Address that the link leads to."""


@endpoint(
    blueprint, "GET /l/{token}", response=NoData, status=302, media_type="text/plain", scope=None, query=ClickQuery
)
def get_click(call: Call[NoBody, ClickQuery]) -> ApiResponse[NoData]:
    """Record a click and redirect. If recording fails, it redirects anyway."""
    try:
        with suppress(RetryLater):
            record_click(call.ports, call.path["token"], call.query.u)
    except NotFound:
        return unknown_link()
    return ApiResponse(302, "", {"Location": _ascii(call.query.u), "Referrer-Policy": "no-referrer"}, "text/plain")


@endpoint(blueprint, "GET /o/{token}", response=NoData, media_type="image/svg+xml", scope=None)
def get_open(call: Call[NoBody, NoBody]) -> ApiResponse[NoData]:
    """Record an open and return an invisible image."""
    with suppress(RetryLater):
        record_open(call.ports, call.path["token"])
    return ApiResponse(200, _PIXEL, {}, "image/svg+xml")


def _ascii(url: str) -> str:
    """Return the URL in the form of a header. Percent-encoding stays."""
    return quote(url, safe="!#$%&'()*+,/:;=?@[]~-._")


def _answered(ports: Ports, found: Confirmation) -> ApiResponse[NoData]:
    if found.is_confirmed:
        sender = _sender(ports, found.workspace)
        return page("Thank you", paragraph(f"You will get {describe(*found.kind)} from {sender}.", "status"))
    text = "The link has expired, or your consent has changed since. Nothing has been changed."
    return page("This link is no longer valid", paragraph(text, "status"), 410)


def _ask(ports: Ports, link: Subscription, notice: str = "") -> ApiResponse[NoData]:
    boxes = "".join(_box(link, kind) for kind in _choices(link))
    return page(
        f"Messages from {_sender(ports, link.workspace)}",
        (paragraph(notice, "status") if notice else "")
        + '<form method="post"><input type="hidden" name="page" value="1">'
        + f"<fieldset><legend>What shall end?</legend>{boxes}</fieldset>"
        + '<button type="submit">Unsubscribe</button></form>',
    )


def _done(ports: Ports, link: Subscription, kinds: Sequence[Kind]) -> ApiResponse[NoData]:
    items = "".join(f"<li>{escape(_sentence(kind))}</li>" for kind in kinds)
    text = paragraph(f"From now on {_sender(ports, link.workspace)} will not send you:", "status")
    return page("You are unsubscribed", f"{text}<ul>{items}</ul>")


def _choices(link: Subscription) -> list[Kind]:
    """Return the kind of the link first, then all others of its channel and of channels with a consent."""
    channels = [link.kind[0], *(link.contact.consent if link.contact else ())]
    others = [(channel, message) for channel in dict.fromkeys(channels) for message in _ENDED]
    return list(dict.fromkeys([link.kind, *others]))


def _box(link: Subscription, kind: Kind) -> str:
    state = link.contact.consent_to(*kind) if link.contact else None
    ended = state is ConsentState.REVOKED
    marks = (" checked" if ended or kind == link.kind else "") + (" disabled" if ended else "")
    text = _sentence(kind) + (" (has ended)" if ended else "")
    box = f'<input type="checkbox" name="stop" value="{escape(_value(kind))}"{marks}>'
    return f"<label>{box}{escape(text)}</label>"


def _value(kind: Kind) -> str:
    return f"{kind[0]}.{kind[1]}"


def _sentence(kind: Kind) -> str:
    text = describe(*kind)
    return text[0].upper() + text[1:]


def _sender(ports: Ports, workspace: WorkspaceUid) -> str:
    return ports.catalog.get(workspace, Workspace, workspace).name
