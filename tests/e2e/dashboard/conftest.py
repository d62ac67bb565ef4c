"""Chromium from the system, one browser for all tests, and a page that is signed in and counts its complaints."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.e2e.dashboard.hands import bring_key
from tests.e2e.stack import Stack

#: Playwright brings its own driver; its own browsers are not downloaded.
CHROMIUM = os.environ.get("CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
#: As long as something may take on a busy machine before a test gives up, in milliseconds.
PATIENCE = 30_000
#: What is wrong, and where.
AXE = """options => axe.run(document, options).then(
    (found) => found.violations.map((each) => [each.id, each.nodes.slice(0, 3).map((node) => node.target)]))"""


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("No Chromium here (apt-get install chromium, or name one by CHROMIUM=…)")
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        # Containers have no user namespaces for the sandbox; only our own pages are opened.
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield running
        running.close()


@dataclass
class Visitor:
    """Somebody with a browser. `complaints` is what the browser's console said of errors."""

    context: BrowserContext
    stack: Stack
    page: Page
    complaints: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> Page:
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: self.complaints.append(f"{page.url}: {error}"))
        page.on("console", self._note)
        return page

    def _note(self, message: Any) -> None:
        # The browser reports each refusal itself; the page tells in words what is missing, wrong or changed meanwhile.
        url = message.location.get("url", "")
        is_told = "/v1/" in url and any(status in message.text for status in ("404", "409", "422"))
        if message.type == "error" and not is_told:
            self.complaints.append(f"{self.page.url}: {message.text}")

    def bring_key(self) -> None:
        bring_key(self.context, self.stack)

    def sign_in(self) -> None:
        self.page.goto(self.stack.url + "/")
        self.page.get_by_label("API key").fill(self.stack.key())
        self.page.get_by_role("button", name="Sign in").click()
        self.page.get_by_role("heading", name="Overview").wait_for()

    def open(self, place: str) -> Page:
        self.page.goto(f"{self.stack.url}/#/{place}")
        return self.page

    def look_for_barriers(self, *rules: str) -> None:
        """What axe finds on the page as it is now, by all of its rules or these."""
        # The page stays the same while only what is behind its # changes: axe is brought once.
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE_SCRIPT)
        options = {"resultTypes": ["violations"], **({"runOnly": list(rules)} if rules else {})}
        found = self.page.evaluate(AXE, options)
        assert found == [], self.page.url

    def new_campaign(self, steps: list[Any], **more: Any) -> str:
        return str(
            self.stack.call("POST", "/v1/campaigns", {"name": f"c-{uuid4().hex[:8]}", "steps": steps, **more})["data"][
                "uid"
            ]
        )


def visit(browser: Browser, stack: Stack, **options: Any) -> Visitor:
    here = {"viewport": {"width": 1440, "height": 900}, "locale": "en-US", "timezone_id": "UTC"}
    context = browser.new_context(**{**here, **options})
    visitor = Visitor(context, stack, context.new_page())
    visitor.watch(visitor.page)
    return visitor


@pytest.fixture
def visitor(browser: Browser, shared: Stack) -> Iterator[Visitor]:
    """Signed in; at the end the browser must have had nothing to complain about."""
    somebody = visit(browser, shared)
    somebody.bring_key()
    yield somebody
    somebody.context.close()
    assert somebody.complaints == []
