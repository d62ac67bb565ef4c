"""Names that would run, hide or pass for another's: kept or refused, and shown safely wherever they come out."""

from html.parser import HTMLParser

import pytest

from tests.hostile import names
from tests.integration.conftest import Api
from tests.integration.consent_helpers import linked, unsubscribe_path
from tests.integration.harness import Story, story

__all__ = ["linked", "story"]
MAIL = {"name": "News", "channelType": "email", "content": {"subject": "Hi", "html": "<p>{{ first_name }}</p>"}}


class Reader(HTMLParser):
    """What a mail program would make of it: its tags, and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_hostile_name_comes_back_as_it_was_and_is_only_text_in_a_mail(api: Api) -> None:
    template = api.post("/v1/templates", MAIL).data["uid"]
    for name in names.KEPT:
        uid = api.post("/v1/contacts", {"externalId": "x", "firstName": name}).data["uid"]
        assert api.get(f"/v1/contacts/{uid}").data["firstName"] == name
        shown = api.post(f"/v1/templates/{template}/preview", {"contactUid": uid})
        reader = Reader()
        reader.feed(shown.data["content"]["html"])
        assert (reader.tags, reader.text) == (["p"], name)


def test_a_name_with_a_line_break_puts_no_header_into_a_mail(api: Api) -> None:
    eve, ada = (api.post("/v1/contacts", {"firstName": name}).data["uid"] for name in ("A\r\nBcc: e@x.de", "Ada"))
    body = {**MAIL, "content": {"subject": "Hi {{ first_name }}", "text": "x"}}
    url = f"/v1/templates/{api.post('/v1/templates', body).data['uid']}/preview"
    refused = api.post(url, {"contactUid": eve})
    assert (refused.status, "line break" in refused.text) == (422, True)
    assert api.post(url, {"contactUid": ada}).data["content"]["subject"] == "Hi Ada"


@pytest.mark.parametrize(("name", "limit"), names.REFUSED)
def test_what_no_name_may_have_is_refused_with_its_field(api: Api, name: str, limit: str) -> None:
    for field in ("firstName", "lastName"):
        reply = api.post("/v1/contacts", {field: name})
        assert (reply.status, reply.json["details"][0]["field"]) == (422, field)
        assert limit in reply.json["details"][0]["message"]


@pytest.mark.parametrize("name", [name for name in names.KEPT if "\n" not in name])
def test_a_hostile_sender_is_only_text_on_the_page_that_contacts_see(linked: Story, name: str) -> None:
    linked.expect(200, linked.api.patch("/v1/workspace", {"name": name}))
    page = linked.api.get(unsubscribe_path(linked)).text
    reader = Reader()
    reader.feed(page)
    assert {"script", "img"} & set(reader.tags) == set()
    assert name in reader.text


@pytest.mark.parametrize("email", names.NO_ADDRESS)
def test_what_only_looks_like_an_address_is_refused(api: Api, email: str) -> None:
    reply = api.post("/v1/contacts", {"email": email})
    assert (reply.status, reply.json["details"][0]["field"]) == (422, "email")


@pytest.mark.parametrize(("written", "again", "kept"), names.ONE_ADDRESS)
def test_two_spellings_of_one_address_are_one_contact(api: Api, written: str, again: str, kept: str) -> None:
    first, second = (api.post("/v1/contacts", {"email": each}) for each in (written, again))
    assert (first.status, second.status, first.data["uid"]) == (201, 200, second.data["uid"])
    assert first.data["email"].casefold() == kept


def test_a_homograph_is_another_contact_and_shows_what_it_is(api: Api) -> None:
    made = [api.post("/v1/contacts", {"email": each}) for each in names.LOOKALIKES]
    assert {reply.status for reply in made} == {201}
    assert len({reply.data["uid"] for reply in made}) == len(names.LOOKALIKES)
    shown = {reply.data["email"] for reply in made}
    assert all(address.isascii() for address in shown)
    assert "ada@xn--pple-43d.com" in shown
