"""Preview templates without sending them."""

from tests.integration.conftest import Api
from tests.integration.templates.template_helpers import TEXT, create_template, fields_of


def test_a_preview_renders_the_template_for_a_contact(api: Api) -> None:
    ana = {"email": "ana@example.com", "firstName": "Ana", "attributes": {"city": "Łódź"}}
    contact = api.post("/v1/contacts", ana).data["uid"]
    shown = api.post(f"{create_template(api)}/preview", {"contactUid": contact})
    assert shown.status == 200
    assert shown.data["content"] == {"text": "Hi Ana from Łódź"}
    assert shown.data["sizes"]["text"] == {"characters": 16, "bytes": 19, "smsEncoding": "UCS-2", "smsSegments": 1}
    assert shown.data["missingParameters"] == []


def test_a_preview_names_missing_parameters(api: Api) -> None:
    shown = api.post(f"{create_template(api)}/preview", {"values": {"city": "Lima"}}).data
    assert (shown["content"], shown["missingParameters"]) == (None, ["first_name"])


def test_a_preview_accepts_sources_defaults_and_a_version(api: Api) -> None:
    url = create_template(api)
    api.post(f"{url}/publish")
    api.patch(url, {"content": {"text": "{{ event.total }}"}})
    defaults = {"parameterDefaults": {"first_name": "you", "city": "here"}}
    old = {**defaults, "version": 1, "parameterStrategy": "USE_DEFAULT"}
    assert api.post(f"{url}/preview", old).data["content"] == {"text": "Hi you from here"}
    assert api.post(f"{url}/preview", {"event": {"total": 3}}).data["content"] == {"text": "3"}
    assert api.post(f"{url}/preview", {"version": 2}).status == 404


def test_a_preview_refuses_a_text_that_becomes_too_long(api: Api) -> None:
    loops = "{% for a in x %}{% for b in x %}{% for c in x %}{{ a }}{% endfor %}{% endfor %}{% endfor %}"
    url = create_template(api, {**TEXT, "content": {"text": loops}})
    reply = api.post(f"{url}/preview", {"values": {"x": list(range(100))}})
    assert (reply.status, fields_of(reply)) == (422, ["content"])
    assert fields_of(api.post(f"{url}/preview", {"contactUid": "nobody"})) == ["contactUid"]
