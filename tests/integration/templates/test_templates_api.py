"""Templates by HTTP: drafts, versions, previews, tests."""

from typing import Any

from chalicelib.model.workspace import Scope
from tests.integration.conftest import Api, World

TEXT = {"name": "Hello", "channelType": "console", "content": {"text": "Hi {{ first_name }} from {{ city }}"}}
MAIL = {
    "name": "News",
    "channelType": "email",
    "messageType": "NEWSLETTER",
    "content": {"subject": "Hi {{ name }}", "html": "<p>{{ name }}</p>", "from_name": "Ana"},
}


def fields_of(reply: Any) -> list[str]:
    assert reply.json["error"] == "validation_error"
    return sorted(detail["field"] for detail in reply.json["details"])


def new(api: Api, template: dict[str, Any] = TEXT) -> str:
    return f"/v1/templates/{api.post('/v1/templates', template).data['uid']}"


def test_a_template_is_created_read_changed_listed_and_deleted(api: Api) -> None:
    made = api.post("/v1/templates", MAIL)
    assert made.status == 201
    assert made.data["content"] == {"subject": "Hi {{ name }}", "html": "<p>{{ name }}</p>", "fromName": "Ana"}
    assert (made.data["status"], made.data["latestVersion"], made.data["draftChanged"]) == ("DRAFT", 0, True)
    url = f"/v1/templates/{made.data['uid']}"
    changed = api.patch(url, {"name": "Older news"})
    assert (changed.status, changed.data["name"], changed.data["messageType"]) == (200, "Older news", "NEWSLETTER")
    assert api.get(url).data == changed.data
    new(api)
    assert len(api.all_pages("/v1/templates?limit=1")) == 2
    assert [
        each["name"] for each in api.get("/v1/templates?channelType=email&name=news&status=DRAFT").json["data"]
    ] == ["Older news"]
    assert api.get("/v1/templates?status=draft").status == 422
    assert api.delete(url).status == 200
    assert api.get(url).status == api.delete(url).status == api.patch(url, {}).status == 404


def test_every_problem_of_a_new_template_is_told_at_once(api: Api) -> None:
    wrong = {**MAIL, "content": {"html": "ü" * 40_000, "body": "x"}}
    assert fields_of(api.post("/v1/templates", wrong)) == ["content.body", "content.html", "content.subject"]
    assert fields_of(api.post("/v1/templates", {**TEXT, "channelType": "pigeon"})) == ["channelType"]
    assert fields_of(api.post("/v1/templates", {"content": {"text": 1}})) == ["channelType", "content.text", "name"]
    assert api.get("/v1/templates").json["data"] == []


def test_publishing_makes_the_next_version_and_only_if_something_changed(api: Api) -> None:
    url = new(api)
    first = api.post(f"{url}/publish")
    assert (first.status, first.data["status"], first.data["latestVersion"]) == (200, "PUBLISHED", 1)
    assert api.post(f"{url}/publish").data == first.data
    api.patch(url, {"name": "Another name"})
    assert api.post(f"{url}/publish").data["latestVersion"] == 1
    changed = api.patch(url, {"content": {"text": "Bye {{ first_name }}"}}).data
    assert (changed["status"], changed["latestVersion"], changed["draftChanged"]) == ("PUBLISHED", 1, True)
    assert api.post(f"{url}/publish").data["latestVersion"] == 2
    versions = api.all_pages(f"{url}/versions?limit=1")
    assert [(each["version"], each["variables"]) for each in versions] == [
        (2, ["first_name"]),
        (1, ["city", "first_name"]),
    ]
    assert versions[1]["content"] == TEXT["content"]


def test_a_template_that_does_not_compile_is_kept_but_not_published(api: Api) -> None:
    broken = {"subject": "{{ a", "text": "fine", "html": "\n{% include 'x' %}"}
    url = new(api, {**MAIL, "content": broken})
    reply = api.post(f"{url}/publish")
    assert (reply.status, fields_of(reply)) == (422, ["content.html", "content.subject"])
    assert any(detail["message"].startswith("line 2: ") for detail in reply.json["details"])
    assert api.get(url).data["status"] == "DRAFT"
    assert api.get(f"{url}/versions").json["data"] == []
    strange = new(api, {**TEXT, "content": {"text": "{{ product.price }}"}})
    assert "product.price" in api.post(f"{strange}/publish").json["details"][0]["message"]


def test_a_rejected_template_must_change_before_it_is_published(api: Api) -> None:
    url = new(api)
    rejected = api.post(f"{url}/reject", {"reason": "Too loud"})
    assert (rejected.status, rejected.data["status"], rejected.data["rejectReason"]) == (200, "REJECTED", "Too loud")
    assert api.post(f"{url}/publish").status == 409
    changed = api.patch(url, {"content": {"text": "hi"}}).data
    assert (changed["status"], changed["rejectReason"]) == ("DRAFT", None)
    assert api.post(f"{url}/publish").data["status"] == "PUBLISHED"
    assert fields_of(api.post(f"{url}/reject", {})) == ["reason"]


class TestPreview:
    def test_it_shows_what_a_contact_would_get(self, api: Api) -> None:
        ana = {"email": "ana@example.com", "firstName": "Ana", "attributes": {"city": "Łódź"}}
        contact = api.post("/v1/contacts", ana).data["uid"]
        shown = api.post(f"{new(api)}/preview", {"contactUid": contact})
        assert shown.status == 200
        assert shown.data["content"] == {"text": "Hi Ana from Łódź"}
        assert shown.data["sizes"]["text"] == {"characters": 16, "bytes": 19, "smsEncoding": "UCS-2", "smsSegments": 1}
        assert shown.data["missingParameters"] == []

    def test_it_names_what_has_no_value(self, api: Api) -> None:
        shown = api.post(f"{new(api)}/preview", {"values": {"city": "Lima"}}).data
        assert (shown["content"], shown["missingParameters"]) == (None, ["first_name"])

    def test_it_takes_sources_defaults_and_a_version(self, api: Api) -> None:
        url = new(api)
        api.post(f"{url}/publish")
        api.patch(url, {"content": {"text": "{{ event.total }}"}})
        defaults = {"parameterDefaults": {"first_name": "you", "city": "here"}}
        old = {**defaults, "version": 1, "parameterStrategy": "USE_DEFAULT"}
        assert api.post(f"{url}/preview", old).data["content"] == {"text": "Hi you from here"}
        assert api.post(f"{url}/preview", {"event": {"total": 3}}).data["content"] == {"text": "3"}
        assert api.post(f"{url}/preview", {"version": 2}).status == 404

    def test_a_text_that_grows_too_long_is_said_to(self, api: Api) -> None:
        loops = "{% for a in x %}{% for b in x %}{% for c in x %}{{ a }}{% endfor %}{% endfor %}{% endfor %}"
        url = new(api, {**TEXT, "content": {"text": loops}})
        reply = api.post(f"{url}/preview", {"values": {"x": list(range(100))}})
        assert (reply.status, fields_of(reply)) == (422, ["content"])
        assert fields_of(api.post(f"{url}/preview", {"contactUid": "nobody"})) == ["contactUid"]


def test_a_template_is_sent_as_a_test(api: Api) -> None:
    url = new(api)
    channel = api.post("/v1/channels", {"name": "Log", "type": "console"}).data["uid"]
    body = {"channelUid": channel, "to": "me", "values": {"first_name": "Ana", "city": "Lima"}}
    sent = api.post(f"{url}/test", body)
    assert (sent.status, sent.data["verdict"]) == (200, "accepted")
    assert fields_of(api.post(f"{url}/test", {"channelUid": channel, "to": "me"})) == [
        "values.city",
        "values.first_name",
    ]
    mail = new(api, MAIL)
    assert fields_of(api.post(f"{mail}/test", {**body, "values": {"name": "Ana"}})) == ["templateUid"]


def test_another_workspaces_template_is_not_there(api: Api, world: World) -> None:
    url = new(world.new_caller())
    replies = [api.get(url), api.patch(url, {"name": "x"}), api.delete(url), api.post(f"{url}/publish")]
    replies += [api.post(f"{url}/reject", {"reason": "x"}), api.post(f"{url}/preview", {}), api.get(f"{url}/versions")]
    assert [reply.status for reply in replies] == [404] * 7


def test_a_reader_may_look_and_preview_only(api: Api, world: World) -> None:
    url = new(api)
    reader = world.key_for(api.workspace, Scope.READ)
    assert [reader.get(url).status, reader.post(f"{url}/preview", {}).status] == [200, 200]
    writes = [reader.patch(url, {}), reader.delete(url), reader.post(f"{url}/publish"), reader.post(f"{url}/test", {})]
    assert [reply.status for reply in writes] == [403] * 4
