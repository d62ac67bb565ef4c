"""Test changing the settings of a workspace."""

from datetime import timedelta

import pytest

from chalicelib.core.workspaces.create_workspace import create_workspace
from chalicelib.core.workspaces.update_workspace import update_workspace
from chalicelib.errors import Conflict, InvalidRequest, NotFound
from chalicelib.model.ids import WorkspaceUid
from chalicelib.model.workspace import Workspace
from chalicelib.ports import Ports
from tests.memory.catalog import D, MemoryCatalog
from tests.memory.clock import VirtualClock
from tests.memory.ports import memory_ports


def _workspace(ports: Ports) -> WorkspaceUid:
    return WorkspaceUid(create_workspace(ports, "Acme")[0].uid)


def test_only_the_named_fields_change() -> None:
    clock = VirtualClock()
    ports = memory_ports(clock=clock)
    uid = _workspace(ports)
    before = ports.catalog.get(uid, Workspace, uid)
    clock.advance(timedelta(hours=1))
    after = update_workspace(ports, uid, {"timezone": "Asia/Tokyo"})
    assert after == ports.catalog.get(uid, Workspace, uid)
    assert (after.timezone, after.name, after.currency) == ("Asia/Tokyo", before.name, before.currency)
    assert after.updated_at - before.updated_at == timedelta(hours=1)


@pytest.mark.parametrize("timezone", ["Mars/Base", "", "europe", "UTC+25", "../etc/passwd"])
def test_an_unknown_time_zone_is_refused_and_nothing_changes(timezone: str) -> None:
    ports = memory_ports()
    uid = _workspace(ports)
    before = ports.catalog.get(uid, Workspace, uid)
    with pytest.raises(InvalidRequest) as refused:
        update_workspace(ports, uid, {"timezone": timezone, "name": "Other"})
    assert [problem.field for problem in refused.value.problems] == ["timezone"]
    assert ports.catalog.get(uid, Workspace, uid) == before


def test_an_unknown_workspace_is_not_found() -> None:
    with pytest.raises(NotFound):
        update_workspace(memory_ports(), WorkspaceUid("unknown"), {"name": "Other"})


def test_a_concurrent_change_is_not_overwritten() -> None:
    class ChangedByAnother(MemoryCatalog):
        """A catalog that simulates another request after every read."""

        def get(self, workspace: WorkspaceUid, kind: type[D], uid: str) -> D:
            found = super().get(workspace, kind, uid)
            self.save(workspace, found.model_copy(update={"name": "Theirs"}))
            return found

    catalog = ChangedByAnother()
    ports = memory_ports(catalog=catalog)
    uid = _workspace(ports)
    with pytest.raises(Conflict):
        update_workspace(ports, uid, {"name": "Mine"})
    stored = catalog.find(uid, Workspace, uid)
    assert stored is not None
    assert stored.name == "Theirs"
