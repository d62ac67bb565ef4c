"""What providers report: onto rows, into statistics, histories and the suppression list, in any order."""

import json
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.core.reconciliation.recount_flow import recount_now
from chalicelib.model.flow import Flow
from chalicelib.model.ids import WorkspaceUid
from chalicelib.model.message import OutcomeUnknown
from tests.integration.consent_helpers import Once, consent, reasons, swap_ports
from tests.integration.harness import PatchedPort, Story
from tests.integration.reporting_channel import history, publish_reports, reporting, send_report, story

__all__ = ["reporting", "story"]

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


def sent(story: Story, *steps: dict[str, Any]) -> str:
    """A flow that has sent its first messages."""
    flow = story.start(story.campaign(*steps) if steps else story.short_campaign())
    story.advance(SECOND)
    return flow


def stats(story: Story, flow: str, *words: str) -> list[int]:
    found = story.flow(flow)["stats"]
    return [found[word] for word in words]


def suppressed(story: Story) -> list[tuple[str, str, str | None]]:
    return [
        (block["reason"], block["channelType"], block["messageType"])
        for entry in story.api.all_pages("/v1/suppressions")
        for block in entry["blocks"]
    ]


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


@pytest.mark.parametrize("order", [("delivered", "opened", "clicked"), ("clicked", "opened", "delivered", "sent")])
def test_receipts_come_in_any_order_and_twice(reporting: Story, order: tuple[str, ...]) -> None:
    flow = sent(reporting)
    for engagement in order * 2:
        send_report(reporting, 0, engagement)
    assert stats(reporting, flow, "delivered", "opened", "clicked") == [1, 1, 1]
    told = {"message.delivered": 1, "message.opened": 1, "message.clicked": 1}
    names = history(reporting, reporting.contacts[0])
    assert {name: names.count(name) for name in names} == told
    reporting.expect(200, reporting.api.post(f"/v1/flows/{flow}/recount"))
    reporting.run()
    assert stats(reporting, flow, "delivered", "opened", "clicked") == [1, 1, 1]


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


def test_a_receipt_settles_what_was_unknown(reporting: Story) -> None:
    reporting.provider.answer = lambda message: OutcomeUnknown("read_timeout")
    flow = sent(reporting)
    assert stats(reporting, flow, "sent", "unknown") == [0, 2]
    send_report(reporting, 0, "sent")
    send_report(reporting, 1, "delivered")
    assert stats(reporting, flow, "sent", "unknown", "delivered") == [2, 0, 1]


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


def test_an_event_campaign_starts_when_a_message_is_opened(reporting: Story) -> None:
    trigger = {"type": "event", "event": "message.opened"}
    again = reporting.campaign(reporting.send("again", channelUid=reporting.channel), trigger=trigger)
    reporting.expect(202, reporting.api.post(f"/campaigns/{again}/launch"))
    sent(reporting)
    for _ in range(2):
        send_report(reporting, 1, "opened")
    reporting.advance(SECOND)
    assert [call.message.uid.contact for call in reporting.provider.calls[2:]] == [reporting.contacts[1]]


def test_a_condition_sees_what_was_reported(reporting: Story) -> None:
    lanes = [
        {"label": "yes", "when": {"message": "hello", "is": "opened"}, "steps": [reporting.send("thanks")]},
        {"label": "no", "steps": []},
    ]
    wait = {"id": "w", "type": "WAIT", "for": "PT1M"}
    sent(reporting, reporting.send("hello"), wait, {"id": "if", "type": "CONDITION", "lanes": lanes})
    send_report(reporting, 0, "opened")
    reporting.advance(MINUTE * 2, timedelta(seconds=10))
    assert [call.message.uid.node for call in reporting.provider.calls[2:]] == ["thanks"]


# ---- answers ----


def reply(story: Story, text: str, **fields: Any) -> None:
    publish_reports(story, {"engagement": "replied", "address": "C0@Example.com", "reply": text, **fields})


def test_an_answer_is_of_the_newest_message_to_the_contact(reporting: Story) -> None:
    first = sent(reporting)
    reporting.advance(MINUTE, timedelta(seconds=10))
    second = sent(reporting)
    reply(reporting, "Yes please")
    assert [stats(reporting, flow, "replied") for flow in (first, second)] == [[0], [1]]
    reply(reporting, "And soon")
    assert history(reporting, reporting.contacts[0]) == ["message.replied"] * 2
    reply(reporting, "That one", provider_id=str(reporting.provider.calls[0].message.uid))
    assert [stats(reporting, flow, "replied") for flow in (first, second)] == [[1], [1]]


def test_an_answer_to_nothing_is_an_event_of_the_contact(reporting: Story) -> None:
    reply(reporting, "Hello?")
    reply(reporting, "From nobody", address="nobody@example.com")
    assert history(reporting, reporting.contacts[0]) == ["message.replied"]
    assert suppressed(reporting) == []


def test_stop_suppresses_and_revokes_and_start_takes_back_only_that(reporting: Story) -> None:
    contact = reporting.contacts[0]
    for kind in ("NEWSLETTER", "MESSAGE"):
        consent(reporting, contact, "GRANTED", messageType=kind)
    consent(reporting, contact, "REVOKED", messageType="CONVERSATION")
    for _ in range(2):
        reply(reporting, "STOP", suppress="opted_out")
    said = reporting.api.get(f"/v1/contacts/{contact}").data["consent"]["console"]
    assert set(said.values()) == {"REVOKED"}
    assert suppressed(reporting) == [("stop", "console", None)]
    assert reasons(reporting, sent(reporting)) == {"suppressed": 1}
    reporting.advance(SECOND)
    reply(reporting, "START", resumes=True)
    said = reporting.api.get(f"/v1/contacts/{contact}").data["consent"]["console"]
    assert said == {"NEWSLETTER": "GRANTED", "MESSAGE": "GRANTED", "CONVERSATION": "REVOKED"}
    assert suppressed(reporting) == []
    sent(reporting)
    assert len(reporting.provider.calls) == 3


def test_start_does_not_lift_what_a_bounce_or_an_operator_has_put_there(reporting: Story) -> None:
    reporting.expect(201, reporting.api.post("/v1/suppressions", {"email": "c0@example.com"}))
    reply(reporting, "STOP", suppress="opted_out")
    reporting.advance(SECOND)
    reply(reporting, "START", resumes=True)
    assert [reason for reason, *_ in suppressed(reporting)] == ["manual"]


def test_a_start_of_before_the_stop_lifts_nothing(reporting: Story) -> None:
    before = reporting.now.isoformat()
    reporting.advance(SECOND)
    reply(reporting, "STOP", suppress="opted_out")
    reply(reporting, "START", resumes=True, at=before)
    assert [reason for reason, *_ in suppressed(reporting)] == ["stop"]


def test_who_stops_marketing_still_gets_messages(reporting: Story) -> None:
    consent(reporting, reporting.contacts[0], "GRANTED")
    publish_reports(reporting, {"engagement": None, "address": "c0@example.com", "suppress": "opted_out_of_marketing"})
    assert suppressed(reporting) == [("stop", "console", "NEWSLETTER")]
    sent(reporting)
    assert len(reporting.provider.calls) == 2


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


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_recount_at_the_same_moment_loses_and_doubles_nothing(reporting: Story, when: str) -> None:
    """It recounts the flow between the read of the flow and the count of the receipt."""
    flow = sent(reporting)
    ports, executions = reporting.world.ports, reporting.world.ports.executions
    workspace = reporting.api.workspace
    recount = Once(lambda: recount_now(ports, workspace, ports.catalog.get(workspace, Flow, flow)))

    def put_receipt(*arguments: Any) -> Any:
        recount() if when == "before" else None
        changed = executions.put_receipt(*arguments)
        recount()
        return changed

    swap_ports(reporting, executions=PatchedPort(executions, put_receipt=put_receipt))
    send_report(reporting, 0, "delivered")
    assert recount.done
    assert stats(reporting, flow, "delivered") == [1]
    send_report(reporting, 1, "delivered")
    assert (reporting.flow(flow)["status"], stats(reporting, flow, "delivered")) == ("completed", [2])


@pytest.mark.parametrize("counts", [1, 2, 4])
def test_numbers_that_were_seen_do_not_go_back_when_receipts_come_under_the_counts_that_end_the_flow(
    reporting: Story, counts: int
) -> None:
    flow = sent(reporting)
    executions = reporting.world.ports.executions
    under_each = iter([(0, "opened"), (1, "opened"), (0, "clicked"), (1, "clicked")][:counts])

    def page(*arguments: Any) -> Any:
        counted = executions.page(*arguments)
        swap_ports(reporting, executions=executions)
        if told := next(under_each, None):
            send_report(reporting, *told)
        return counted

    send_report(reporting, 0, "delivered")
    swap_ports(reporting, executions=PatchedPort(executions, page=page))
    send_report(reporting, 1, "delivered")
    assert [*under_each] == []
    seen = stats(reporting, flow, "opened", "clicked")
    assert (reporting.flow(flow)["status"], seen) == ("completed", [min(counts, 2), max(counts - 2, 0)])


def test_a_receipt_that_comes_as_the_flow_is_saved_as_over_is_counted_at_once(reporting: Story) -> None:
    flow = sent(reporting)
    catalog = reporting.world.ports.catalog
    open_first = Once(lambda: send_report(reporting, 0, "opened"))

    def save(workspace: WorkspaceUid, document: Any) -> Any:
        if isinstance(document, Flow) and document.is_over:
            swap_ports(reporting, catalog=catalog)
            open_first()
        return catalog.save(workspace, document)

    send_report(reporting, 0, "delivered")
    swap_ports(reporting, catalog=PatchedPort(catalog, save=save))
    send_report(reporting, 1, "delivered")
    assert open_first.done
    assert (reporting.flow(flow)["status"], stats(reporting, flow, "opened")) == ("completed", [1])
