"""Actions that several dashboard tests use."""

import json
from typing import Any

from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.e2e.stack import Stack


def bring_key(context: BrowserContext, stack: Stack) -> None:
    """Store the key as an earlier sign-in does. Frames of another origin have no storage, so they are left out."""
    context.add_init_script(f"if (top === window) sessionStorage.setItem('carillon.key', {json.dumps(stack.key())})")


def named(page: Page, name: str) -> Locator:
    """Return the card of the step with this headline."""
    return page.locator(".step-main").filter(has_text=name)


def insert(page: Page, plus: Locator, kind: str) -> None:
    plus.click()
    page.get_by_role("menuitem").filter(has=page.get_by_text(kind, exact=True)).click()


def wait_until_saved(page: Page) -> None:
    expect(page.locator(".save-state")).to_have_text("Saved")


def sample(stack: Stack) -> tuple[str, str]:
    """Return the email channel and its template."""
    channel = stack.call("GET", "/v1/channels?type=email")["data"][-1]["uid"]
    template = stack.call("GET", "/v1/templates?channelType=email&status=PUBLISHED&name=Welcome")["data"][-1]["uid"]
    return channel, template


def send(stack: Stack, uid: str, name: str) -> dict[str, Any]:
    channel, template = sample(stack)
    return {"id": uid, "type": "SEND", "name": name, "channelUid": channel, "templateUid": template}


def search(dialog: Locator, name: str) -> Locator:
    """Return the one contact that a picker finds. Waiting for it prevents a click on an entry that is replaced."""
    dialog.get_by_label("Name, address or tag").fill(name)
    expect(dialog.get_by_role("list", name="Contacts").get_by_role("listitem")).to_have_count(1)
    return dialog.get_by_label(name)
