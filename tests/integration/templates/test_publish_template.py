"""Publish templates as immutable versions."""

from tests.integration.conftest import Api
from tests.integration.templates.template_helpers import MAIL, TEXT, create_template, fields_of


def test_publishing_creates_a_version_only_if_something_changed(api: Api) -> None:
    url = create_template(api)
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


def test_a_template_that_does_not_compile_is_stored_but_not_published(api: Api) -> None:
    broken = {"subject": "{{ a", "text": "fine", "html": "\n{% include 'x' %}"}
    url = create_template(api, {**MAIL, "content": broken})
    reply = api.post(f"{url}/publish")
    assert (reply.status, fields_of(reply)) == (422, ["content.html", "content.subject"])
    assert any(detail["message"].startswith("line 2: ") for detail in reply.json["details"])
    assert api.get(url).data["status"] == "DRAFT"
    assert api.get(f"{url}/versions").json["data"] == []
    strange = create_template(api, {**TEXT, "content": {"text": "{{ product.price }}"}})
    assert "product.price" in api.post(f"{strange}/publish").json["details"][0]["message"]


def test_a_rejected_template_must_change_before_it_is_published(api: Api) -> None:
    url = create_template(api)
    rejected = api.post(f"{url}/reject", {"reason": "Too loud"})
    assert (rejected.status, rejected.data["status"], rejected.data["rejectReason"]) == (200, "REJECTED", "Too loud")
    assert api.post(f"{url}/publish").status == 409
    changed = api.patch(url, {"content": {"text": "hi"}}).data
    assert (changed["status"], changed["rejectReason"]) == ("DRAFT", None)
    assert api.post(f"{url}/publish").data["status"] == "PUBLISHED"
    assert fields_of(api.post(f"{url}/reject", {})) == ["reason"]
