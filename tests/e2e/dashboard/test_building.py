"""Building, launching and watching campaigns in the dashboard, without losing edits."""

import json

from playwright.sync_api import Browser, Page, Route, expect

from tests.e2e.dashboard.conftest import Visitor, visit
from tests.e2e.dashboard.hands import insert, named, search, send, wait_until_saved
from tests.e2e.stack import Stack


def build_example(page: Page) -> None:
    """Add steps of every type with "+" and forms: SEND, WAIT, CONDITION with TAG and SEND inside, AB_TEST, END."""
    panel = page.get_by_role("complementary")
    insert(page, page.get_by_role("button", name="Insert a step"), "Send")
    panel.get_by_label("Name (optional)").fill("First message")
    panel.get_by_label("Channel", exact=True).select_option(label="Newsletter (Email)")
    panel.get_by_label("Template", exact=True).select_option(label="Welcome")
    insert(page, page.locator('[data-slot="steps[1]"]'), "Wait")
    panel.get_by_label("Duration", exact=True).fill("2")
    expect(named(page, "Wait 2 days")).to_be_visible()
    insert(page, page.locator('[data-slot="steps[2]"]'), "Condition")
    expect(panel.get_by_label("Message", exact=True)).to_have_value("send-1")
    insert(page, page.locator('[data-slot="steps[2].lanes[0].steps[0]"]'), "Tag")
    panel.get_by_label("Add").fill("engaged")
    panel.get_by_label("Add").press("Enter")
    insert(page, page.locator('[data-slot="steps[2].lanes[1].steps[0]"]'), "Send")
    panel.get_by_label("Name (optional)").fill("Reminder")
    # Without a channel there is a mark on the step, a text at the field, and an entry in the list of issues.
    expect(page.locator(".checklist")).to_contain_text("is required")
    expect(page.locator(".step.error")).to_have_count(1)
    expect(panel.locator(".field.wrong")).to_contain_text("is required")
    panel.get_by_label("Channel", exact=True).select_option(label="Newsletter (Email)")
    panel.get_by_label("Template", exact=True).select_option(label="Welcome")
    insert(page, page.locator('[data-slot="steps[3]"]'), "A/B test")
    insert(page, page.locator('[data-slot="steps[4]"]'), "Exit")
    expect(page.locator(".all-well")).to_contain_text("Nothing to fix")


def choose_audience(page: Page, *names: str) -> None:
    page.get_by_role("button", name="No audience yet").click()
    panel, dialog = page.get_by_role("complementary"), page.get_by_role("dialog")
    panel.get_by_label("Audience").select_option(label="Single contacts")
    for name in names:
        search(dialog, name).check()
    dialog.get_by_role("button", name=f"Use {len(names)} contacts").click()
    panel.get_by_label("Close").click()
    wait_until_saved(page)


def rehearse_and_launch(visitor: Visitor) -> None:
    page = visitor.page
    panel, dialog = page.get_by_role("complementary"), page.get_by_role("dialog")
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


def pause_and_resume(visitor: Visitor) -> None:
    page, dialog = visitor.page, visitor.page.get_by_role("dialog")
    page.get_by_role("button", name="Pause", exact=True).click()
    dialog.get_by_role("button", name="Pause").click()
    expect(page.locator(".notice.pause")).to_contain_text("2 contacts held")
    visitor.look_for_barriers()
    page.locator(".bar-top").get_by_role("button", name="Resume").click()
    dialog.get_by_role("button", name="Resume").click()
    expect(page.locator(".notice.pause")).to_have_count(0)


def test_an_operator_builds_the_example_from_nothing_launches_and_watches_it(browser: Browser, shared: Stack) -> None:
    visitor = visit(browser, shared)
    visitor.sign_in()
    page = visitor.open("campaigns")
    page.get_by_role("button", name="New campaign").first.click()
    page.get_by_role("dialog").get_by_label("Name").fill("Example")
    page.get_by_role("button", name="Create").click()
    build_example(page)
    visitor.look_for_barriers()
    choose_audience(page, "Ada Lovelace", "Alan Turing")
    expect(page.locator(".counts")).to_have_count(0)
    rehearse_and_launch(visitor)
    expect(page.locator(".counts").first).to_contain_text("2 sent")
    expect(page.locator(".here")).to_have_text("2 here")
    pause_and_resume(visitor)
    # The number of contacts at a step links to them, and each contact to its journey.
    page.locator(".here").click()
    expect(page.get_by_role("region", name="A/B test: opened")).to_contain_text("–")
    expect(page.get_by_text("Not enough data").first).to_be_visible()
    visitor.look_for_barriers()
    page.get_by_role("link", name="Ada Lovelace").click()
    expect(page.locator(".journey li")).to_have_count(2)
    expect(page.locator(".journey .is-here")).to_contain_text("Wait 2 days")
    expect(page.get_by_text("leaves “Wait 2 days”")).to_be_visible()
    visitor.look_for_barriers()
    visit_again(visitor)
    assert visitor.complaints == []
    visitor.context.close()


def visit_again(visitor: Visitor) -> None:
    """Open the page again with all modules in the cache. An import map after the preloads would fail now."""
    visitor.page = visitor.watch(visitor.context.new_page())
    visitor.sign_in()
    page = visitor.page
    page.get_by_role("link", name="Campaigns", exact=True).click()
    page.get_by_role("link", name="Example").first.click()
    expect(page.locator(".here")).to_have_text("2 here")
    page.reload()
    expect(page.locator(".here")).to_have_text("2 here")


def test_a_scheduled_campaign_shows_its_next_starts(visitor: Visitor) -> None:
    audience = {"contactUids": [visitor.stack.call("GET", "/v1/contacts?limit=1")["data"][0]["uid"]]}
    uid = visitor.new_campaign([send(visitor.stack, "one", "One")], audience=audience)
    page = visitor.open(f"campaigns/{uid}")
    panel, dialog = page.get_by_role("complementary"), page.get_by_role("dialog")
    page.get_by_role("button", name="Started manually").click()
    panel.get_by_label("Started").select_option(value="scheduled")
    panel.get_by_label("At", exact=True).fill("2031-05-05T09:00")
    panel.get_by_label("Time zone").select_option(value="Europe/Berlin")
    panel.get_by_label("Repeat").select_option(label="Every week")
    expect(panel.get_by_text("Next starts")).to_be_visible()
    expect(panel.locator("li").nth(1)).to_contain_text("May 12, 2031")
    visitor.look_for_barriers()
    page.get_by_role("button", name="Launch …").click()
    dialog.get_by_role("button", name="Schedule").click()
    expect(page.locator(".bar-facts")).to_contain_text("Scheduled")
    expect(page.locator(".bar-facts")).to_contain_text("next start May 5, 2031")
    page.get_by_role("button", name="Cancel …").click()
    dialog.get_by_role("button", name="Cancel the flow").click()
    expect(page.get_by_role("button", name="Launch …")).to_be_visible()


def test_pauses_are_edited_in_seconds_and_minutes_and_stored_in_milliseconds(visitor: Visitor) -> None:
    uid = visitor.new_campaign([{"id": "tag", "type": "TAG", "add": ["a"]}])
    page = visitor.open(f"campaigns/{uid}")
    panel = page.get_by_role("complementary")
    panel.get_by_role("button", name="Settings").click()
    pause = panel.get_by_label("Pause between contacts (seconds)")
    pause.clear()
    # Key by key, because "0." is not yet a number and must not be replaced.
    pause.press_sequentially("0.25")
    panel.get_by_label("Wait for a delivery report (minutes)").fill("2.5")
    wait_until_saved(page)
    configuration = visitor.stack.call("GET", f"/v1/campaigns/{uid}")["data"]["configuration"]
    assert (configuration["pauseBetweenContactsMs"], configuration["timeoutMs"]) == (250, 150_000)
    page.reload()
    panel.get_by_role("button", name="Settings").click()
    expect(pause).to_have_value("0.25")


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
    # The copied step and SEND come first.
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(headlines).to_have_text(["Wait 1 day", "Wait 1 day", "One", "One"])
    wait_until_saved(page)
    steps = visitor.stack.call("GET", f"/v1/campaigns/{uid}")["data"]["steps"]
    assert [step["type"] for step in steps] == ["WAIT", "WAIT", "SEND", "SEND"]
    assert len({step["id"] for step in steps}) == 4


# Each key goes to the focused element, and the browser does not render between two keys.
PRESS_AT_ONCE = """async (keys) => {
  for (const key of keys) {
    const event = new KeyboardEvent("keydown", { ...key, bubbles: true, cancelable: true });
    document.activeElement.dispatchEvent(event);
    await null;
  }
}"""


def test_no_key_is_lost_when_keys_follow_each_other_quickly(visitor: Visitor) -> None:
    uid = visitor.new_campaign([send(visitor.stack, "one", "One"), {"id": "two", "type": "WAIT", "for": "P1D"}])
    page = visitor.open(f"campaigns/{uid}")
    named(page, "One").focus()
    down, copy = {"key": "ArrowDown", "altKey": True}, {"key": "d", "ctrlKey": True}
    page.evaluate(PRESS_AT_ONCE, [down, copy, copy, {"key": "Delete"}, {"key": "+"}, {"key": "ArrowDown"}])
    expect(page.locator(".step-name")).to_have_text(["Wait 1 day", "One", "One"])
    expect(page.get_by_role("menuitem").nth(1)).to_be_focused()


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


def test_two_users_of_one_draft_get_a_conflict_and_overwrite_nothing(visitor: Visitor) -> None:
    uid = visitor.new_campaign([{"id": "tag", "type": "TAG", "name": "Ours", "add": ["a"]}])
    path = f"/v1/campaigns/{uid}"
    page = visitor.open(f"campaigns/{uid}")
    expect(named(page, "Ours")).to_be_visible()
    theirs = [{"id": "tag", "type": "TAG", "name": "Theirs", "add": ["b"]}]

    def slip_in(route: Route) -> None:
        """Save another draft while the first change of this page is being sent."""
        visitor.stack.call("PATCH", path, {"steps": theirs})
        route.continue_()

    page.route(f"**{path}", slip_in, times=1)
    named(page, "Ours").click()
    page.get_by_role("complementary").get_by_label("Name (optional)").fill("Mine")
    expect(page.get_by_role("alert")).to_contain_text("Another user changed this draft")
    assert visitor.stack.call("GET", path)["data"]["steps"] == theirs
    page.get_by_text("Compare their draft with mine").click()
    expect(page.locator(".diff .added").first).to_contain_text("Mine")
    visitor.look_for_barriers()
    page.get_by_role("button", name="Use theirs").click()
    expect(named(page, "Theirs")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    wait_until_saved(page)
    assert visitor.stack.call("GET", path)["data"]["steps"][0]["name"] == "Mine"


def test_typed_text_survives_a_key_that_is_revoked(browser: Browser, shared: Stack) -> None:
    user = visit(browser, shared)
    user.sign_in()
    uid = user.new_campaign([{"id": "tag", "type": "TAG", "name": "Before", "add": ["a"]}])
    page = user.open(f"campaigns/{uid}")
    named(page, "Before").click()
    refused = {"status": 401, "json": {"error": "unauthorized", "message": "User not authenticated", "details": []}}
    # Only the save is refused. Another refused request would open the dialog during the typing.
    saving = f"**/v1/campaigns/{uid}"
    page.route(saving, lambda route: route.fulfill(**refused))
    page.get_by_role("complementary").get_by_label("Name (optional)").fill("After")
    dialog = page.get_by_role("dialog", name="Sign in again")
    expect(dialog).to_be_visible()
    page.unroute(saving)
    dialog.get_by_label("API key").fill(shared.key())
    dialog.get_by_role("button", name="Sign in").click()
    wait_until_saved(page)
    assert shared.call("GET", f"/v1/campaigns/{uid}")["data"]["steps"][0]["name"] == "After"
    user.context.close()


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
