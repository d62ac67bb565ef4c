"""Test listing executions of a flow with many empty shards."""

from dataclasses import replace

from chalicelib.core.reporting.list_executions import list_executions
from chalicelib.model.execution import Execution
from chalicelib.model.flow import MAX_SHARDS
from chalicelib.model.ids import FlowUid, WorkspaceUid
from chalicelib.ports import Page
from tests.bench.cpu import Laboratory
from tests.builders import KEY, build_execution, build_flow
from tests.memory.executions import MemoryExecutions


class ReadExecutions(MemoryExecutions):
    """A store that counts the pages it reads."""

    pages = 0

    def page(
        self, workspace: WorkspaceUid, flow: FlowUid, shard: int, limit: int, cursor: str | None
    ) -> Page[Execution]:
        self.pages += 1
        return super().page(workspace, flow, shard, limit, cursor)


def test_a_page_reads_at_most_a_hundred_empty_shards_and_its_cursor_continues() -> None:
    executions = ReadExecutions()
    ports = replace(Laboratory().ports, executions=executions)
    flow = build_flow(uid=KEY.flow, shards=MAX_SHARDS)
    executions.enrol_many([build_execution()], MAX_SHARDS)
    found: list[Execution] = []
    cursor: str | None = None
    requests = 0
    while cursor or not requests:
        before = executions.pages
        page = list_executions(ports, KEY.workspace, flow, None, 20, cursor)
        assert executions.pages - before <= 100
        found, cursor, requests = [*found, *page.items], page.cursor, requests + 1
    assert [execution.key for execution in found] == [KEY]
    assert requests >= MAX_SHARDS / 100
