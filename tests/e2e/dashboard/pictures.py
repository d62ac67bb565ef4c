"""Take the README's pictures of the dashboard: `make pictures` starts a stack, fills it, and writes the pictures."""

import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests.e2e.dashboard.conftest import CHROMIUM
from tests.e2e.dashboard.hands import send
from tests.e2e.stack import ROOT, Stack, eventually

FOLDER = ROOT / "infra/pictures"
PEOPLE = 240
#: Name → width, height, colour scheme.
VIEWS = {"light": (1440, 900, "light"), "dark": (1440, 900, "dark"), "phone": (390, 844, "light")}


def steps(stack: Stack) -> list[Any]:
    """Return steps after which some contacts wait, some have a message, and some were skipped."""
    lanes = [
        {"label": "Question", "weight": 50, "steps": [send(stack, "we-miss-you", "We miss you")]},
        {"label": "Offer", "weight": 50, "steps": [send(stack, "offer", "15% for you")]},
    ]
    opened = [
        {
            "label": "Yes",
            "when": {"any": [{"message": "we-miss-you", "is": "opened"}, {"message": "offer", "is": "opened"}]},
            "steps": [{"id": "mark", "type": "TAG", "name": "Mark as re-engaged", "add": ["re-engaged"]}],
        },
        {"label": "No", "steps": [send(stack, "reminder", "Short reminder"), {"id": "end", "type": "END"}]},
    ]
    return [
        {"id": "subject", "type": "AB_TEST", "name": "Subject line", "lanes": lanes},
        {"id": "two-days", "type": "WAIT", "name": "Give it two days", "for": "P2D"},
        {"id": "opened", "type": "CONDITION", "name": "Opened the e-mail?", "lanes": opened},
    ]


def fill(stack: Stack) -> str:
    """Create and launch the campaign, and wait until it has statistics."""
    rows = [f"p-{n},{'' if n % 17 == 0 else f'p{n}@example.com'},Person {n}" for n in range(PEOPLE)]
    stack.import_contacts("\n".join(["externalId,email,firstName", *rows, ""]))
    found = stack.every("/v1/contacts")
    contacts = [each["uid"] for each in found if str(each["externalId"]).startswith("p-")]
    about = "For contacts who have not opened a message for 90 days."
    request = {"name": "Spring re-engagement", "description": about, "steps": steps(stack)}
    audience = {"contactUids": contacts}
    uid = str(stack.call("POST", "/v1/campaigns", {**request, "audience": audience})["data"]["uid"])
    stack.call("POST", f"/v1/campaigns/{uid}/launch", {})

    def all_wait() -> bool:
        nodes = stack.call("GET", f"/v1/campaigns/{uid}/status")["data"]["nodes"]
        return bool(nodes.get("two-days", {}).get("here") == PEOPLE)

    eventually(all_wait, 120)
    return uid


def sign_in(page: Page, stack: Stack) -> None:
    page.goto(stack.url)
    page.get_by_label("API key").fill(stack.key())
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Overview").wait_for()


def take(browser: Browser, stack: Stack, campaign: str) -> None:
    for name, (width, height, scheme) in VIEWS.items():
        page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
        sign_in(page, stack)
        page.goto(f"{stack.url}/#/campaigns/{campaign}")
        page.locator(".here").wait_for()
        if width > 1_000:
            page.locator(".step-main").filter(has_text="15% for you").click()
        page.screenshot(path=FOLDER / f"dashboard-{name}.png")
        page.close()


def main() -> None:
    if CHROMIUM is None:
        raise SystemExit("Chromium is not installed (apt-get install chromium, or name one by CHROMIUM=…)")
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        stack = Stack(Path(scratch) / "data").wait_until_up()
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            take(browser, stack, fill(stack))
        finally:
            browser.close()
            stack.end()


if __name__ == "__main__":
    main()
