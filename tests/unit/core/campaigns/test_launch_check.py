"""Test that a launch is refused with all problems, each at its step."""

from dataclasses import replace

import pytest

from chalicelib.core.campaigns.launch_check import References, check_launch
from chalicelib.model.channel import Approval
from chalicelib.model.template import TemplateStatus
from tests.builders import build_channel, build_graph, build_template, build_version, end, send, wait

GOOD = References(
    default_channel="mail",
    channels={"mail": build_channel()},
    templates={"hello": build_template()},
    versions={"hello": build_version()},
)


def _fields(referred: References, *steps: dict[str, object]) -> list[tuple[str, str]]:
    graph = build_graph(*(steps or (send("hello"), end())))
    return [(problem.field, problem.message) for problem in check_launch(graph, referred)]


def test_a_complete_campaign_may_be_launched() -> None:
    assert _fields(GOOD) == []


def test_the_channel_of_a_step_overrides_the_default_channel() -> None:
    referred = replace(GOOD, default_channel="gone")
    assert _fields(referred, send("hello", channelUid="mail")) == []


def test_steps_without_messages_need_no_channel() -> None:
    assert _fields(References(None, {}, {}, {}), wait("pause"), end()) == []


@pytest.mark.parametrize(
    ("referred", "field", "words"),
    [
        (replace(GOOD, default_channel=None), "channelUid", "names no channel"),
        (replace(GOOD, channels={}), "channelUid", "mail was not found"),
        (replace(GOOD, channels={"mail": build_channel(approval=Approval.PENDING)}), "channelUid", "is pending"),
        (replace(GOOD, channels={"mail": build_channel(approval=Approval.BLOCKED)}), "channelUid", "is blocked"),
        (replace(GOOD, channels={"mail": build_channel(active=False)}), "channelUid", "is inactive"),
        (replace(GOOD, templates={}, versions={}), "templateUid", "hello was not found"),
        (
            replace(GOOD, templates={"hello": build_template(status=TemplateStatus.DRAFT)}),
            "templateUid",
            "is DRAFT, not PUBLISHED",
        ),
        (
            replace(GOOD, templates={"hello": build_template(status=TemplateStatus.REJECTED)}),
            "templateUid",
            "is REJECTED, not PUBLISHED",
        ),
        (replace(GOOD, versions={}), "templateVersion", "has no version latest"),
        (
            replace(GOOD, versions={"hello": build_version(channel_type="sms")}),
            "templateUid",
            "is for sms, the channel is email",
        ),
    ],
)
def test_each_problem_names_its_field(referred: References, field: str, words: str) -> None:
    ((found, message),) = _fields(referred)
    assert found == f"steps[0].{field}"
    assert words in message
    assert message.startswith("step hello: ")


def test_all_problems_of_all_steps_are_reported_together() -> None:
    referred = replace(GOOD, channels={}, versions={"hello": build_version()})
    steps = (send("hello"), wait("pause"), send("again", templateUid="gone"), send("third", templateVersion=9))
    assert [field for field, _ in _fields(referred, *steps)] == [
        "steps[0].channelUid",
        "steps[2].channelUid",
        "steps[2].templateUid",
        "steps[3].channelUid",
        "steps[3].templateVersion",
    ]
