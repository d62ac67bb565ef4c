"""Helpers for tests of consent: opt in and out, send, follow links, and act in the middle of a call."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from chalicelib.wiring import use_ports
from tests.integration.harness import Story

PUBLIC = "https://mail.example.com/prod"
SECOND = timedelta(seconds=1)


def swap_ports(story: Story, **changes: Any) -> None:
    story.world.ports = replace(story.world.ports, **changes)
    use_ports(story.world.ports)


def consent(story: Story, contact: str, state: str, **fields: Any) -> Any:
    body = {"channelType": "console", "state": state, **fields}
    return story.api.post(f"/v1/contacts/{contact}/consent", body)


def newsletter(story: Story, text: str = "News") -> str:
    template = story.add_template(text, messageType="NEWSLETTER")
    return story.short_campaign(templateUid=template)


def reasons(story: Story, flow: str) -> Any:
    return story.flow(flow)["metadata"]["skipReasons"]


def send_one(story: Story, campaign: str | None = None) -> str:
    flow = story.start(campaign or story.short_campaign())
    story.advance(SECOND)
    return flow


def path_of(url: str) -> str:
    return urlsplit(url).path.removeprefix("/prod")


@pytest.fixture
def linked(story: Story) -> Story:
    """Return the story with a public URL, so that messages contain links, and with one contact."""
    swap_ports(story, public_url=PUBLIC)
    story.set_up(1)
    return story


class Once:
    """Runs an action on its first call only."""

    def __init__(self, act: Callable[[], object]) -> None:
        self._act, self.done = act, False

    def __call__(self) -> None:
        if not self.done:
            self.done = True
            self._act()


class BeforeRegisterBatch:
    """Statistics that run an action before `register_batch`: after the claim, before the last check of consent."""

    def __init__(self, statistics: Any, act: Callable[[], None]) -> None:
        self._statistics, self._act = statistics, act

    def __getattr__(self, name: str) -> Any:
        return getattr(self._statistics, name)

    def register_batch(self, *arguments: Any) -> None:
        self._act()
        self._statistics.register_batch(*arguments)


class BeforeAdd:
    """Contacts that run an action before each `add`."""

    def __init__(self, contacts: Any, act: Callable[[], object]) -> None:
        self._contacts, self._act = contacts, act

    def __getattr__(self, name: str) -> Any:
        return getattr(self._contacts, name)

    def add(self, *arguments: Any, **named: Any) -> None:
        self._act()
        self._contacts.add(*arguments, **named)


def unsubscribe_path(story: Story, campaign: str | None = None) -> str:
    """Send a message to the contact and return the path of its unsubscribe link."""
    consent(story, story.contacts[0], "GRANTED")
    send_one(story, campaign or newsletter(story))
    return path_of(str(story.provider.calls[-1].message.unsubscribe_url))


def submit(story: Story, path: str, form: str) -> Any:
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Authorization": ""}
    return story.api.post(path, form.encode() or b"x=1", headers=headers)


def ask(story: Story, **fields: Any) -> Any:
    template = fields.pop("templateUid", None) or story.add_template("Please confirm: {{ confirm_url }}")
    return consent(story, story.contacts[0], "PENDING", channelUid=story.channel, templateUid=template, **fields)


def state_of(story: Story) -> Any:
    return story.api.get(f"/v1/contacts/{story.contacts[0]}").data["consent"]["console"]["NEWSLETTER"]


def confirm_path(story: Story) -> str:
    return path_of(story.provider.calls[-1].message.content["text"].removeprefix("Please confirm: "))
