"""Test that a new workspace can be found and opened, even after a crash during its creation."""

from collections.abc import Sequence

import pytest

from chalicelib.core.workspaces.api_key import parse_api_key
from chalicelib.core.workspaces.create_workspace import create_workspace
from chalicelib.errors import RetryLater
from chalicelib.model.base import StoredDocument
from chalicelib.model.ids import WorkspaceUid
from chalicelib.model.workspace import Key, KnownWorkspace, Scope, Workspace
from chalicelib.ports import Ports
from tests.memory.catalog import MemoryCatalog
from tests.memory.ports import memory_ports

OWNER = WorkspaceUid("owner")


class FailingCatalog(MemoryCatalog):
    """A catalog that fails when a document of one type is added."""

    def __init__(self, failing: type[StoredDocument]) -> None:
        super().__init__()
        self._failing = failing

    def add(
        self,
        workspace: WorkspaceUid,
        document: StoredDocument,
        under: tuple[type[StoredDocument], str] | None = None,
        moving: Sequence[StoredDocument] = (),
    ) -> None:
        if isinstance(document, self._failing):
            raise RetryLater("DynamoDB is unavailable")
        super().add(workspace, document, under, moving)


def _listed(ports: Ports, workspace: WorkspaceUid) -> list[str]:
    return [each.uid for each in ports.catalog.page(workspace, KnownWorkspace, {}, 10, None).items]


def test_the_first_key_opens_the_workspace_as_admin() -> None:
    ports = memory_ports()
    workspace, text = create_workspace(ports, "Acme")
    uid = WorkspaceUid(workspace.uid)
    presented = parse_api_key(text)
    assert presented is not None
    assert presented.workspace == uid
    assert ports.catalog.get(uid, Key, presented.uid).scope is Scope.ADMIN
    assert ports.catalog.get(uid, Workspace, uid).name == "Acme"


def test_it_is_listed_in_itself_and_for_its_owner() -> None:
    ports = memory_ports()
    workspace, _ = create_workspace(ports, "Acme", OWNER)
    assert _listed(ports, OWNER) == _listed(ports, WorkspaceUid(workspace.uid)) == [workspace.uid]


@pytest.mark.parametrize("failing", [Workspace, Key])
def test_an_interrupted_creation_leaves_an_entry_for_the_owner(failing: type[StoredDocument]) -> None:
    catalog = FailingCatalog(failing)
    ports = memory_ports(catalog=catalog)
    with pytest.raises(RetryLater):
        create_workspace(ports, "Acme", OWNER)
    assert len(_listed(ports, OWNER)) == 1
