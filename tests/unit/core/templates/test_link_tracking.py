"""Rewriting of HTML messages: which links lead by us, and that nothing else changes."""

import re
from html import unescape

import pytest

from chalicelib.core.templates.link_tracking import MAX_URL, track
from chalicelib.model.ids import ContactUid, FlowUid, MessageUid, NodeId, WorkspaceUid
from chalicelib.model.signing import CLICK, Links, hash_url, verify_token
from tests.builders import build_channel

LINKS = Links(b"secret", "https://x.example")
UID = MessageUid(WorkspaceUid("w"), FlowUid("f"), ContactUid("ann"), NodeId("hello"), 2)


def tracked(html: str, **fields: bool) -> str:
    channel = build_channel(**(fields or {"track_clicks": True}))
    return track({"html": html, "text": html}, LINKS, UID, channel)["html"]


@pytest.mark.parametrize(
    ("html", "url"),
    [
        ('<a href="https://shop.example/a?b=1&amp;c=2">x</a>', "https://shop.example/a?b=1&c=2"),
        ("<A class=x HREF = 'http://shop.example/ü'>x</A>", "http://shop.example/ü"),
        ('<a title="a" href="https://shop.example/#top" rel=x>x</a>', "https://shop.example/#top"),
    ],
)
def test_a_link_leads_by_us_to_where_it_led(html: str, url: str) -> None:
    found = re.search(r'href\s*=\s*"([^"]*)"', tracked(html), re.IGNORECASE)
    assert found
    path, _, query = unescape(found[1]).removeprefix("https://x.example/l/").partition("?u=")
    assert verify_token(b"secret", CLICK, path, 6) == ("w", "f", "ann", "hello", "2", hash_url(url))
    assert query == LINKS.click(UID, url).partition("?u=")[2]


@pytest.mark.parametrize(
    "html",
    [
        '<a href="mailto:ann@example.com">x</a>', '<a href="#top">x</a>', "<a name=x>x</a>",
        '<a href="https://x.example/u/w.c.email.NEWSLETTER.sig">x</a>', '<link href="https://shop.example/x.css">',
        '<img src="https://shop.example/x.png">', "https://shop.example", '<a data-href="https://shop.example">x</a>',
        f'<a href="https://shop.example/{"x" * MAX_URL}">x</a>', '<a href="javascript:alert(1)">x</a>',
    ],
)  # fmt: skip
def test_everything_else_stays_as_it_is(html: str) -> None:
    assert tracked(html) == html


def test_the_pixel_stands_at_the_end_of_the_body() -> None:
    pixel = '<img src="https://x.example/o/'
    assert tracked("<body>Hi</BODY></html>", track_opens=True).startswith(f"<body>Hi{pixel}")
    assert tracked("Hi", track_opens=True).startswith(f"Hi{pixel}")
    assert "/o/" not in tracked("Hi", track_clicks=True)


def test_text_and_channels_that_do_not_ask_are_left_alone() -> None:
    content = {"html": '<a href="https://shop.example">x</a>', "text": "https://shop.example"}
    asking = build_channel(track_clicks=True, track_opens=True)
    assert track(content, LINKS, UID, build_channel()) == content
    assert track(content, Links(b"secret", ""), UID, asking) == content
    assert track(content, LINKS, UID, asking)["text"] == content["text"]
    assert track({"text": "x"}, LINKS, UID, asking) == {"text": "x"}
