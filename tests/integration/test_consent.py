"""Consent and suppression, as campaigns and contacts meet them: what was taken back is never sent."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from chalicelib.model.message import Accepted, Throttled, Unknown
from chalicelib.wiring import use_ports
from tests.integration.story import Story, story

__all__ = ["story"]

PUBLIC = "https://mail.example.com/prod"
SECOND = timedelta(seconds=1)


def swap_ports(story: Story, **changes: Any) -> None:
    story.world.ports = replace(story.world.ports, **changes)
    use_ports(story.world.ports)


@pytest.fixture
def linked(story: Story) -> Story:
    """The story, where links can be made."""
    swap_ports(story, public_url=PUBLIC)
    story.settle_in(1)
    return story


def consent(story: Story, contact: str, state: str, **fields: Any) -> Any:
    body = {"channelType": "console", "state": state, **fields}
    return story.api.post(f"/v1/contacts/{contact}/consent", body)


def newsletter(story: Story, text: str = "News") -> str:
    template = story.add_template(text, messageType="NEWSLETTER")
    return story.short_campaign(templateUid=template)


def reasons(story: Story, flow: str) -> Any:
    return story.flow(flow)["metadata"]["skipReasons"]


def send_one(story: Story, campaign: str | None = None) -> str:
    flow = story.start(campaign or story.short_campaign())
    story.advance(SECOND)
    return flow


def path_of(url: str) -> str:
    return urlsplit(url).path.removeprefix("/prod")


# ---- consent ----


def test_a_newsletter_needs_a_yes_and_a_message_needs_no_no(story: Story) -> None:
    story.settle_in(1)
    (ann,) = story.contacts
    campaign = newsletter(story)
    assert reasons(story, send_one(story, campaign)) == {"no_consent": 1}
    story.expect(200, consent(story, ann, "GRANTED"))
    send_one(story, campaign)
    assert len(story.postbox.calls) == 1
    story.expect(200, consent(story, ann, "REVOKED", messageType="MESSAGE"))
    assert reasons(story, send_one(story)) == {"consent_revoked": 1}
    send_one(story, campaign)
    assert len(story.postbox.calls) == 2


def test_a_strict_workspace_demands_a_yes_for_messages_too(story: Story) -> None:
    story.settle_in(1)
    story.api.patch("/v1/workspace", {"strictConsent": True})
    assert reasons(story, send_one(story)) == {"no_consent": 1}
    consent(story, story.contacts[0], "GRANTED", messageType="MESSAGE")
    send_one(story)
    assert len(story.postbox.calls) == 1


def test_every_word_is_kept_with_its_source_proof_and_time(story: Story) -> None:
    story.settle_in(1)
    (ann,) = story.contacts
    proof = "Ticked 'Send me news' on the order form, 1 March 2026"
    said = {"source": "shop", "proof": proof, "collectedAt": "2026-03-01T10:00:00.000Z"}
    consent(story, ann, "GRANTED", **said)
    consent(story, ann, "GRANTED", **said)
    story.traveller.shift(timedelta(days=1))
    consent(story, ann, "REVOKED", source="support")
    story.api.patch(f"/v1/contacts/{ann}", {"consent": {"console": {"NEWSLETTER": "GRANTED"}}})
    story.api.put(f"/v1/contacts/{ann}", {"email": "c0@example.com"})
    found = story.api.all_pages(f"/v1/contacts/{ann}/consent?limit=1")
    assert [(each["state"], each["source"]) for each in found] == [
        ("GRANTED", "api"), ("REVOKED", "support"), ("GRANTED", "shop"),
    ]  # fmt: skip
    assert (found[2]["proof"], found[2]["collectedAt"]) == (proof, said["collectedAt"])
    assert found[1]["at"] > found[2]["at"]


def test_a_replacement_that_does_not_name_it_takes_no_consent_back(story: Story) -> None:
    story.settle_in(1)
    (ann,) = story.contacts
    consent(story, ann, "REVOKED")
    replaced = story.expect(200, story.api.put(f"/v1/contacts/{ann}", {"email": "c0@example.com"}))
    assert replaced["consent"] == {"console": {"NEWSLETTER": "REVOKED"}}


def test_a_no_between_claim_and_send_stops_the_send(story: Story) -> None:
    """The API's answer comes before the provider is called, so nothing may be sent any more."""
    story.settle_in(1)
    (ann,) = story.contacts
    opt_out = Once(lambda: story.expect(200, consent(story, ann, "REVOKED", messageType="MESSAGE")))
    swap_ports(story, statistics=BeforeEnter(story.world.ports.statistics, opt_out))
    flow = send_one(story)
    assert opt_out.done
    assert story.postbox.calls == []
    assert reasons(story, flow) == {"consent_revoked": 1}


def test_a_suppression_between_claim_and_send_stops_the_send(story: Story) -> None:
    story.settle_in(1)
    suppress = Once(lambda: story.expect(201, story.api.post("/v1/suppressions", {"email": "c0@example.com"})))
    swap_ports(story, statistics=BeforeEnter(story.world.ports.statistics, suppress))
    flow = send_one(story)
    assert suppress.done
    assert story.postbox.calls == []
    assert reasons(story, flow) == {"suppressed": 1}


def test_a_no_while_a_contact_waits_stops_the_next_send(story: Story) -> None:
    story.settle_in(2)
    wait = {"id": "pause", "type": "WAIT", "for": "PT10M"}
    flow = story.start(story.campaign(story.send("one"), wait, story.send("two")))
    story.advance(timedelta(minutes=1))
    consent(story, story.contacts[0], "REVOKED", messageType="MESSAGE")
    story.advance(timedelta(minutes=10), timedelta(seconds=20))
    assert story.postbox.recipients().count("c0@example.com") == 1
    assert story.postbox.recipients().count("c1@example.com") == 2
    assert story.flow(flow)["status"] == "completed"


class Once:
    """Does something the first time it is called."""

    def __init__(self, act: Callable[[], object]) -> None:
        self._act, self.done = act, False

    def __call__(self) -> None:
        if not self.done:
            self.done = True
            self._act()


class BeforeEnter:
    """Statistics before whose register of sends something happens: after the claim, before the last look."""

    def __init__(self, behind: Any, act: Callable[[], None]) -> None:
        self._behind, self._act = behind, act

    def __getattr__(self, name: str) -> Any:
        return getattr(self._behind, name)

    def enter(self, *arguments: Any) -> None:
        self._act()
        self._behind.enter(*arguments)


# ---- the suppression list ----


def test_a_suppressed_address_gets_nothing_and_its_contact_says_so(story: Story) -> None:
    story.settle_in(2)
    entry = story.expect(201, story.api.post("/v1/suppressions", {"email": " C0@Example.com", "reason": "complaint"}))
    assert "example" not in str(entry).lower()
    assert reasons(story, send_one(story)) == {"suppressed": 1}
    assert story.postbox.recipients() == ["c1@example.com"]
    (listed,) = story.api.all_pages("/v1/suppressions")
    assert (listed["uid"], listed["blocks"][0]["reason"]) == (entry["uid"], "complaint")
    assert story.api.post("/v1/suppressions/search", {"email": "c0@example.com"}).data["uid"] == entry["uid"]
    story.expect(200, story.api.delete(f"/v1/suppressions/{entry['uid']}"))
    assert story.api.all_pages("/v1/suppressions") == []
    assert story.api.post("/v1/suppressions/search", {"email": "c0@example.com"}).status == 404
    send_one(story)
    assert story.postbox.recipients().count("c0@example.com") == 1


@pytest.mark.parametrize("way", ["create", "change", "put", "import"])
def test_a_contact_that_comes_later_with_a_suppressed_address_is_suppressed(story: Story, way: str) -> None:
    story.settle_in(0)
    entry = story.api.post("/v1/suppressions", {"email": "new@example.com"}).data
    if way == "create":
        uid = story.api.post("/v1/contacts", {"email": "NEW@example.com"}).data["uid"]
    elif way == "change":
        uid = story.api.post("/v1/contacts", {"email": "old@example.com"}).data["uid"]
        story.api.patch(f"/v1/contacts/{uid}", {"email": "new@example.com"})
    elif way == "put":
        uid = story.api.put("/v1/contacts/mine", {"email": "new@example.com"}).data["uid"]
    else:
        story.api.post("/v1/contacts/import", {"csv": "uid,email\nmine,new@example.com\n"})
        story.run()
        uid = "mine"
    story.contacts = [uid]
    campaign = story.short_campaign(templateUid=story.add_template("Hello"))
    assert reasons(story, send_one(story, campaign)) == {"suppressed": 1}
    story.api.delete(f"/v1/suppressions/{entry['uid']}")
    send_one(story, campaign)
    assert [each.lower() for each in story.postbox.recipients()] == ["new@example.com"]


def test_another_address_is_not_suppressed_with_the_old_one(story: Story) -> None:
    story.settle_in(1)
    story.api.post("/v1/suppressions", {"email": "c0@example.com"})
    changed = story.api.patch(f"/v1/contacts/{story.contacts[0]}", {"email": "other@example.com"}).data
    assert changed["suppressed"] == []
    send_one(story)
    assert story.postbox.recipients() == ["other@example.com"]


def test_a_block_for_newsletters_lets_messages_pass(story: Story) -> None:
    story.settle_in(1)
    consent(story, story.contacts[0], "GRANTED")
    block = {"email": "c0@example.com", "channelType": "console", "messageType": "NEWSLETTER"}
    story.expect(201, story.api.post("/v1/suppressions", block))
    assert reasons(story, send_one(story, newsletter(story))) == {"suppressed": 1}
    send_one(story)
    assert len(story.postbox.calls) == 1


@pytest.mark.parametrize("body", [{}, {"email": "x"}, {"email": "a@b.de", "phone": "+491511"}, {"phone": "1"}])
def test_what_is_no_address_cannot_be_suppressed(story: Story, body: dict[str, str]) -> None:
    assert story.api.post("/v1/suppressions", body).status == 422


# ---- unsubscribing ----


def test_a_newsletter_carries_a_link_and_one_click_on_it_ends_newsletters(linked: Story) -> None:
    (ann,) = linked.contacts
    consent(linked, ann, "GRANTED")
    campaign = newsletter(linked, "News. Unsubscribe: {{ unsubscribe_url }}")
    send_one(linked, campaign)
    letter = linked.postbox.calls[0].letter
    assert letter.unsubscribe_url
    assert letter.unsubscribe_url.startswith(f"{PUBLIC}/u/")
    assert letter.unsubscribe_url in letter.content["text"]
    path = path_of(letter.unsubscribe_url)
    assert submit(linked, path, "List-Unsubscribe=One-Click").status == 200
    assert reasons(linked, send_one(linked, campaign)) == {"suppressed": 1}
    send_one(linked)
    assert len(linked.postbox.calls) == 2
    newest = linked.api.get(f"/v1/contacts/{ann}/consent").json["data"][0]
    assert (newest["state"], newest["source"]) == ("REVOKED", "one_click")


def test_get_never_unsubscribes(linked: Story) -> None:
    path = unsubscribe_path(linked)
    before = linked.api.get(f"/v1/contacts/{linked.contacts[0]}").data
    page = linked.api.get(path)
    assert page.headers["content-type"].startswith("text/html")
    assert "<script" not in page.text
    assert linked.api.get(f"/v1/contacts/{linked.contacts[0]}").data == before


def test_the_page_ends_what_was_ticked_and_nothing_else(linked: Story) -> None:
    (ann,) = linked.contacts
    path = unsubscribe_path(linked)
    untouched = submit(linked, path, "page=1")
    assert "Nothing was ticked" in untouched.text
    done = submit(linked, path, "page=1&stop=console.MESSAGE&stop=sms.NEWSLETTER&stop=evil")
    assert done.status == 200
    assert linked.api.get(f"/v1/contacts/{ann}").data["consent"] == {
        "console": {"NEWSLETTER": "GRANTED", "MESSAGE": "REVOKED"}
    }
    assert "has ended" in linked.api.get(path).text


def test_unsubscribing_twice_is_harmless_and_kept_once(linked: Story) -> None:
    path = unsubscribe_path(linked)
    for _ in range(2):
        assert submit(linked, path, "List-Unsubscribe=One-Click").status == 200
    records = linked.api.all_pages(f"/v1/contacts/{linked.contacts[0]}/consent")
    assert [each["state"] for each in records] == ["REVOKED", "GRANTED"]


def test_a_mail_program_may_send_the_click_as_multipart(linked: Story) -> None:
    path = unsubscribe_path(linked)
    body = b'--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n'
    reply = linked.api.post(path, body, headers={"Content-Type": "multipart/form-data; boundary=b"})
    assert reply.status == 200
    contact = linked.api.get(f"/v1/contacts/{linked.contacts[0]}").data
    assert contact["consent"]["console"]["NEWSLETTER"] == "REVOKED"


def test_a_forged_or_foreign_link_is_a_page_that_says_so(linked: Story) -> None:
    path = unsubscribe_path(linked)
    changed = path[:-1] + ("A" if path[-1] != "A" else "B")
    for wrong in (changed, "/u/x", "/u/a.b.c.d.e", "/c/x", path.replace("/u/", "/c/")):
        for reply in (linked.api.get(wrong), submit(linked, wrong, "")):
            assert (reply.status, reply.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert linked.api.get(f"/v1/contacts/{linked.contacts[0]}").data["consent"]["console"]["NEWSLETTER"] == "GRANTED"


def test_a_hostile_workspace_name_stays_text(linked: Story) -> None:
    linked.api.patch("/v1/workspace", {"name": "<script>alert(1)</script>"})
    page = linked.api.get(unsubscribe_path(linked)).text
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_the_link_of_an_erased_contact_does_no_harm(linked: Story) -> None:
    path = unsubscribe_path(linked)
    linked.api.delete(f"/v1/contacts/{linked.contacts[0]}")
    assert linked.api.get(path).status == 200
    assert submit(linked, path, "List-Unsubscribe=One-Click").status == 200


def test_who_agrees_again_is_written_to_again_but_not_after_a_complaint(linked: Story) -> None:
    (ann,) = linked.contacts
    campaign = newsletter(linked)
    submit(linked, unsubscribe_path(linked, campaign), "List-Unsubscribe=One-Click")
    consent(linked, ann, "GRANTED", source="shop")
    send_one(linked, campaign)
    assert len(linked.postbox.calls) == 2
    linked.api.post("/v1/suppressions", {"email": "c0@example.com", "reason": "complaint"})
    consent(linked, ann, "REVOKED")
    consent(linked, ann, "GRANTED", source="shop")
    assert reasons(linked, send_one(linked, campaign)) == {"suppressed": 1}


def test_without_a_public_url_newsletters_go_without_a_link_and_validate_warns(story: Story) -> None:
    story.settle_in(1)
    consent(story, story.contacts[0], "GRANTED")
    campaign = newsletter(story, "News {{ unsubscribe_url }}!")
    found = story.api.post(f"/v1/campaigns/{campaign}/validate").data
    assert any("PUBLIC_URL" in each["message"] for each in found["warnings"])
    send_one(story, campaign)
    letter = story.postbox.calls[0].letter
    assert (letter.unsubscribe_url, letter.content["text"]) == (None, "News !")


def unsubscribe_path(story: Story, campaign: str | None = None) -> str:
    """The path of a link that the contact got."""
    consent(story, story.contacts[0], "GRANTED")
    send_one(story, campaign or newsletter(story))
    return path_of(str(story.postbox.calls[-1].letter.unsubscribe_url))


def submit(story: Story, path: str, form: str) -> Any:
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Authorization": ""}
    return story.api.post(path, form.encode() or b"x=1", headers=headers)


# ---- double opt-in ----


def ask(story: Story, **fields: Any) -> Any:
    template = fields.pop("templateUid", None) or story.add_template("Please confirm: {{ confirm_url }}")
    return consent(story, story.contacts[0], "PENDING", channelUid=story.channel, templateUid=template, **fields)


def state_of(story: Story) -> Any:
    return story.api.get(f"/v1/contacts/{story.contacts[0]}").data["consent"]["console"]["NEWSLETTER"]


def confirm_path(story: Story) -> str:
    return path_of(story.postbox.calls[-1].letter.content["text"].removeprefix("Please confirm: "))


def test_a_double_opt_in_from_the_question_to_the_newsletter(linked: Story) -> None:
    campaign = newsletter(linked)
    asked = linked.expect(202, ask(linked, source="shop", proof="Footer form"))
    assert (asked["state"], asked["confirmation"]["status"]) == ("PENDING", "queued")
    linked.run()
    assert reasons(linked, send_one(linked, campaign)) == {"no_consent": 1}
    path = confirm_path(linked)
    assert "<form" in linked.api.get(path).text
    assert state_of(linked) == "PENDING"
    for _ in range(2):
        assert submit(linked, path, "").status == 200
    assert state_of(linked) == "GRANTED"
    records = linked.api.all_pages(f"/v1/contacts/{linked.contacts[0]}/consent")
    assert [(each["state"], each["source"]) for each in records] == [("GRANTED", "double_opt_in"), ("PENDING", "shop")]
    send_one(linked, campaign)
    assert len(linked.postbox.calls) == 2


def test_asking_again_while_one_is_open_sends_no_second_message(linked: Story) -> None:
    first = ask(linked).data["confirmation"]
    linked.run()
    assert ask(linked).data["confirmation"]["uid"] == first["uid"]
    linked.run()
    assert len(linked.postbox.calls) == 1
    linked.traveller.shift(timedelta(days=8))
    ask(linked)
    linked.run()
    assert len(linked.postbox.calls) == 2
    assert len(linked.postbox.times_called()) == 2


def test_a_link_works_until_it_expires_and_never_after_another_answer(linked: Story) -> None:
    ask(linked, expiresIn="PT1H")
    linked.run()
    path = confirm_path(linked)
    linked.traveller.shift(timedelta(minutes=61))
    assert (linked.api.get(path).status, submit(linked, path, "").status) == (410, 410)
    ask(linked)
    linked.run()
    path = confirm_path(linked)
    consent(linked, linked.contacts[0], "REVOKED")
    assert submit(linked, path, "").status == 410
    assert state_of(linked) == "REVOKED"


def test_a_link_proves_nothing_of_another_address(linked: Story) -> None:
    ask(linked)
    linked.run()
    path = confirm_path(linked)
    linked.api.patch(f"/v1/contacts/{linked.contacts[0]}", {"email": "other@example.com"})
    assert submit(linked, path, "").status == 410
    assert state_of(linked) == "PENDING"


@pytest.mark.parametrize("answer", [Unknown("read_timeout"), Accepted("1")])
def test_the_message_goes_out_once_though_its_job_comes_twice(linked: Story, answer: Any) -> None:
    linked.postbox.answer = lambda letter: answer
    ask(linked)
    ask(linked)
    linked.run()
    assert len(linked.postbox.calls) == 1


def test_a_throttled_confirmation_comes_later(linked: Story) -> None:
    verdicts = iter([Throttled(), Accepted("1")])
    linked.postbox.answer = lambda letter: next(verdicts)
    ask(linked)
    linked.run()
    linked.advance(timedelta(minutes=1), timedelta(seconds=10))
    assert len(linked.postbox.calls) == 2
    assert len(linked.postbox.times_called()) <= 2


def test_every_reason_against_asking_is_told_at_once(story: Story) -> None:
    story.settle_in(1)
    template = story.add_template("No link", messageType="MESSAGE")
    reply = ask(story, templateUid=template)
    assert reply.status == 422
    assert {detail["field"] for detail in reply.json["details"]} == {"state", "templateUid"}
    assert "PUBLIC_URL" in reply.text
    story.run()
    assert story.postbox.calls == []


def test_who_said_no_to_messages_or_is_suppressed_is_not_asked(linked: Story) -> None:
    linked.api.post("/v1/suppressions", {"email": "c0@example.com"})
    reply = ask(linked)
    assert (reply.status, "suppressed" in reply.text) == (422, True)


def test_who_has_agreed_is_not_asked_again(linked: Story) -> None:
    consent(linked, linked.contacts[0], "GRANTED")
    assert ask(linked).status == 409


@pytest.mark.parametrize(
    "fields",
    [{"channelType": "pigeon", "state": "GRANTED"}, {"state": "MAYBE"}, {"state": "GRANTED", "channelUid": "x"},
     {"state": "PENDING", "templateUid": "x"}, {"state": "GRANTED", "proof": "x" * 2_001}],
)  # fmt: skip
def test_consent_that_cannot_be_is_refused(story: Story, fields: dict[str, str]) -> None:
    story.settle_in(1)
    reply = story.api.post(f"/v1/contacts/{story.contacts[0]}/consent", {"channelType": "console", **fields})
    assert reply.status == 422
