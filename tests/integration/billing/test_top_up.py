"""Test top-ups and the settings of the balance."""

from datetime import timedelta

import pytest

from tests.integration.billing.billing_helpers import CENT, balance_of
from tests.integration.harness import Story, story

__all__ = ["story"]


def test_a_workspace_without_a_top_up_is_not_prepaid(story: Story) -> None:
    story.set_up(contacts=5)
    story.expect(200, story.api.put(f"/v1/channels/{story.channel}", {"name": "C", "type": "console", **CENT}))
    shown = story.expect(200, story.api.put("/v1/balance/alerts", {"lowBalance": "5"}))
    assert (shown["free"], shown["isLow"]) == ("0.00", True)
    flow = story.start(story.short_campaign())
    story.advance(timedelta(seconds=5))
    assert story.flow(flow)["status"] == "completed"
    assert balance_of(story) == ("0.00", "0.00")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "topup", {"amount": "0"}),
        ("POST", "topup", {"amount": "-1"}),
        ("POST", "topup", {"amount": 5}),
        ("PUT", "auto-reload", {"enabled": True, "threshold": "1", "amount": "0"}),
        ("PUT", "alerts", {"lowBalance": "1e9"}),
    ],
)
def test_an_invalid_amount_is_refused(story: Story, method: str, path: str, body: dict[str, object]) -> None:
    assert story.api.call(method, f"/v1/balance/{path}", body).status == 422


def test_a_repeated_top_up_counts_once(story: Story) -> None:
    for _ in range(2):
        reply = story.api.post("/v1/balance/topup", {"amount": "5"}, headers={"Idempotency-Key": "invoice-7"})
        assert reply.status == 201
    assert balance_of(story) == ("5.00", "0.00")
