"""Create, read, change and delete templates."""

from tests.integration.conftest import Api
from tests.integration.templates.template_helpers import MAIL, TEXT, create_template, fields_of


def test_a_template_is_created_read_changed_listed_and_deleted(api: Api) -> None:
    made = api.post("/v1/templates", MAIL)
    assert made.status == 201
    assert made.data["content"] == {"subject": "Hi {{ name }}", "html": "<p>{{ name }}</p>", "fromName": "Ana"}
    assert (made.data["status"], made.data["latestVersion"], made.data["draftChanged"]) == ("DRAFT", 0, True)
    url = f"/v1/templates/{made.data['uid']}"
    changed = api.patch(url, {"name": "Older news"})
    assert (changed.status, changed.data["name"], changed.data["messageType"]) == (200, "Older news", "NEWSLETTER")
    assert api.get(url).data == changed.data
    create_template(api)
    assert len(api.all_pages("/v1/templates?limit=1")) == 2
    assert [
        each["name"] for each in api.get("/v1/templates?channelType=email&name=news&status=DRAFT").json["data"]
    ] == ["Older news"]
    assert api.get("/v1/templates?status=draft").status == 422
    assert api.delete(url).status == 200
    assert api.get(url).status == api.delete(url).status == api.patch(url, {}).status == 404


def test_all_problems_of_a_new_template_are_reported_together(api: Api) -> None:
    wrong = {**MAIL, "content": {"html": "ü" * 40_000, "body": "x"}}
    assert fields_of(api.post("/v1/templates", wrong)) == ["content.body", "content.html", "content.subject"]
    assert fields_of(api.post("/v1/templates", {**TEXT, "channelType": "pigeon"})) == ["channelType"]
    assert fields_of(api.post("/v1/templates", {"content": {"text": 1}})) == ["channelType", "content.text", "name"]
    assert api.get("/v1/templates").json["data"] == []
