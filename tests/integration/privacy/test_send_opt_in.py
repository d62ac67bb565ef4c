"""Send the message that asks for a confirmation."""

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.model.message import Accepted, OutcomeUnknown, Throttled
from tests.integration.consent_helpers import (
    ask,
    linked,
)
from tests.integration.harness import Story, story

__all__ = ["linked", "story"]


@pytest.mark.parametrize("answer", [OutcomeUnknown("read_timeout"), Accepted("1")])
def test_a_repeated_job_sends_no_second_message(linked: Story, answer: Any) -> None:
    linked.provider.answer = lambda message: answer
    ask(linked)
    ask(linked)
    linked.run()
    assert len(linked.provider.calls) == 1


def test_a_throttled_message_is_sent_later(linked: Story) -> None:
    verdicts = iter([Throttled(), Accepted("1")])
    linked.provider.answer = lambda message: next(verdicts)
    ask(linked)
    linked.run()
    linked.advance(timedelta(minutes=1), timedelta(seconds=10))
    assert len(linked.provider.calls) == 2
    assert len(linked.provider.times_called()) <= 2
