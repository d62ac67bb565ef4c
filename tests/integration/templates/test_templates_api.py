"""Send a template as a test, and the access rights of templates."""

from chalicelib.model.workspace import Scope
from tests.integration.conftest import Api, World
from tests.integration.templates.template_helpers import MAIL, create_template, fields_of


def test_a_template_is_sent_as_a_test(api: Api) -> None:
    url = create_template(api)
    channel = api.post("/v1/channels", {"name": "Log", "type": "console"}).data["uid"]
    body = {"channelUid": channel, "to": "me", "values": {"first_name": "Ana", "city": "Lima"}}
    sent = api.post(f"{url}/test", body)
    assert (sent.status, sent.data["verdict"]) == (200, "accepted")
    assert fields_of(api.post(f"{url}/test", {"channelUid": channel, "to": "me"})) == [
        "values.city",
        "values.first_name",
    ]
    mail = create_template(api, MAIL)
    assert fields_of(api.post(f"{mail}/test", {**body, "values": {"name": "Ana"}})) == ["templateUid"]


def test_a_template_of_another_workspace_is_not_found(api: Api, world: World) -> None:
    url = create_template(world.new_caller())
    replies = [api.get(url), api.patch(url, {"name": "x"}), api.delete(url), api.post(f"{url}/publish")]
    replies += [api.post(f"{url}/reject", {"reason": "x"}), api.post(f"{url}/preview", {}), api.get(f"{url}/versions")]
    assert [reply.status for reply in replies] == [404] * 7


def test_a_read_key_may_read_and_preview_only(api: Api, world: World) -> None:
    url = create_template(api)
    reader = world.key_for(api.workspace, Scope.READ)
    assert [reader.get(url).status, reader.post(f"{url}/preview", {}).status] == [200, 200]
    writes = [reader.patch(url, {}), reader.delete(url), reader.post(f"{url}/publish"), reader.post(f"{url}/test", {})]
    assert [reply.status for reply in writes] == [403] * 4
