"""Two versions of the code at work on the same tables, as in every update: neither loses what the other one wrote.

`stored/<release>.json` holds all that a release had stored while a flow was under way; releases to come have to finish
it. `RECORD_STORED=<release> pytest tests/integration/upgrades/test_updates.py -k newer` writes one.
"""

import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from chalicelib.core.reporting.describe_flow import describe_flow
from chalicelib.model.flow import Flow
from chalicelib.model.ids import WorkspaceUid
from infra.local.resources import physical_name
from tests.integration.harness import Story, story

__all__ = ["story"]
STORED = Path(__file__).parents[1] / "stored"
TABLES = [physical_name(name) for name in ("CatalogTable", "ContactsTable", "ExecutionsTable", "TimersTable")]
#: Those that hold a model's JSON: `doc` of documents, contacts, events; settings of a balance.
TEXTS = ("doc", "settingsDoc")


def half_way(story: Story) -> str:
    """All contacts have the first message and wait."""
    story.set_up(contacts=4)
    flow = story.start(story.campaign(*story.example()), configuration={"pauseBetweenContactsMs": 100})
    story.advance(timedelta(seconds=30))
    assert len(story.provider.calls) == 4
    return flow


def items(story: Story, table: str) -> list[dict[str, Any]]:
    found = story.world.aws.client("dynamodb").scan(TableName=table)
    assert "LastEvaluatedKey" not in found
    return list(found["Items"])


def put(story: Story, table: str, item: dict[str, Any]) -> None:
    story.world.aws.client("dynamodb").put_item(TableName=table, Item=item)


def end(story: Story, workspace: WorkspaceUid, flow: str) -> Flow:
    story.advance(timedelta(days=3), step=timedelta(minutes=30))
    story.advance(timedelta(minutes=40), step=timedelta(minutes=1))
    return story.world.ports.catalog.get(workspace, Flow, flow)


def as_newer(item: dict[str, Any]) -> dict[str, Any]:
    """Add fields that a newer version may store: attributes, fields of documents, and entries of a path."""
    item = {**item, "newer": {"S": "x"}}
    for name in TEXTS:
        if name in item:
            item[name] = {"S": json.dumps({**json.loads(item[name]["S"]), "newerField": {"deep": [1]}})}
    if "walk" in item:
        item["walk"] = {"M": {**item["walk"]["M"], "newer": {"N": "1"}}}
    return item


def test_what_newer_code_stored_is_gone_on_with_by_the_code_before_it(story: Story) -> None:
    flow = half_way(story)
    if release := os.environ.get("RECORD_STORED"):
        record(story, flow, STORED / f"{release}.json")
    for table in TABLES:
        for item in items(story, table):
            put(story, table, as_newer(item))
    found = end(story, story.api.workspace, flow)
    assert found.status == "completed"
    assert set(story.provider.times_called().values()) == {1}
    assert len(story.provider.calls) == 8


def record(story: Story, flow: str, path: Path) -> None:
    stored = {
        "at": story.now.isoformat(),
        "workspace": story.api.workspace,
        "flow": flow,
        "tables": {table: items(story, table) for table in TABLES},
    }
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(stored, indent=1, sort_keys=True) + "\n", encoding="utf-8")


@pytest.fixture(params=sorted(path.stem for path in STORED.glob("*.json")))
def release(request: pytest.FixtureRequest) -> Any:
    return json.loads((STORED / f"{request.param}.json").read_text(encoding="utf-8"))


def test_what_an_earlier_release_stored_is_finished(story: Story, release: Any) -> None:
    assert release["at"] == (story.now + timedelta(seconds=30)).isoformat(), "stories begin at one moment"
    for table, stored in release["tables"].items():
        for item in stored:
            put(story, table, item)
    story.advance(timedelta(seconds=30))
    workspace = WorkspaceUid(release["workspace"])
    found = end(story, workspace, release["flow"])
    assert found.status == "completed"
    counted = describe_flow(story.world.ports, workspace, found).counters
    assert (counted["completed"], counted["sent"], len(story.provider.calls)) == (4, 8, 4)
