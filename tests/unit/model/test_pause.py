"""The stored form of a pause reason."""

import pytest

from chalicelib.model.flow import Flow
from chalicelib.model.pause import PauseCause, PauseReason, parse_pause_reason
from tests.builders import build_flow

_CASES = [
    ("operator", PauseReason(PauseCause.OPERATOR)),
    ("balance", PauseReason(PauseCause.BALANCE)),
    ("balance: 131042", PauseReason(PauseCause.BALANCE, "131042")),
    ("campaign_blocked", PauseReason(PauseCause.CAMPAIGN_BLOCKED)),
    ("template_rejected: 01T", PauseReason(PauseCause.TEMPLATE_REJECTED, "01T")),
    (
        "channel_circuit: the channel Mail (01C) takes no messages: account_suspended",
        PauseReason(PauseCause.CHANNEL_CIRCUIT, "the channel Mail (01C) takes no messages: account_suspended"),
    ),
    ("Campaign 01C has no version 3", PauseReason(PauseCause.FAULT, "Campaign 01C has no version 3")),
    ("broken: no plan", PauseReason(PauseCause.FAULT, "broken: no plan")),
    ("fault", PauseReason(PauseCause.FAULT, "fault")),
]


@pytest.mark.parametrize(("text", "reason"), _CASES)
def test_a_pause_reason_is_stored_as_its_text(text: str, reason: PauseReason) -> None:
    assert parse_pause_reason(text) == reason
    assert reason.text == text


@pytest.mark.parametrize(("text", "reason"), _CASES)
def test_a_flow_keeps_its_pause_reason(text: str, reason: PauseReason) -> None:
    stored = build_flow(pause=reason).model_dump_json()
    assert f'"pauseReason":"{text}"' in stored
    flow = Flow.model_validate_json(stored)
    assert (flow.pause, flow.pause_cause, flow.pause_reason) == (reason, reason.cause, text)


def test_a_flow_that_is_not_paused_has_no_reason() -> None:
    stored = build_flow().model_dump_json()
    assert '"pauseReason":null' in stored
    flow = Flow.model_validate_json(stored)
    assert (flow.pause, flow.pause_cause, flow.pause_reason) == (None, None, None)
