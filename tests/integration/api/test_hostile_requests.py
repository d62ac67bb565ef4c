"""Requests that only somebody hostile sends: refused with field and limit, never a 5xx, never 200 ms of CPU time.

The corpora are in `tests/hostile`; `make bench` prints what their dearest requests cost.
"""

from collections.abc import Callable, Sequence

import pytest

from chalicelib.model.message import Accepted
from tests.hostile import bodies, files, filters, names, templates
from tests.hostile.request import Ask, ask
from tests.integration.consent_helpers import reasons
from tests.integration.harness import Story, story

__all__ = ["story"]


@pytest.mark.parametrize("make", [bodies.asks, files.asks, names.asks], ids=["bodies", "files", "names"])
def test_hostile_requests_are_answered_at_once_and_say_what_is_wrong(
    story: Story, make: Callable[[], Sequence[Ask]]
) -> None:
    asked = [ask(story.api, each) for each in make()]
    assert [fault for each in asked for fault in each.faults()] == []


def test_two_hundred_hostile_filters_are_taken_at_their_word_or_refused(story: Story) -> None:
    story.set_up(1)
    asked = [ask(story.api, each) for each in filters.asks()]
    assert len({each.ask.name for each in asked}) >= 200
    assert [fault for each in asked for fault in each.faults()] == []
    refused = [each for each in asked if each.reply.status == 422]
    fields = {detail["field"] for each in refused for detail in each.reply.json["details"] if detail["field"]}
    assert {field for field in fields if not field.startswith("filter")} <= {"body"}
    # Nobody is found by a pattern that is taken as the text that it is.
    found = [
        each for each in asked if each.reply.status == 200 and each.ask.name.startswith(("contains", "startsWith"))
    ]
    assert len(found) > 30
    assert {each.reply.data["count"] for each in found} == {0}


def test_template_bombs_are_refused_or_said_to_become_too_much(story: Story) -> None:
    story.set_up(1)
    drafts = [ask(story.api, each) for each in templates.drafts()]
    uids = {each.ask.name: each.reply.data["uid"] for each in drafts if each.reply.status == 201}
    assert len(uids) > 10
    asked = [ask(story.api, each) for each in templates.asks(uids, story.channel)]
    assert [fault for each in (*drafts, *asked) for fault in each.faults()] == []
    previews = [each.reply for each in asked if each.ask.name.startswith(("preview", "test"))]
    assert {reply.status for reply in previews} == {422}
    assert all(detail["field"].startswith("content") for reply in previews for detail in reply.json["details"])
    assert story.provider.calls == []


def test_a_bomb_in_a_flow_fails_its_contact_and_nobody_else(story: Story) -> None:
    """The values of the contact make it one: the text is harmless to all others."""
    story.set_up(2)
    attributes = {"long": "x" * 1_000, **{f"a{n}": "x" * 1_000 for n in range(40)}}
    story.expect(200, story.api.patch(f"/v1/contacts/{story.contacts[0]}", {"attributes": attributes}))
    story.expect(200, story.api.patch(f"/v1/contacts/{story.contacts[1]}", {"attributes": {"long": "x"}}))
    loops = "{% for a in long %}{% for b in long %}{% for c in long %}{{ long }}{% endfor %}{% endfor %}{% endfor %}"
    story.provider.answer = lambda message: Accepted(str(message.uid))
    flow = story.start(story.short_campaign(templateUid=story.add_template(loops)))
    story.run()
    shown = story.flow(flow)
    assert (shown["status"], shown["stats"]["completed"], shown["stats"]["failed"]) == ("partial_completed", 1, 1)
    assert shown["metadata"]["failureReasons"] == {"render_failed": 1}
    assert reasons(story, flow) == {}
