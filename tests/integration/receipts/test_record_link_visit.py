"""Tracked opens and clicks: each counts once, and a link is no open redirect."""

import re
from dataclasses import dataclass
from datetime import timedelta
from html import unescape
from typing import Any
from urllib.parse import quote

import pytest

from chalicelib.model.base import StrictModel
from tests.integration.consent_helpers import path_of, swap_ports
from tests.integration.harness import Story, story

__all__ = ["story"]

SHOP = "https://shop.example/sale?a=1&b=ü"


class HtmlContent(StrictModel):
    """What the recording provider takes here."""

    html: str


@dataclass
class Sent:
    """A message that is out, with the paths of its pixel and of its link."""

    story: Story
    flow: str
    open: str
    click: str

    def stats(self) -> Any:
        """Process all queued messages."""
        self.story.run()
        return self.story.flow(self.flow)["stats"]


@pytest.fixture
def sent(story: Story) -> Sent:
    swap_ports(story, public_url="https://mail.example.com/prod")
    story.provider.content = HtmlContent
    channel = {"name": "Console", "type": "console", "trackOpens": True, "trackClicks": True}
    story.channel = story.expect(201, story.api.post("/v1/channels", channel))["uid"]
    story.add_contacts(1)
    content = {"html": f'<body><a href="{SHOP}">Sale</a></body>'}
    body = {"name": "Hello", "channelType": "console", "content": content}
    story.template = story.expect(201, story.api.post("/v1/templates", body))["uid"]
    story.expect(200, story.api.post(f"/v1/templates/{story.template}/publish"))
    flow = story.start(story.short_campaign())
    story.advance(timedelta(seconds=2))
    html = story.provider.calls[0].message.content["html"]
    click, pixel = (unescape(found) for found in re.findall(r'(?:href|src)="([^"]*)"', html))
    return Sent(story, flow, path_of(pixel), f"{path_of(click)}?{click.partition('?')[2]}")


def test_an_open_and_a_click_are_counted_once_each(sent: Sent) -> None:
    for _ in range(2):
        pixel = sent.story.api.get(sent.open)
        assert (pixel.status, pixel.headers["content-type"]) == (200, "image/svg+xml")
    assert (sent.stats()["opened"], sent.stats()["clicked"]) == (1, 0)
    for _ in range(2):
        reply = sent.story.api.get(sent.click)
        assert (reply.status, reply.headers["location"]) == (302, quote(SHOP, safe=":/?&="))
    assert (sent.stats()["opened"], sent.stats()["clicked"]) == (1, 1)
    sent.story.api.get(sent.open)
    (contact,) = sent.story.contacts
    timeline = sent.story.api.get(f"/v1/contacts/{contact}/timeline").json["data"]
    assert [each["engagement"] for each in timeline if each["kind"] == "engagement"] == ["clicked"]
    recounted = sent.story.expect(200, sent.story.api.post(f"/v1/flows/{sent.flow}/recount"))
    sent.story.run()
    assert recounted
    assert sent.stats()["clicked"] == 1


def test_nobody_is_led_elsewhere(sent: Sent) -> None:
    path = sent.click.partition("?")[0]
    for query in (f"?u={quote('https://evil.example', safe='')}", f"?u={quote(SHOP + '&c=3', safe='')}"):
        reply = sent.story.api.get(path + query)
        assert (reply.status, "location" in reply.headers) == (404, False)
    assert sent.story.api.get(path).status == 422
    assert sent.story.api.get(sent.click.replace("/l/", "/l/x")).status == 404
    assert sent.stats()["clicked"] == 0


def test_the_pixel_of_nobody_is_an_image_all_the_same(sent: Sent) -> None:
    assert sent.story.api.get("/o/x").status == 200
    sent.story.expect(200, sent.story.api.delete(f"/v1/flows/{sent.flow}"))
    sent.story.run()
    assert sent.story.api.get(sent.open).status == 200
    assert sent.story.api.get(sent.click).status == 302
