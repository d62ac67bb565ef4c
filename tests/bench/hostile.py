"""CPU time of the most expensive hostile requests, in process, including the embedded AWS."""

from collections.abc import Callable, Sequence
from typing import Any

from tests.bench.calls import open_story
from tests.hostile import bodies, files, filters, names, templates
from tests.hostile.request import Ask, Asked, ask
from tests.integration.harness import Story


def measure() -> list[dict[str, Any]]:
    """Measure each kind of request. The code is warm, as after the first request of a process."""
    kinds: dict[str, Callable[[Story], Sequence[Ask]]] = {
        "bodies": lambda _: bodies.asks(),
        "files": lambda _: files.asks(),
        "filters": lambda _: filters.asks(),
        "names": lambda _: names.asks(),
        "templates": _templates,
    }
    return [_measure(kind, make) for kind, make in kinds.items()]


def _measure(kind: str, make: Callable[[Story], Sequence[Ask]]) -> dict[str, Any]:
    with open_story() as story:
        story.set_up(1)
        asked: list[Asked] = [ask(story.api, each) for each in make(story)]
    dearest = max(asked, key=lambda each: each.cpu)
    return {
        "kind": kind,
        "asked": len(asked),
        "faults": sum(each.reply.status >= 500 for each in asked),
        "dearest": dearest.ask.name,
        "dearest_ms": 1_000 * dearest.cpu,
    }


def _templates(story: Story) -> list[Ask]:
    made = {each.name: each.send(story.api) for each in templates.drafts()}
    uids = {name: reply.data["uid"] for name, reply in made.items() if reply.status == 201}
    return [*templates.drafts(), *templates.asks(uids, story.channel)]
