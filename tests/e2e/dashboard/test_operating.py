"""Operating with the dashboard: channels and their circuits, webhooks, the balance and saved views."""

import json

from playwright.sync_api import Route, expect

from tests.e2e.dashboard.conftest import Visitor
from tests.e2e.stack import Stack, eventually

TWILIO = {"provider": "twilio", "accountSid": "AC" + "0" * 32, "secretName": "nothing", "sender": "+12065550100"}


def open_circuit(stack: Stack) -> tuple[str, str]:
    """Create an SMS channel without its secret and a campaign that it pauses. Return (channel, campaign)."""
    request = {"name": "Texts", "type": "sms", "settings": TWILIO, "prices": {"MESSAGE": "0.07"}}
    channel = stack.call("POST", "/v1/channels", request)["data"]["uid"]
    content = {"name": "Text", "channelType": "sms", "content": {"text": "Hi"}}
    template = stack.call("POST", "/v1/templates", content)["data"]["uid"]
    stack.call("POST", f"/v1/templates/{template}/publish", {})
    people = [{"externalId": f"texts-{n}", "phone": f"+1206555{n:04d}"} for n in range(8)]
    uids = [stack.call("POST", "/v1/contacts", each)["data"]["uid"] for each in people]
    request = {"name": "Texts", "channelUid": channel, "templateUid": template, "audience": {"contactUids": uids}}
    campaign = str(stack.call("POST", "/v1/campaigns", request)["data"]["uid"])
    stack.call("POST", f"/v1/campaigns/{campaign}/launch", {})
    eventually(lambda: stack.call("GET", f"/v1/campaigns/{campaign}/status")["data"]["state"] == "PAUSED_ERROR", 30)
    return str(channel), campaign


def test_an_open_circuit_is_shown_with_its_cause_and_closed_manually(visitor: Visitor) -> None:
    channel, campaign = open_circuit(visitor.stack)
    page = visitor.open(f"campaigns/{campaign}")
    banner = page.locator(".notice.pause")
    for words in ("Paused automatically", "Texts", "the channel’s secret does not exist", "held"):
        expect(banner).to_contain_text(words)
    visitor.look_for_barriers()
    page = visitor.open("channels")
    expect(page.get_by_role("row").filter(has_text="Texts").first).to_contain_text("Circuit open")
    page = visitor.open(f"channels/{channel}")
    expect(page.get_by_role("region", name="Health")).to_contain_text("Last faults of the channel")
    visitor.look_for_barriers()
    page.get_by_role("button", name="Close it now").click()
    expect(page.get_by_text("The circuit is open")).to_have_count(0)
    page.get_by_label("Messages per second").fill("5")
    page.get_by_label("Newsletter").fill("0.05")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("5 per second")).to_be_visible()
    kept = visitor.stack.call("GET", f"/v1/channels/{channel}")["data"]
    assert (kept["ratePerSecond"], kept["prices"]) == (5, {"MESSAGE": "0.07", "NEWSLETTER": "0.05"})
    visitor.stack.call("POST", f"/v1/campaigns/{campaign}/cancel", {})


def test_a_form_sent_again_after_a_lost_response_creates_one_object(visitor: Visitor) -> None:
    def lose_the_answer(route: Route) -> None:
        route.fetch()
        route.abort()

    page = visitor.open("segments")
    page.get_by_role("button", name="New segment").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("Made once")
    page.route("**/v1/segments", lose_the_answer, times=1)
    dialog.get_by_role("button", name="Create").click()
    expect(dialog.get_by_role("alert")).to_be_visible()
    # The console reports the lost response, which is intended.
    visitor.complaints.clear()
    dialog.get_by_label("Name").fill("Made otherwise")
    dialog.get_by_role("button", name="Create").click()
    expect(dialog.get_by_role("alert")).to_contain_text("The first request has arrived")
    dialog.get_by_label("Name").fill("Made once")
    dialog.get_by_role("button", name="Create").click()
    expect(page.get_by_role("heading", name="Made once")).to_be_visible()
    assert len(visitor.stack.call("GET", "/v1/segments?name=Made%20once")["data"]) == 1
    assert visitor.stack.call("GET", "/v1/segments?name=Made%20otherwise")["data"] == []


def test_typed_channel_settings_stay_when_another_user_saves_the_channel(visitor: Visitor) -> None:
    request = {"name": "Ours", "type": "sms", "settings": TWILIO}
    path = "/v1/channels/" + visitor.stack.call("POST", "/v1/channels", request)["data"]["uid"]
    page = visitor.open(path.removeprefix("/v1/"))
    page.get_by_label("Messages per second").fill("7")
    visitor.stack.call("PUT", path, {**request, "name": "Theirs", "dailyCap": 900})
    # A tab that becomes visible again reads the channel.
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.get_by_role("heading", name="Theirs")).to_be_visible()
    expect(page.get_by_label("Messages per second")).to_have_value("7")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("7 per second")).to_be_visible()
    kept = visitor.stack.call("GET", path)["data"]
    assert (kept["name"], kept["dailyCap"], kept["ratePerSecond"]) == ("Theirs", 900, 7)


def test_a_webhook_shows_its_secret_once_and_the_result_of_each_delivery(visitor: Visitor) -> None:
    port = json.loads((visitor.stack.data / "ports.json").read_text())["providers"]
    page = visitor.open("settings/webhooks")
    dialog = page.get_by_role("dialog")
    page.get_by_role("button", name="New webhook").click()
    dialog.get_by_label("URL").fill("http://10.0.0.1/told")
    dialog.get_by_role("button", name="Create").click()
    expect(dialog.get_by_text("must begin with https://")).to_be_visible()
    # The server there has another secret, so it answers 401.
    dialog.get_by_label("URL").fill(f"http://127.0.0.1:{port}/webhook")
    dialog.get_by_role("button", name="Create").click()
    expect(dialog.locator("pre")).to_contain_text("whsec_")
    dialog.get_by_role("button", name="I have stored the secret").click()
    page.get_by_role("button", name="Deliveries").first.click()
    dialog.get_by_role("button", name="Send a test event").click()
    expect(dialog.get_by_text("webhook.test", exact=True)).to_be_visible()
    expect(dialog.get_by_text("attempt", exact=False).first).to_contain_text("answered 401")
    visitor.look_for_barriers()
    dialog.get_by_role("button", name="Done").click()
    page.get_by_role("button", name="Delete …").first.click()
    dialog.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("No webhooks")).to_be_visible()


def test_a_top_up_is_in_the_ledger_and_a_low_balance_is_shown(visitor: Visitor) -> None:
    page = visitor.open("settings/balance")
    dialog = page.get_by_role("dialog")
    page.get_by_role("button", name="Top up …").click()
    dialog.get_by_label("Amount").fill("5.00")
    dialog.get_by_label("Note").fill("Invoice 7")
    dialog.get_by_role("button", name="Top up").click()
    expect(page.get_by_role("region", name="Transactions")).to_contain_text("Invoice 7")
    page.get_by_label("Alert below").fill("10")
    page.get_by_role("region", name="Alert").get_by_role("button", name="Save").click()
    expect(page.get_by_text("Less than €10.00 is available")).to_be_visible()
    visitor.look_for_barriers()
    page = visitor.open("settings/audit")
    expect(page.get_by_text("POST /v1/balance/topup")).to_be_visible()


def test_a_saved_view_of_a_list_is_an_address_with_a_name(visitor: Visitor) -> None:
    page = visitor.open("campaigns?state=DRAFT")
    expect(page.get_by_role("link", name="Welcome", exact=True)).to_have_count(0)
    page.get_by_role("button", name="Save this view").click()
    page.get_by_role("dialog").get_by_label("Name").fill("Not yet sent")
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    page.get_by_role("group", name="Saved views").get_by_role("link", name="All").click()
    expect(page.get_by_role("link", name="Welcome", exact=True).first).to_be_visible()
    page.get_by_role("link", name="Not yet sent").click()
    expect(page.get_by_label("State")).to_have_value("DRAFT")
    expect(page.get_by_role("link", name="Welcome", exact=True)).to_have_count(0)
    page.get_by_role("button", name="Remove the view").click()
    expect(page.get_by_role("link", name="Not yet sent")).to_have_count(0)
