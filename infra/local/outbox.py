"""Web page of sent mails (.eml) and other messages (.json), newest first."""

import heapq
import html
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import policy
from email.parser import BytesParser
from pathlib import Path
from urllib.parse import parse_qs, quote, unquote, urlencode

from infra.local.asgi import Answer

DEFAULT_LIMIT = 50
MAXIMUM_LIMIT = 500
#: Valid file names. Without separators and leading dots, a name cannot address a file outside of the outbox.
FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9@._-]*\.(eml|json)")
TIME = re.compile(r"(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)")

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 0 auto; padding: 1rem; color: #1d2430 }
table { border-collapse: collapse; width: 100% } th, td { text-align: left; padding: .4rem .8rem .4rem 0;
border-bottom: 1px solid #d5dae2; vertical-align: top; overflow-wrap: anywhere }
pre { white-space: pre-wrap; overflow-wrap: anywhere; background: #f3f5f8; padding: 1rem } a { color: #0b57a4 }
dt { font-weight: 600 } dd { margin: 0 0 .5rem }
@media (prefers-color-scheme: dark) { body { background: #12161d; color: #e4e8ee } pre { background: #1c222c }
a { color: #8ec1f5 } th, td { border-color: #333c49 } }
"""


@dataclass(frozen=True, slots=True)
class Mail:
    """The parts of a file that the page shows."""

    to: str
    subject: str
    fields: tuple[tuple[str, str], ...]
    text: str


class Outbox:
    """Answers `/outbox` (a page of the list) and `/outbox/{file}` (one message; `?raw=1` returns the file)."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def answer(self, path: str, query: str) -> Answer:
        given = {name: values[-1] for name, values in parse_qs(query).items()}
        name = unquote(path.removeprefix("/outbox").strip("/"))
        if not name:
            return self._list(given)
        if FILE_NAME.fullmatch(name) is None or not (self._folder / name).is_file():
            return _page(404, "Not found", "<p>This message does not exist. <a href='/outbox'>Outbox</a></p>")
        content = (self._folder / name).read_bytes()
        if "raw" in given:
            return _answer(200, "text/plain; charset=utf-8", content)
        return _page(200, "Message", _show(name, read_mail(name, content)))

    def _list(self, given: dict[str, str]) -> Answer:
        """Return a page, newest first. `cursor` is the last file name of the previous page."""
        limit = int(given.get("limit", DEFAULT_LIMIT)) if given.get("limit", "1").isdecimal() else DEFAULT_LIMIT
        limit = max(1, min(MAXIMUM_LIMIT, limit))
        cursor = given.get("cursor", "")
        names = heapq.nlargest(limit + 1, (name for name in self._names() if not cursor or name < cursor))
        rows = "".join(self._table_row(name) for name in names[:limit])
        older = ""
        if len(names) > limit:
            link = urlencode({"limit": limit, "cursor": names[limit - 1]})
            older = f"<p><a rel='next' href='/outbox?{html.escape(link)}'>Older</a></p>"
        count = sum(1 for _ in self._names())
        head = "<tr><th scope='col'>Time</th><th scope='col'>To</th><th scope='col'>Subject</th></tr>"
        newest = "<p><a href='/outbox'>Newest</a></p>" if cursor else ""
        table = f"<table><thead>{head}</thead><tbody>{rows}</tbody></table>" if rows else "<p>Nothing was sent yet.</p>"
        return _page(200, "Outbox", f"<p>{count} sent</p>{newest}{table}{older}")

    def _names(self) -> Iterator[str]:
        with os.scandir(self._folder) as entries:
            yield from (entry.name for entry in entries if FILE_NAME.fullmatch(entry.name))

    def _table_row(self, name: str) -> str:
        try:
            mail = read_mail(name, (self._folder / name).read_bytes())
        except FileNotFoundError:
            return ""
        link = f"<a href='/outbox/{quote(name)}'>{html.escape(mail.subject) or '(no subject)'}</a>"
        return f"<tr><td>{_time(name)}</td><td>{html.escape(mail.to)}</td><td>{link}</td></tr>"


def read_mail(name: str, content: bytes) -> Mail:
    """Parse a file. Unreadable content is shown as text."""
    if name.endswith(".json"):
        return _read_json(content)
    mail = BytesParser(policy=policy.default).parsebytes(content)
    body = mail.get_body(("plain", "html"))
    text = str(body.get_content()) if body is not None else ""
    fields = tuple((key, str(value)) for key, value in mail.items() if not key.lower().startswith("content-"))
    return Mail(str(mail.get("To", "")), str(mail.get("Subject", "")), fields, text)


def _read_json(content: bytes) -> Mail:
    text = content.decode("utf-8", errors="replace")
    try:
        found = json.loads(text)
    except ValueError:
        return Mail("", "", (), text)
    if not isinstance(found, dict):
        return Mail("", "", (), text)
    subject = str(found.get("subject") or found.get("channel") or found.get("type") or "message")
    return Mail(str(found.get("to", "")), subject, (), json.dumps(found, indent=2, ensure_ascii=False))


def _show(name: str, mail: Mail) -> str:
    fields = "".join(f"<dt>{html.escape(key)}</dt><dd>{html.escape(value)}</dd>" for key, value in mail.fields)
    links = f"<p><a href='/outbox'>Outbox</a> · <a href='/outbox/{quote(name)}?raw=1'>Source</a></p>"
    return f"{links}<h2>{html.escape(mail.subject)}</h2><dl>{fields}</dl><pre>{html.escape(mail.text)}</pre>"


def _time(name: str) -> str:
    match = TIME.match(name)
    return "{}-{}-{} {}:{}:{} UTC".format(*match.groups()) if match else ""


def _page(status: int, title: str, body: str) -> Answer:
    page = (
        f"<!doctype html><html lang='en'><head><meta charset='utf-8'><title>{title} – Carillon</title>"
        f"<meta name='viewport' content='width=device-width'><style>{STYLE}</style></head>"
        f"<body><main><h1>{title}</h1>{body}</main></body></html>"
    )
    return _answer(status, "text/html; charset=utf-8", page.encode())


def _answer(status: int, content_type: str, content: bytes) -> Answer:
    headers = {
        "content-type": content_type,
        "content-length": str(len(content)),
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        # The page never shows the HTML of a mail. This policy would also block its scripts and requests.
        "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
    }
    return Answer(status, [(name.encode(), value.encode()) for name, value in headers.items()], content)
