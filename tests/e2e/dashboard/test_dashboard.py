"""What an operator does with the dashboard: builds, launches, watches, and comes back."""

import json
from typing import Any

import pytest
from playwright.sync_api import Browser, CDPSession, Locator, Page, Route, expect

from tests.e2e.dashboard.conftest import PATIENCE, Visitor, visit
from tests.e2e.stack import Stack, eventually

SCREENS = (
    "overview", "campaigns", "flows", "contacts", "import", "segments", "templates", "channels", "messages", "settings",
    "settings/keys", "settings/webhooks", "settings/balance", "settings/suppressions", "settings/audit",
)  # fmt: skip
#: dashboard.md: script of one tick of the counters on 331 steps, in milliseconds.
TICK_BUDGET = 200


@pytest.fixture(autouse=True)
def _patience() -> None:
    expect.set_options(timeout=PATIENCE)


def named(page: Page, name: str) -> Locator:
    """The card of the step with this headline."""
    return page.locator(".step-main").filter(has_text=name)


def insert(page: Page, plus: Locator, kind: str) -> None:
    plus.click()
    page.get_by_role("menuitem", name=kind).first.click()


def wait_until_saved(page: Page) -> None:
    expect(page.locator(".save-state")).to_have_text("Saved")


def sample(stack: Stack) -> tuple[str, str]:
    """The e-mail channel and its template."""
    channel = stack.call("GET", "/v1/channels?type=email")["data"][-1]["uid"]
    template = stack.call("GET", "/v1/templates?channelType=email&status=PUBLISHED&name=Welcome")["data"][-1]["uid"]
    return channel, template


def send(stack: Stack, uid: str, name: str) -> dict[str, Any]:
    channel, template = sample(stack)
    return {"id": uid, "type": "SEND", "name": name, "channelUid": channel, "templateUid": template}


def test_an_operator_builds_the_example_from_nothing_launches_and_watches_it(visitor: Visitor) -> None:
    page = visitor.open("campaigns")
    page.get_by_role("button", name="New campaign").first.click()
    page.get_by_role("dialog").get_by_label("Name").fill("Example")
    page.get_by_role("button", name="Create").click()

    # SEND, WAIT, CONDITION with TAG and SEND in its lanes, AB_TEST: by "+" and forms alone.
    insert(page, page.get_by_role("button", name="Insert a step"), "Send")
    panel = page.get_by_role("complementary")
    panel.get_by_label("Name (optional)").fill("First message")
    panel.get_by_label("Channel", exact=True).select_option(label="Newsletter (email)")
    panel.get_by_label("Template", exact=True).select_option(label="Welcome")
    insert(page, page.locator('[data-slot="steps[1]"]'), "Wait")
    panel.get_by_label("For", exact=True).fill("2")
    expect(named(page, "Wait 2 days")).to_be_visible()
    insert(page, page.locator('[data-slot="steps[2]"]'), "Condition")
    expect(panel.get_by_label("Message", exact=True)).to_have_value("send-1")
    insert(page, page.locator('[data-slot="steps[2].lanes[0].steps[0]"]'), "Tag")
    panel.get_by_label("Add").fill("engaged")
    panel.get_by_label("Add").press("Enter")
    insert(page, page.locator('[data-slot="steps[2].lanes[1].steps[0]"]'), "Send")
    panel.get_by_label("Name (optional)").fill("Reminder")
    # Nothing is chosen yet: the mark on the step, the text at the field, the list that leads there.
    expect(page.locator(".checklist")).to_contain_text("is required")
    expect(page.locator(".step.error")).to_have_count(1)
    expect(panel.locator(".field.wrong")).to_contain_text("is required")
    panel.get_by_label("Channel", exact=True).select_option(label="Newsletter (email)")
    panel.get_by_label("Template", exact=True).select_option(label="Welcome")
    insert(page, page.locator('[data-slot="steps[3]"]'), "A/B test")
    expect(page.locator(".all-well")).to_contain_text("Nothing to check")
    visitor.look_for_barriers()

    page.get_by_role("button", name="No audience yet").click()
    panel.get_by_label("Who").select_option(label="Contacts, one by one")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name, address or tag").fill("Lovelace")
    dialog.get_by_label("Ada Lovelace").check()
    dialog.get_by_label("Name, address or tag").fill("Turing")
    dialog.get_by_label("Alan Turing").check()
    dialog.get_by_role("button", name="Use 2 contacts").click()
    panel.get_by_label("Close").click()
    wait_until_saved(page)

    panel.get_by_role("button", name="Test run").click()
    dialog.get_by_label("Ada Lovelace").click()
    expect(dialog).to_contain_text("Nothing is sent")
    expect(dialog).to_contain_text("→ No")
    dialog.get_by_role("button", name="Done").click()
    panel.get_by_role("button", name="Estimate").click()
    expect(dialog).to_contain_text("Reachable")
    visitor.look_for_barriers()
    dialog.get_by_role("button", name="Done").click()

    page.get_by_role("button", name="Launch …").click()
    expect(dialog).to_contain_text("First send")
    dialog.get_by_role("button", name="Launch now").click()
    expect(page.locator(".counts").first).to_contain_text("2 sent")
    expect(page.locator(".here")).to_have_text("2 here")

    page.get_by_role("button", name="Pause", exact=True).click()
    dialog.get_by_role("button", name="Pause").click()
    expect(page.locator(".notice.pause")).to_contain_text("2 contacts held")
    visitor.look_for_barriers()
    page.locator(".bar-top").get_by_role("button", name="Resume").click()
    dialog.get_by_role("button", name="Resume").click()
    expect(page.locator(".notice.pause")).to_have_count(0)

    # Who is here: the counter leads to them, and each of them has a story.
    page.locator(".here").click()
    expect(page.get_by_role("region", name="A/B test: opened")).to_contain_text("–")
    expect(page.get_by_text("Not enough data").first).to_be_visible()
    visitor.look_for_barriers()
    page.get_by_role("link", name="Ada Lovelace").click()
    expect(page.locator(".walk li")).to_have_count(2)
    expect(page.locator(".walk .is-here")).to_contain_text("Wait 2 days")
    expect(page.get_by_text("goes on from")).to_be_visible()
    visitor.look_for_barriers()


def test_a_second_visit_with_everything_in_the_cache_works(visitor: Visitor) -> None:
    for _ in range(2):
        page = visitor.watch(visitor.context.new_page())
        page.goto(visitor.stack.url)
        page.get_by_label("API key").fill(visitor.stack.key())
        page.keyboard.press("Enter")
        page.get_by_role("link", name="Campaigns", exact=True).click()
        expect(page.get_by_role("link", name="Welcome and remind").first).to_be_visible()
        page.reload()
        expect(page.get_by_role("link", name="Welcome and remind").first).to_be_visible()


def test_no_screen_has_barriers_or_errors_in_light_or_dark(browser: Browser, shared: Stack) -> None:
    somebody = visit(browser, shared, color_scheme="light")
    somebody.page.goto(shared.url)
    somebody.look_for_barriers()
    somebody.sign_in()
    channel, template = sample(shared)
    contact = shared.call("GET", "/v1/contacts?limit=1")["data"][0]["uid"]
    for place in (*SCREENS, f"channels/{channel}", f"templates/{template}", f"contacts/{contact}", "nowhere"):
        page = somebody.open(place)
        expect(page.locator("main h1")).not_to_have_text("…")
        expect(page.locator(".waiting")).to_have_count(0)
        somebody.look_for_barriers()
        page.emulate_media(color_scheme="dark")
        somebody.look_for_barriers("color-contrast")
        page.emulate_media(color_scheme="light")
    assert somebody.complaints == []
    somebody.context.close()


def test_on_a_phone_nothing_is_wider_than_the_screen(browser: Browser, shared: Stack) -> None:
    somebody = visit(browser, shared)
    somebody.page.set_viewport_size({"width": 390, "height": 844})
    somebody.sign_in()
    campaign = shared.call("GET", "/v1/campaigns?name=remind")["data"][-1]["uid"]
    for place in (*SCREENS, f"campaigns/{campaign}"):
        page = somebody.open(place)
        expect(page.locator("main h1")).not_to_have_text("…")
        expect(page.locator(".waiting")).to_have_count(0)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, place
    page.get_by_role("button", name="Menu").click()
    page.get_by_role("link", name="Contacts", exact=True).click()
    expect(page.get_by_role("heading", name="Contacts")).to_be_visible()
    somebody.look_for_barriers()
    assert somebody.complaints == []
    somebody.context.close()


def test_steps_are_moved_copied_and_taken_back_by_keyboard_alone(visitor: Visitor) -> None:
    uid = visitor.new_campaign([send(visitor.stack, "one", "One"), {"id": "two", "type": "WAIT", "for": "P1D"}])
    page = visitor.open(f"campaigns/{uid}")
    headlines = page.locator(".step-name")
    named(page, "One").focus()
    page.keyboard.press("Alt+ArrowDown")
    expect(headlines).to_have_text(["Wait 1 day", "One"])
    page.keyboard.press("Control+d")
    expect(headlines).to_have_text(["Wait 1 day", "One", "One"])
    page.keyboard.press("Control+x")
    expect(headlines).to_have_text(["Wait 1 day", "One"])
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Control+v")
    expect(headlines).to_have_text(["Wait 1 day", "One", "One"])
    page.keyboard.press("Delete")
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    expect(headlines).to_have_text(["Wait 1 day", "One"])
    page.keyboard.press("Control+y")
    expect(headlines).to_have_text(["Wait 1 day", "One", "One"])
    named(page, "Wait").focus()
    page.keyboard.press("+")
    expect(page.get_by_role("menuitem").first).to_be_focused()
    # Below what was copied and SEND.
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(headlines).to_have_text(["Wait 1 day", "Wait 1 day", "One", "One"])
    wait_until_saved(page)
    steps = visitor.stack.call("GET", f"/v1/campaigns/{uid}")["data"]["steps"]
    assert [step["type"] for step in steps] == ["WAIT", "WAIT", "SEND", "SEND"]
    assert len({step["id"] for step in steps}) == 4


def test_the_json_is_the_same_campaign_and_a_mistake_in_it_loses_nothing(visitor: Visitor) -> None:
    uid = visitor.new_campaign([{"id": "tag", "type": "TAG", "add": ["a"]}])
    page = visitor.open(f"campaigns/{uid}?view=json")
    text = page.get_by_label("Campaign as JSON")
    written = json.loads(text.input_value())
    text.fill("{")
    expect(page.get_by_role("alert")).to_be_visible()
    written["steps"].append({"id": "end", "type": "END", "name": "Over"})
    text.fill(json.dumps(written))
    wait_until_saved(page)
    page.get_by_role("link", name="Timeline").click()
    expect(named(page, "Over")).to_be_visible()


def test_two_people_on_one_draft_are_told_of_each_other(visitor: Visitor) -> None:
    uid = visitor.new_campaign([{"id": "tag", "type": "TAG", "name": "Ours", "add": ["a"]}])
    page = visitor.open(f"campaigns/{uid}")
    expect(named(page, "Ours")).to_be_visible()
    theirs = [{"id": "tag", "type": "TAG", "name": "Theirs", "add": ["b"]}]
    visitor.stack.call("PATCH", f"/v1/campaigns/{uid}", {"steps": theirs})
    named(page, "Ours").click()
    page.get_by_role("complementary").get_by_label("Name (optional)").fill("Mine")
    expect(page.get_by_role("alert")).to_contain_text("Somebody else changed this draft")
    visitor.look_for_barriers()
    assert visitor.stack.call("GET", f"/v1/campaigns/{uid}")["data"]["steps"] == theirs
    page.get_by_role("button", name="Take theirs").click()
    expect(named(page, "Theirs")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    wait_until_saved(page)
    assert visitor.stack.call("GET", f"/v1/campaigns/{uid}")["data"]["steps"][0]["name"] == "Mine"


def test_a_key_that_stops_working_in_the_middle_costs_nothing_that_was_typed(browser: Browser, shared: Stack) -> None:
    somebody = visit(browser, shared)
    somebody.sign_in()
    uid = somebody.new_campaign([{"id": "tag", "type": "TAG", "name": "Before", "add": ["a"]}])
    page = somebody.open(f"campaigns/{uid}")
    named(page, "Before").click()
    refused = {"status": 401, "json": {"error": "unauthorized", "message": "User not authenticated", "details": []}}
    page.route("**/v1/**", lambda route: route.fulfill(**refused))
    page.get_by_role("complementary").get_by_label("Name (optional)").fill("After")
    dialog = page.get_by_role("dialog", name="Sign in again")
    expect(dialog).to_be_visible()
    page.unroute("**/v1/**")
    dialog.get_by_label("API key").fill(shared.key())
    dialog.get_by_role("button", name="Sign in").click()
    wait_until_saved(page)
    assert shared.call("GET", f"/v1/campaigns/{uid}")["data"]["steps"][0]["name"] == "After"
    somebody.context.close()


def test_a_server_that_is_away_keeps_the_draft_in_the_tab_until_it_is_back(visitor: Visitor) -> None:
    uid = visitor.new_campaign([{"id": "tag", "type": "TAG", "name": "Before", "add": ["a"]}])
    page = visitor.open(f"campaigns/{uid}")
    named(page, "Before").click()
    visitor.context.set_offline(True)
    page.get_by_role("complementary").get_by_label("Name (optional)").fill("After")
    expect(page.get_by_text("The server cannot be reached").first).to_be_visible()
    visitor.context.set_offline(False)
    page.reload()
    expect(named(page, "After")).to_be_visible()
    wait_until_saved(page)
    assert visitor.stack.call("GET", f"/v1/campaigns/{uid}")["data"]["steps"][0]["name"] == "After"
    visitor.complaints = [each for each in visitor.complaints if "ERR_INTERNET_DISCONNECTED" not in each]


def test_hostile_names_are_text_everywhere(visitor: Visitor) -> None:
    evil = "<img src=x onerror=alert(1)>\"'`${1}{{ 1 }}"
    stack = visitor.stack
    visitor.page.on("dialog", lambda dialog: visitor.complaints.append("a script ran"))
    campaign = visitor.new_campaign([{"id": "tag", "type": "TAG", "name": evil, "add": [evil[:40]]}], description=evil)
    stack.call("PATCH", f"/v1/campaigns/{campaign}", {"name": evil})
    contact = stack.call("POST", "/v1/contacts", {"firstName": evil, "externalId": evil[:60], "tags": [evil[:50]]})[
        "data"
    ]["uid"]
    content = {
        "subject": "<b>hi</b>",
        "html": "<p id='mail'>Hi</p><script>alert(1)</script><img src=x onerror=alert(2)>",
    }
    template = stack.call("POST", "/v1/templates", {"name": evil, "channelType": "email", "content": content})["data"][
        "uid"
    ]
    for place in ("campaigns", f"campaigns/{campaign}", f"contacts/{contact}", "templates", f"templates/{template}"):
        page = visitor.open(place)
        expect(page.get_by_text("<img src=x").first).to_be_attached()
        assert page.locator("img").count() == 0
    expect(page.frame_locator("iframe").locator("#mail")).to_have_text("Hi")
    # In the frame the browser itself says that it ran nothing; that is what it is there for.
    visitor.complaints = [
        each for each in visitor.complaints if "Content Security Policy" not in each and "404" not in each
    ]
    stack.call("DELETE", f"/v1/campaigns/{campaign}")
    stack.call("DELETE", f"/v1/contacts/{contact}")
    stack.call("DELETE", f"/v1/templates/{template}")


def test_counters_of_331_steps_cost_little_script_each_second(visitor: Visitor) -> None:
    steps = [{"id": f"s{n}", "type": "TAG", "add": [f"t{n}"]} for n in range(331)]
    uid = visitor.new_campaign(steps)
    ticks = 0

    def answer(route: Route) -> None:
        nonlocal ticks
        ticks += 1
        nodes = {f"s{n}": {"entered": 1000 * ticks + n, "here": (ticks + n) % 7, "left": {}} for n in range(331)}
        names = ("total", "pending", "processing", "completed", "failed", "skipped")
        counts = {"executions": dict.fromkeys(names, 1), "messages": {"sent": ticks, "opened": 0}, "nodes": nodes}
        money = {"spent": "0.00", "estimatedRemainingCost": "0.00", "currency": "EUR"}
        more = {"flowUid": "f", "flowStatus": "running", "state": "RUNNING", "pauseReason": None, "inFlight": 0}
        route.fulfill(json={"message": "", "data": {**counts, **money, **more}})

    visitor.page.route(f"**/campaigns/{uid}/status", answer)
    page = visitor.open(f"campaigns/{uid}")
    expect(page.locator(".step-main")).to_have_count(331)
    expect(page.locator(".counts")).to_have_count(331)
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    before, began = ticks, script_milliseconds(session)
    eventually(lambda: page.wait_for_timeout(200) or ticks >= before + 2, 20)
    page.wait_for_timeout(300)
    assert (script_milliseconds(session) - began) / (ticks - before) < TICK_BUDGET


def script_milliseconds(session: CDPSession) -> float:
    """What scripts of the page have taken so far."""
    metrics = {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}
    return float(metrics["ScriptDuration"]) * 1000


def test_a_csv_is_mapped_tried_and_imported_and_what_was_rejected_is_a_file(visitor: Visitor) -> None:
    page = visitor.open("import")
    rows = "Mail;Given name;Shoe size\nzoe@example.com;Zoë;38\nnot an address;Max;45\n"
    page.locator('input[type="file"]').set_input_files(
        {"name": "people.csv", "mimeType": "text/csv", "buffer": rows.encode()}
    )
    expect(page.get_by_label("Mail becomes")).to_have_value("email")
    expect(page.get_by_label("Given name becomes")).to_have_value("firstName")
    expect(page.get_by_label("Shoe size becomes")).to_have_value("attributes.Shoe_size")
    page.get_by_role("button", name="Try it").click()
    expect(page.get_by_text("Nothing was saved")).to_be_visible()
    expect(page.get_by_text("1 row could not be taken")).to_be_visible()
    visitor.look_for_barriers()
    page.get_by_role("button", name="Import", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the rejected rows").click()
    assert "not an address" in download.value.path().read_text()
    page.get_by_role("link", name="To the contacts").click()
    page.get_by_label("Search").fill("zoe@example.com")
    page.get_by_role("link", name="Zoë").click()
    expect(page.get_by_label("Attributes: Shoe_size")).to_have_value("38")


def test_a_template_is_written_previewed_published_and_sent_as_a_test(visitor: Visitor) -> None:
    page = visitor.open("templates")
    page.get_by_role("button", name="New template").click()
    page.get_by_role("dialog").get_by_label("Name").fill("Spring")
    page.get_by_role("button", name="Create").click()
    page.get_by_label("Subject").fill("Hello {{ frist_name }}")
    expect(page.get_by_text("1 parameter without a value")).to_contain_text("frist_name")
    page.get_by_label("Subject").fill("Hello {{ first_name }}!")
    page.get_by_label("HTML").fill("<h1>Dear {{ first_name }}</h1>")
    expect(page.frame_locator("iframe").locator("h1")).to_have_text("Dear friend")
    page.get_by_role("button", name="Publish v1").click()
    expect(page.get_by_role("region", name="Published versions")).to_contain_text("v1")
    page.get_by_role("button", name="Test send").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("To").fill("me@example.com")
    dialog.get_by_role("button", name="Send").click()
    expect(dialog).to_contain_text("The provider took it")
    visitor.look_for_barriers()
