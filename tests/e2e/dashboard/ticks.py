"""Measure the script time of one update of the statistics of 331 steps: `python -m tests.e2e.dashboard.ticks`.

It measures a time, so it is not a test. The responses are made here, so that only the page is measured. Every number of
every step changes at every tick. The limit is 200 ms.
"""

import json
import statistics
import tempfile
from pathlib import Path

from playwright.sync_api import CDPSession, Page, Route, sync_playwright

from tests.e2e.dashboard.conftest import CHROMIUM
from tests.e2e.dashboard.hands import bring_key
from tests.e2e.stack import Stack

STEPS = 331
TICKS = 8
#: The page polls every three seconds; this makes it poll every second.
EVERY_SECOND = (
    "const late = setTimeout; window.setTimeout = (act, ms, ...rest) => late(act, ms === 3000 ? 1000 : ms, ...rest)"
)
NAMES = ("total", "pending", "processing", "completed", "failed", "skipped")


def answer(route: Route, tick: int) -> None:
    """Answer with a status whose numbers have all changed."""
    nodes = {f"s{n}": {"entered": 1000 * tick + n, "here": (tick + n) % 7, "left": {}} for n in range(STEPS)}
    counts = {"executions": dict.fromkeys(NAMES, tick), "messages": {"sent": tick, "opened": 0}, "nodes": nodes}
    money = {"spent": "0.00", "estimatedRemainingCost": "0.00", "currency": "EUR"}
    more = {"flowUid": "f", "flowStatus": "running", "state": "RUNNING", "pauseReason": None, "inFlight": 0}
    route.fulfill(json={"message": "", "data": {**counts, **money, **more}})


def script_milliseconds(session: CDPSession) -> float:
    """Return the time that scripts of the page have run so far, in ms."""
    metrics = {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}
    return float(metrics["ScriptDuration"]) * 1000


def measure(page: Page, url: str, campaign: str) -> list[float]:
    """Return the script time of each tick, in ms."""
    ticks = 0

    def count(route: Route) -> None:
        nonlocal ticks
        ticks += 1
        answer(route, ticks)

    page.route(f"**/campaigns/{campaign}/status", count)
    page.add_init_script(EVERY_SECOND)
    page.goto(f"{url}/#/campaigns/{campaign}")
    page.locator(".counts").nth(STEPS - 1).wait_for()
    # The work of opening the page is not part of a tick.
    page.locator(".checklist, .all-well").wait_for()
    page.wait_for_timeout(2_000)
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    found: list[float] = []
    seen, before = ticks, script_milliseconds(session)
    while len(found) < TICKS:
        page.wait_for_timeout(50)
        if ticks > seen:
            # The page draws the response within this time.
            page.wait_for_timeout(400)
            now = script_milliseconds(session)
            found.append((now - before) / (ticks - seen))
            seen, before = ticks, now
    return found


def main() -> None:
    if CHROMIUM is None:
        raise SystemExit("Chromium is not installed (apt-get install chromium, or name one by CHROMIUM=…)")
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        stack = Stack(Path(scratch) / "data", "--sample", "0").wait_until_up()
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            steps = [{"id": f"s{n}", "type": "TAG", "add": [f"t{n}"]} for n in range(STEPS)]
            campaign = stack.call("POST", "/v1/campaigns", {"name": "Ticks", "steps": steps})["data"]["uid"]
            page = browser.new_page()
            bring_key(page.context, stack)
            found = measure(page, stack.url, campaign)
        finally:
            browser.close()
            stack.end()
    figures = {"median": round(statistics.median(found), 1), "max": round(max(found), 1)}
    print(json.dumps({"steps": STEPS, "ticks": TICKS, "script_ms_per_tick": figures}))


if __name__ == "__main__":
    main()
