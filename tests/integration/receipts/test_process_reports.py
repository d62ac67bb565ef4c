"""What providers report: onto rows, into statistics, histories and the suppression list, in any order."""

import json
from datetime import timedelta
from typing import Any

import pytest

from tests.integration.consent_helpers import Once, reasons, swap_ports
from tests.integration.harness import Story
from tests.integration.receipts.receipt_helpers import sent, stats, suppressed
from tests.integration.reporting_channel import history, publish_reports, reporting, send_report, story

__all__ = ["reporting", "story"]

SECOND = timedelta(seconds=1)


def test_a_flow_waits_for_receipts_and_ends_with_the_last_one(reporting: Story) -> None:
    flow = sent(reporting)
    send_report(reporting, 0, "delivered")
    assert (reporting.flow(flow)["status"], stats(reporting, flow, "delivered")) == ("running", [1])
    send_report(reporting, 1, "delivered")
    assert (reporting.flow(flow)["status"], stats(reporting, flow, "delivered")) == ("completed", [2])


def test_a_message_of_which_nothing_is_heard_times_out(reporting: Story) -> None:
    flow = sent(reporting)
    send_report(reporting, 0, "delivered")
    send_report(reporting, 1, "sent")
    reporting.advance(timedelta(minutes=6), timedelta(seconds=20))
    assert reporting.flow(flow)["status"] == "partial_completed"
    assert stats(reporting, flow, "delivered", "timedOut") == [1, 1]
    send_report(reporting, 1, "delivered")
    assert stats(reporting, flow, "delivered", "timedOut") == [2, 0]


def test_a_hard_bounce_suppresses_the_address(reporting: Story) -> None:
    flow = sent(reporting)
    for _ in range(2):
        send_report(reporting, 0, "bounced", suppress="hard_bounce", code="Permanent.General")
    assert stats(reporting, flow, "bounced") == [1]
    assert suppressed(reporting) == [("hard_bounce", "console", None)]
    assert history(reporting, reporting.contacts[0]) == ["message.bounced"]
    assert reasons(reporting, sent(reporting)) == {"suppressed": 1}
    assert len(reporting.provider.calls) == 3


def test_a_complaint_was_delivered_and_suppresses(reporting: Story) -> None:
    flow = sent(reporting)
    send_report(reporting, 0, "delivered", suppress="complaint")
    assert stats(reporting, flow, "delivered") == [1]
    assert suppressed(reporting) == [("complaint", "console", None)]
    assert sorted(history(reporting, reporting.contacts[0])) == ["message.complained", "message.delivered"]


@pytest.mark.parametrize("first", ["delivered", "bounced"])
def test_a_bounce_that_may_pass_undoes_no_delivery(reporting: Story, first: str) -> None:
    flow = sent(reporting)
    for engagement in ("delivered", "bounced") if first == "delivered" else ("bounced", "delivered"):
        send_report(reporting, 0, engagement, is_soft=engagement == "bounced")
    assert stats(reporting, flow, "delivered", "bounced") == [1, 0]
    assert suppressed(reporting) == []
    send_report(reporting, 0, "bounced")
    assert stats(reporting, flow, "delivered", "bounced") == [0, 1]


def test_a_receipt_may_come_before_the_providers_answer(reporting: Story) -> None:
    def report(message: Any) -> None:
        publish_only(reporting, {"message": str(message.uid), "engagement": "delivered"})
        reporting.world.deliver_all("ReceiptQueue")

    reporting.provider.during = report
    flow = reporting.start(reporting.short_campaign())
    reporting.advance(SECOND)
    assert stats(reporting, flow, "sent", "delivered") == [2, 0]
    reporting.advance(timedelta(seconds=6))
    assert stats(reporting, flow, "sent", "delivered") == [2, 2]
    assert reporting.flow(flow)["status"] == "completed"


def publish_only(story: Story, report: dict[str, Any]) -> None:
    story.world.ports.receipt_queue.send(json.dumps({"reports": [report]}))


def test_what_is_told_of_what_is_gone_changes_nothing(reporting: Story) -> None:
    flow = sent(reporting)
    reporting.expect(200, reporting.api.delete(f"/v1/contacts/{reporting.contacts[0]}"))
    reporting.run()
    send_report(reporting, 0, "opened")
    assert stats(reporting, flow, "opened") == [1]
    send_report(reporting, 1, "delivered")
    reporting.expect(200, reporting.api.delete(f"/v1/flows/{flow}"))
    reporting.run()
    send_report(reporting, 1, "opened")
    publish_reports(reporting, {"message": "nowhere.f.c.n.1", "engagement": "bounced", "suppress": "hard_bounce"})
    assert history(reporting, reporting.contacts[1]) == ["message.delivered"]
    assert reporting.world.drain() == 0


# ---- answers ----


def reply(story: Story, text: str, **fields: Any) -> None:
    publish_reports(story, {"engagement": "replied", "address": "C0@Example.com", "reply": text, **fields})


# ---- hooks ----


def post(story: Story, uid: str, report: dict[str, Any], signed: str | None = None, query: str = "") -> Any:
    url = f"/v1/hooks/{uid}{query}"
    headers = {"Authorization": "", "Content-Type": "application/x-www-form-urlencoded"}
    headers["X-Signed"] = f"https://mail.example.com/prod{url}" if signed is None else signed
    return story.api.post(url, json.dumps({"reports": [report]}).encode(), headers=headers)


@pytest.fixture
def hook(reporting: Story) -> str:
    swap_ports(reporting, public_url="https://mail.example.com/prod")
    return f"{reporting.api.workspace}.{reporting.channel}"


def test_a_signed_callback_is_taken_and_counts(reporting: Story, hook: str) -> None:
    flow = sent(reporting)
    uid = str(reporting.provider.calls[0].message.uid)
    reply = post(reporting, hook, {"message": uid, "engagement": "opened"}, query=f"?message={uid}")
    assert (reply.status, reply.headers["content-type"]) == (200, "text/xml")
    assert stats(reporting, flow, "opened") == [0]
    reporting.run()
    assert stats(reporting, flow, "opened") == [1]


def test_forged_unknown_and_oversized_callbacks_are_refused(reporting: Story, hook: str) -> None:
    report = {"message": "a.b.c.d.1", "engagement": "opened"}
    assert post(reporting, hook, report, signed="somebody").status == 403
    assert post(reporting, f"{reporting.api.workspace}.other", report).status == 404
    assert post(reporting, "nonsense", report).status == 404
    assert post(reporting, hook, {"reply": "x" * 1_048_576}).status == 413
    assert reporting.api.get(f"/v1/hooks/{hook}?hub.mode=subscribe&hub.challenge=1").status == 403
    assert reporting.world.deliver_all("ReceiptQueue") == 0


def test_a_channel_speaks_for_its_own_workspace_only(reporting: Story, hook: str) -> None:
    flow = sent(reporting)
    other = reporting.world.new_caller()
    made = other.post("/v1/channels", {"name": "Console", "type": "console"}).data["uid"]
    message = reporting.provider.calls[0].message
    report = {"message": str(message.uid), "engagement": "bounced", "suppress": "hard_bounce", "address": message.to}
    assert post(reporting, f"{other.workspace}.{made}", report).status == 200
    reporting.run()
    assert (stats(reporting, flow, "bounced"), suppressed(reporting)) == ([0], [])


def test_a_long_callback_fits_the_queue(reporting: Story, hook: str) -> None:
    report = {"engagement": "replied", "address": "c0@example.com", "reply": '"\\' * 200_000}
    assert post(reporting, hook, report).status == 200
    reporting.run()
    assert history(reporting, reporting.contacts[0]) == ["message.replied"]


def test_a_row_that_cannot_be_read_now_is_told_again(reporting: Story) -> None:
    """The queue brings back what failed."""
    sent(reporting)
    fails = Once(lambda: (_ for _ in ()).throw(RuntimeError("lost")))
    executions = reporting.world.ports.executions

    class Failing:
        def __getattr__(self, name: str) -> Any:
            fails() if name == "put_receipt" else None
            return getattr(executions, name)

    swap_ports(reporting, executions=Failing())
    send_report(reporting, 0, "opened")
    assert fails.done
    reporting.advance(timedelta(minutes=4), timedelta(seconds=30))
    assert history(reporting, reporting.contacts[0]) == ["message.opened"]
