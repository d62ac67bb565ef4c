"""Links in messages: unsubscribing by one click or by the page, and double opt-in from question to answer."""

import pytest

from tests.integration.consent_helpers import (
    PUBLIC,
    consent,
    linked,
    newsletter,
    path_of,
    reasons,
    send_one,
    submit,
    unsubscribe_path,
)
from tests.integration.harness import Story, story

__all__ = ["linked", "story"]


# ---- unsubscribing ----


def test_a_newsletter_carries_a_link_and_one_click_on_it_ends_newsletters(linked: Story) -> None:
    (ann,) = linked.contacts
    consent(linked, ann, "GRANTED")
    campaign = newsletter(linked, "News. Unsubscribe: {{ unsubscribe_url }}")
    send_one(linked, campaign)
    message = linked.provider.calls[0].message
    assert message.unsubscribe_url
    assert message.unsubscribe_url.startswith(f"{PUBLIC}/u/")
    assert message.unsubscribe_url in message.content["text"]
    path = path_of(message.unsubscribe_url)
    assert submit(linked, path, "List-Unsubscribe=One-Click").status == 200
    assert reasons(linked, send_one(linked, campaign)) == {"suppressed": 1}
    send_one(linked)
    assert len(linked.provider.calls) == 2
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


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ("&".join(["a=1"] * 101), 422), ("&".join(["stop=x"] * 100_000), 422), ("=" * 50_000, 200),
        ("%ff%00" * 1_000, 200),
        ("page=1&stop=%3Cscript%3E", 200), ("page=1" + "&stop=console.MESSAGE" * 99, 200),
    ],
)  # fmt: skip
def test_a_hostile_form_is_no_fault_of_ours(linked: Story, form: str, status: int) -> None:
    reply = submit(linked, unsubscribe_path(linked), form)
    assert (reply.status, "<script" in reply.text) == (status, False)


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
    assert len(linked.provider.calls) == 2
    linked.api.post("/v1/suppressions", {"email": "c0@example.com", "reason": "complaint"})
    consent(linked, ann, "REVOKED")
    consent(linked, ann, "GRANTED", source="shop")
    assert reasons(linked, send_one(linked, campaign)) == {"suppressed": 1}


def test_without_a_public_url_newsletters_go_without_a_link_and_validate_warns(story: Story) -> None:
    story.set_up(1)
    consent(story, story.contacts[0], "GRANTED")
    campaign = newsletter(story, "News {{ unsubscribe_url }}!")
    found = story.api.post(f"/v1/campaigns/{campaign}/validate").data
    assert any("PUBLIC_URL" in each["message"] for each in found["warnings"])
    send_one(story, campaign)
    message = story.provider.calls[0].message
    assert (message.unsubscribe_url, message.content["text"]) == (None, "News !")


# ---- double opt-in ----


@pytest.mark.parametrize(
    "fields",
    [{"channelType": "pigeon", "state": "GRANTED"}, {"state": "MAYBE"}, {"state": "GRANTED", "channelUid": "x"},
     {"state": "PENDING", "templateUid": "x"}, {"state": "GRANTED", "proof": "x" * 2_001}],
)  # fmt: skip
def test_consent_that_cannot_be_is_refused(story: Story, fields: dict[str, str]) -> None:
    story.set_up(1)
    reply = story.api.post(f"/v1/contacts/{story.contacts[0]}/consent", {"channelType": "console", **fields})
    assert reply.status == 422
