"""Create, find, change, replace and erase contacts over the API."""

import pytest

from tests.integration.conftest import Api


def test_a_new_contact_is_stored_normalised(api: Api) -> None:
    body = {"email": "Ada.L@EXAMPLE.com", "phone": "0151 2345 6789", "timezone": "Europe/London", "tags": ["a", "a"]}
    reply = api.post("/v1/contacts", body)
    assert reply.status == 201
    assert reply.data["email"] == "Ada.L@example.com"
    assert reply.data["phone"] == "+4915123456789"
    assert reply.data["tags"] == ["a"]
    assert api.get(f"/v1/contacts/{reply.data['uid']}").data == reply.data


def test_a_national_phone_number_is_read_in_the_region_of_the_workspace(api: Api) -> None:
    api.patch("/v1/workspace", {"region": "US"})
    assert api.post("/v1/contacts", {"phone": "(212) 555-2368"}).data["phone"] == "+12125552368"


@pytest.mark.parametrize("phone", ["12345", "+123", "abc", "0", "+4915123456789012345"])
def test_an_invalid_phone_number_is_refused(api: Api, phone: str) -> None:
    reply = api.post("/v1/contacts", {"phone": phone})
    assert (reply.status, reply.json["details"][0]["field"]) == (422, "phone")


@pytest.mark.parametrize("email", ["a", "a@b", "a@b@example.com", "ü@example.com", "a@example..com", " "])
def test_an_invalid_email_address_is_refused(api: Api, email: str) -> None:
    reply = api.post("/v1/contacts", {"email": email})
    assert (reply.status, reply.json["details"][0]["field"]) == (422, "email")


def test_a_domain_with_umlauts_is_stored_in_ascii(api: Api) -> None:
    assert api.post("/v1/contacts", {"email": "a@bücher.example"}).data["email"] == "a@xn--bcher-kva.example"


def test_post_finds_by_external_id_then_email_then_phone(api: Api) -> None:
    first = api.post("/v1/contacts", {"externalId": "1", "email": "ada@example.com", "phone": "+4915123456789"})
    uid = first.data["uid"]
    for body in ({"externalId": "1"}, {"email": "ADA@example.com"}, {"phone": "0151 23456789"}):
        reply = api.post("/v1/contacts", {**body, "tags": [next(iter(body))]})
        assert (reply.status, reply.data["uid"]) == (200, uid), body
        assert reply.data["tags"] == [next(iter(body))]


def test_post_does_not_change_absent_fields(api: Api) -> None:
    api.post("/v1/contacts", {"externalId": "1", "firstName": "Ada", "attributes": {"a": 1, "b": 2}})
    reply = api.post("/v1/contacts", {"externalId": "1", "attributes": {"b": None, "c": [1, "x"]}})
    assert reply.data["firstName"] == "Ada"
    assert reply.data["attributes"] == {"a": 1, "c": [1, "x"]}


def test_a_unique_field_of_another_contact_is_a_409(api: Api) -> None:
    api.post("/v1/contacts", {"externalId": "1", "email": "ada@example.com"})
    api.post("/v1/contacts", {"externalId": "2", "email": "bob@example.com"})
    reply = api.post("/v1/contacts", {"externalId": "1", "email": "bob@example.com"})
    assert (reply.status, reply.json["error"]) == (409, "conflict")
    assert "bob@" not in reply.text


def test_a_client_may_choose_the_uid(api: Api) -> None:
    assert api.post("/v1/contacts", {"uid": "my-1", "firstName": "Ada"}).status == 201
    assert api.post("/v1/contacts", {"uid": "my-1", "lastName": "L"}).data["firstName"] == "Ada"
    assert api.post("/v1/contacts", {"uid": "a b"}).status == 422


def test_put_creates_and_then_replaces(api: Api) -> None:
    created = api.put("/v1/contacts/mine", {"firstName": "Ada", "email": "ada@example.com"})
    assert created.status == 201
    replaced = api.put("/v1/contacts/mine", {"lastName": "Lovelace"})
    assert replaced.status == 200
    assert (replaced.data["firstName"], replaced.data["email"]) == (None, None)
    assert replaced.data["createdAt"] == created.data["createdAt"]
    assert api.post("/v1/contacts", {"email": "ada@example.com"}).data["uid"] != "mine"


def test_patch_merges_attributes_and_replaces_tags(api: Api) -> None:
    uid = api.post("/v1/contacts", {"tags": ["a", "b"], "attributes": {"x": 1, "y": 2}}).data["uid"]
    reply = api.patch(f"/v1/contacts/{uid}", {"tags": ["c"], "attributes": {"y": None, "z": True}, "locale": "de"})
    assert reply.status == 200
    assert (reply.data["tags"], reply.data["attributes"]) == (["c"], {"x": 1, "z": True})
    assert api.patch(f"/v1/contacts/{uid}", {"locale": None}).data["locale"] is None


def test_patch_of_an_unknown_contact_is_a_404(api: Api) -> None:
    assert api.patch("/v1/contacts/nobody", {"firstName": "A"}).status == 404


def test_merged_attributes_must_not_exceed_their_limit(api: Api) -> None:
    uid = api.post("/v1/contacts", {"attributes": {f"a{n}": n for n in range(100)}}).data["uid"]
    reply = api.patch(f"/v1/contacts/{uid}", {"attributes": {"one_more": 1}})
    assert (reply.status, reply.json["details"][0]["field"]) == (422, "attributes")
    assert "100" in reply.json["details"][0]["message"]


def test_an_erased_contact_is_not_found_and_its_address_can_be_used_again(api: Api) -> None:
    uid = api.post("/v1/contacts", {"email": "ada@example.com"}).data["uid"]
    assert api.delete(f"/v1/contacts/{uid}").status == 200
    assert api.get(f"/v1/contacts/{uid}").status == 404
    assert api.delete(f"/v1/contacts/{uid}").status == 404
    assert api.post("/v1/contacts", {"email": "ada@example.com"}).status == 201


def test_identity_is_an_alias_of_a_contact(api: Api) -> None:
    assert api.put("/v1/identity/me", {"firstName": "Ada"}).status == 201
    assert api.get("/v1/identity/me").data == api.get("/v1/contacts/me").data
    assert api.delete("/v1/identity/me").status == 200
