"""Test creating a workspace with its first key."""

from chalicelib.model.ids import WorkspaceUid
from chalicelib.model.workspace import Scope
from tests.integration.conftest import Api, World
from tests.integration.harness import story

__all__ = ["story"]


def test_only_its_own_keys_open_a_new_workspace(api: Api, world: World) -> None:
    made = api.post("/v1/workspaces", {"name": "Second"})
    assert made.status == 201
    other = Api(made.data["key"], WorkspaceUid(made.data["uid"]))
    assert other.get("/v1/workspace").data["name"] == "Second"
    api.post("/v1/contacts", {"externalId": "1"})
    assert other.get("/v1/contacts").json["data"] == []
    assert {each["uid"] for each in api.all_pages("/v1/workspaces")} == {api.workspace, other.workspace}
    assert [each["uid"] for each in other.all_pages("/v1/workspaces")] == [other.workspace]
    assert world.new_caller().get("/v1/workspaces").text.find(made.data["uid"]) == -1
    assert world.key_for(api.workspace, Scope.WRITE).post("/v1/workspaces", {"name": "x"}).status == 403
