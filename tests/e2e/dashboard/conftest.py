"""Fixtures for dashboard tests: one Chromium for all tests, and a signed-in page that collects console errors."""

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
#: Timeout of one browser action in ms, long enough for a busy machine.
PATIENCE = 30_000
#: Returns the ID of each violated rule with its first elements.
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
    """A user with a browser. `complaints` are the errors of the browser's console."""

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
        # The browser logs every response with an error status. The page explains these three to the user.
        url = message.location.get("url", "")
        is_explained = "/v1/" in url and any(status in message.text for status in ("404", "409", "422"))
        if message.type == "error" and not is_explained:
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
        """Check the current page with axe, with all of its rules or the given ones."""
        # A change of the hash keeps the page, so axe is loaded once.
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
    """Return a signed-in visitor. After the test, the console must have no errors."""
    user = visit(browser, shared)
    user.bring_key()
    yield user
    user.context.close()
    assert user.complaints == []
