"""Store receipts on executions and count them."""

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.core.reconciliation.recount_flow import recount_now
from chalicelib.model.flow import Flow
from chalicelib.model.ids import WorkspaceUid
from chalicelib.model.message import OutcomeUnknown
from tests.integration.consent_helpers import Once, swap_ports
from tests.integration.harness import PatchedPort, Story
from tests.integration.receipts.receipt_helpers import sent, stats
from tests.integration.reporting_channel import history, reporting, send_report, story

__all__ = ["reporting", "story"]


SECOND = timedelta(seconds=1)


@pytest.mark.parametrize("order", [("delivered", "opened", "clicked"), ("clicked", "opened", "delivered", "sent")])
def test_receipts_count_once_in_any_order(reporting: Story, order: tuple[str, ...]) -> None:
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


def test_a_receipt_turns_an_unknown_message_into_a_sent_one(reporting: Story) -> None:
    reporting.provider.answer = lambda message: OutcomeUnknown("read_timeout")
    flow = sent(reporting)
    assert stats(reporting, flow, "sent", "unknown") == [0, 2]
    send_report(reporting, 0, "sent")
    send_report(reporting, 1, "delivered")
    assert stats(reporting, flow, "sent", "unknown", "delivered") == [2, 0, 1]


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_concurrent_recount_loses_and_doubles_nothing(reporting: Story, when: str) -> None:
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
def test_numbers_do_not_decrease_when_receipts_arrive_during_the_final_recounts(reporting: Story, counts: int) -> None:
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


def test_a_receipt_during_the_final_save_is_counted_at_once(reporting: Story) -> None:
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
