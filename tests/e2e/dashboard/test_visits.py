"""Every screen of the dashboard: accessibility, phone width, hostile names, contacts, templates and segments."""

from typing import Any

from playwright.sync_api import Browser, Request, Route, expect

from tests.e2e.dashboard.conftest import Visitor, visit
from tests.e2e.dashboard.hands import sample, search
from tests.e2e.stack import Stack

SCREENS = (
    "overview", "campaigns", "flows", "contacts", "import", "segments", "templates", "channels", "messages", "settings",
    "settings/keys", "settings/webhooks", "settings/balance", "settings/suppressions", "settings/audit",
)  # fmt: skip


def test_no_screen_has_barriers_or_errors_in_light_or_dark(browser: Browser, shared: Stack) -> None:
    user = visit(browser, shared, color_scheme="light")
    user.page.goto(shared.url)
    user.look_for_barriers()
    user.sign_in()
    channel, template = sample(shared)
    contact = shared.call("GET", "/v1/contacts?limit=1")["data"][0]["uid"]
    for place in (*SCREENS, f"channels/{channel}", f"templates/{template}", f"contacts/{contact}", "nowhere"):
        page = user.open(place)
        expect(page.locator("main h1")).not_to_have_text("…")
        expect(page.locator(".waiting")).to_have_count(0)
        user.look_for_barriers()
        page.emulate_media(color_scheme="dark")
        user.look_for_barriers("color-contrast")
        page.emulate_media(color_scheme="light")
    assert user.complaints == []
    user.context.close()


def test_on_a_phone_nothing_is_wider_than_the_screen(browser: Browser, shared: Stack) -> None:
    user = visit(browser, shared)
    user.bring_key()
    user.page.set_viewport_size({"width": 390, "height": 844})
    campaign = shared.call("GET", "/v1/campaigns?name=remind")["data"][-1]["uid"]
    for place in (*SCREENS, f"campaigns/{campaign}"):
        page = user.open(place)
        expect(page.locator("main h1")).not_to_have_text("…")
        expect(page.locator(".waiting")).to_have_count(0)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, place
    page.get_by_role("button", name="Menu").click()
    page.get_by_role("link", name="Contacts", exact=True).click()
    expect(page.get_by_role("heading", name="Contacts")).to_be_visible()
    user.look_for_barriers()
    assert user.complaints == []
    user.context.close()


def test_the_overview_may_be_left_before_its_chart_is_drawn(visitor: Visitor) -> None:
    page, held = visitor.page, list[Route]()

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/vendor-uplot.*.js", hold)
    with page.expect_request("**/vendor-uplot.*.js"):
        visitor.open("overview")
    # Preact removes the effects of a left screen with the next frame. Here the chart's script arrives before it.
    page.evaluate("requestAnimationFrame = setTimeout = () => 0")
    visitor.open("campaigns")
    expect(page.get_by_role("heading", name="Overview")).to_have_count(0)
    held[0].continue_()
    page.evaluate("url => import(url)", held[0].request.url)


def test_the_files_of_a_screen_are_requested_before_sign_in_is_checked_and_at_a_link(visitor: Visitor) -> None:
    page, held, requested = visitor.page, list[Route](), set[str]()

    def hold(route: Route) -> None:
        held.append(route)

    def note(request: Request) -> None:
        requested.add(request.url.rpartition("/")[2].partition(".")[0])

    page.on("request", note)
    page.route("**/v1/workspace", hold)
    with page.expect_request("**/components-when.*.js"):
        visitor.open("segments/some-uid")
    expect(page.locator("main h1")).to_have_text("Carillon")
    assert {"contacts-segment", "components-detail"} <= requested
    held[0].continue_()
    expect(page.get_by_role("navigation", name="Main")).to_be_visible()
    assert "content-template-list" not in requested
    with page.expect_request("**/content-template-list.*.js"):
        page.get_by_role("link", name="Templates").hover()
    assert page.url.endswith("some-uid")


EVIL = "<img src=x onerror=alert(1)>\"'`${1}{{ 1 }}"
HTML = "<p id='mail'>Hi</p><script>alert(1)</script><img src=x onerror=alert(2)>"


def spread_evil(stack: Stack) -> dict[str, str]:
    """Create objects with hostile text in every field. Return their uids by the first part of their address."""

    def make(path: str, body: dict[str, Any]) -> str:
        return str(stack.call("POST", path, body)["data"]["uid"])

    lanes = [{"label": label, "weight": 50, "steps": []} for label in (EVIL[:50], "B")]
    tag = {"id": "tag", "type": "TAG", "name": EVIL, "add": [EVIL[:40]]}
    steps = [tag, {"id": "split", "type": "AB_TEST", "lanes": lanes}]
    contact = {"firstName": EVIL, "externalId": EVIL[:60], "tags": [EVIL[:50]], "attributes": {"city": EVIL}}
    content = {"subject": "<b>hi</b>", "html": HTML}
    found = {
        "contacts": make("/v1/contacts", contact),
        "templates": make("/v1/templates", {"name": EVIL, "channelType": "email", "content": content}),
        "channels": make("/v1/channels", {"name": EVIL, "type": "console"}),
        "segments": make("/v1/segments", {"name": EVIL, "description": EVIL, "filter": {"tag": EVIL[:50]}}),
        "keys": make("/v1/keys", {"name": EVIL, "scope": "read"}),
    }
    audience = {"contactUids": [found["contacts"]]}
    about = {"name": EVIL, "description": EVIL, "audience": audience}
    found["campaigns"] = make("/v1/campaigns", {**about, "steps": steps})
    stack.call("POST", f"/v1/campaigns/{found['campaigns']}/launch", {"channelUid": found["channels"]})
    return found


def test_hostile_names_are_text_everywhere_and_nothing_of_them_runs(visitor: Visitor) -> None:
    stack = visitor.stack
    visitor.page.on("dialog", lambda dialog: visitor.complaints.append(f"a script ran: {dialog.message}"))
    made = spread_evil(stack)
    kinds = [kind for kind in made if kind != "keys"]
    flow = stack.call("GET", f"/v1/flows?campaignUid={made['campaigns']}")["data"][0]["uid"]
    walk = f"flows/{flow}/{made['contacts']}"
    places = [
        *kinds,
        *(f"{kind}/{made[kind]}" for kind in kinds),
        "settings/keys",
        "settings/audit",
        "flows",
        f"flows/{flow}",
        walk,
    ]
    for place in sorted(places, key=lambda each: each.startswith("templates/")):
        page = visitor.open(place)
        expect(page.get_by_text("<img src=x").or_(page.locator('input[value*="<img src=x"]')).first).to_be_attached()
        assert page.locator("img").count() == 0
    expect(page.frame_locator("iframe").locator("#mail")).to_have_text("Hi")
    # The browser logs that it blocked the scripts of the frame, which is intended.
    blocked = ("Content Security Policy", "404")
    visitor.complaints = [each for each in visitor.complaints if not any(word in each for word in blocked)]
    for kind, uid in reversed(made.items()):
        stack.call("DELETE", f"/v1/{kind}/{uid}")


def test_a_csv_is_mapped_tried_and_imported_with_a_file_of_rejected_rows(visitor: Visitor) -> None:
    page = visitor.open("import")
    rows = "Mail;Given name;Shoe size\nzoe@example.com;Zoë;38\nnot an address;Max;45\n"
    page.locator('input[type="file"]').set_input_files(
        {"name": "people.csv", "mimeType": "text/csv", "buffer": rows.encode()}
    )
    expect(page.get_by_label("Import Mail as")).to_have_value("email")
    expect(page.get_by_label("Import Given name as")).to_have_value("firstName")
    expect(page.get_by_label("Import Shoe size as")).to_have_value("attributes.Shoe_size")
    page.get_by_role("button", name="Dry run").click()
    expect(page.get_by_text("Nothing was saved")).to_be_visible()
    expect(page.get_by_text("1 row rejected")).to_be_visible()
    expect(page.get_by_text("is not an e-mail address")).to_be_visible()
    visitor.look_for_barriers()
    page.get_by_role("button", name="Import", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the rejected rows").click()
    assert "not an address" in download.value.path().read_text()
    page.get_by_role("link", name="View contacts").click()
    page.get_by_label("Search").fill("zoe@example.com")
    # Until the search ends, the page shows all contacts and may replace them before the click.
    expect(page.get_by_text("1 contact found")).to_be_visible()
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
    page.get_by_role("button", name="Send a test").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("To").fill("me@example.com")
    dialog.get_by_role("button", name="Send", exact=True).click()
    expect(dialog).to_contain_text("The provider accepted the message")
    visitor.look_for_barriers()


def test_a_segment_counts_live_and_says_why_user_is_in_it(visitor: Visitor) -> None:
    page = visitor.open("segments")
    page.get_by_role("button", name="New segment").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("VIPs")
    dialog.get_by_role("button", name="Create").click()
    expect(page.get_by_role("button", name="Add condition")).to_be_visible()
    page.get_by_role("button", name="Add condition").click()
    page.get_by_label("Filter by").nth(1).select_option(value="tag")
    page.get_by_label("Tag", exact=True).fill("vip")
    vips = [each for each in visitor.stack.every("/v1/contacts?tag=vip") if each["email"]]
    expect(page.locator(".headline b")).to_have_text(str(len(vips)))
    page.get_by_role("button", name="Test a contact").click()
    search(dialog, "Annie Easley").click()
    expect(page.get_by_text("does not match")).to_be_visible()
    visitor.look_for_barriers()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("button", name="Saved")).to_be_visible()


def test_the_consent_of_a_contact_is_stored_with_its_source(visitor: Visitor) -> None:
    uid = visitor.stack.call("POST", "/v1/contacts", {"email": "asked@example.com"})["data"]["uid"]
    page = visitor.open(f"contacts/{uid}")
    page.get_by_role("group", name="Email").get_by_label("Newsletter").select_option(label="Granted")
    page.get_by_text("Consent history").click()
    expect(page.get_by_text("Email, Newsletter: Granted dashboard")).to_be_visible()
    expect(page.get_by_text("Consent for Email, newsletter: granted")).to_be_visible()
    visitor.look_for_barriers()
