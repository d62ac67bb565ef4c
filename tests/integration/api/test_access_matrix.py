"""Every route × every key that must not open it, and every route × every body that is none."""

import json
from datetime import timedelta
from typing import Any

import pytest

from app import app
from chalicelib.api.http import openapi
from chalicelib.api.http.routes import ROUTES, Route
from chalicelib.core.workspaces.api_key import parse_api_key
from chalicelib.model.workspace import Key, Scope
from tests.integration.conftest import Api, Reply
from tests.integration.harness import Story, story

__all__ = ["story"]
KEYED = [route for route in ROUTES if route.scope is not None]
EXAMPLES: dict[str, Any] = json.loads(openapi.EXAMPLES.read_text(encoding="utf-8"))
#: Answers that are meant for whoever asks in a workspace of their own.
OWN = {"PUT /v1/contacts/{uid}", "PUT /v1/identity/{uid}"}


def call(api: Api, route: Route, path: str, body: object = None) -> Reply:
    asked = body if body is not None else EXAMPLES.get(route.name, {}).get("request")
    return api.call(route.method, path, None if route.method in {"GET", "DELETE"} else asked)


def fill(route: Route, known: dict[str, str]) -> str:
    """The path with the uids of things that are there."""
    resource = route.path.removeprefix("/v1/").partition("/")[0]
    path = route.path.replace("{uid}", known.get(resource, "nobody"))
    for name, uid in (("contact_uid", known["contacts"]), ("version", "1"), ("delivery_uid", known["deliveries"])):
        path = path.replace("{" + name + "}", uid)
    return path


def paths(route: Route, known: dict[str, str]) -> list[str]:
    """With `/v1`, and without where that answers, too."""
    path = fill(route, known)
    return [path, path.removeprefix("/v1")] if route.is_bare else [path]


def test_every_route_of_the_app_is_played_or_meant_to_be_open() -> None:
    served = {f"{method} {path}" for path, methods in app.routes.items() for method in methods}
    bare = {f"{each.method} {each.path.removeprefix('/v1')}" for each in ROUTES if each.is_bare}
    played = {each.name for each in KEYED} | bare
    of_the_dashboard = {"GET /", "GET /preview", "GET /assets/{name}"}
    assert served - played == {each.name for each in ROUTES if each.scope is None} | of_the_dashboard


@pytest.fixture
def known(story: Story) -> dict[str, str]:
    """One of each, in the story's workspace."""
    story.set_up(2)
    campaign = story.short_campaign(name="Kanarienvogel", trigger={"type": "api"})
    flow = story.start(campaign)
    story.advance(timedelta(seconds=3))
    api = story.api
    segment = story.expect(201, api.post("/v1/segments", {"name": "Kanarienvogel", "filter": {"tag": "vip"}}))["uid"]
    hook = {"url": "https://hooks.example.com/Kanarienvogel", "events": ["flow.*"]}
    address = story.expect(201, api.post("/v1/suppressions", {"email": "canary@example.com"}))["uid"]
    webhook = story.expect(201, api.post("/v1/webhooks", hook))["uid"]
    return {
        "deliveries": story.expect(202, api.post(f"/v1/webhooks/{webhook}/test"))["uid"],
        "campaigns": campaign,
        "flows": flow,
        "channels": story.channel,
        "templates": story.template,
        "contacts": story.contacts[0],
        "identity": story.contacts[0],
        "segments": segment,
        "suppressions": address,
        "webhooks": webhook,
        "messages": api.get(f"/v1/messages?flowUid={flow}").json["data"][0]["uid"],
        "imports": story.expect(202, api.post("/v1/contacts/import", {"csv": "email\na@example.com\n"}))["uid"],
        "exports": story.expect(202, api.post("/v1/exports", {"of": "contacts"}))["uid"],
        "keys": story.expect(201, api.post("/v1/keys", {"name": "Kanarienvogel", "scope": "read"}))["uid"],
    }


def test_no_key_that_is_not_good_opens_any_route(story: Story, known: dict[str, str]) -> None:
    world, workspace, now = story.world, story.api.workspace, story.now
    revoked, expired = (
        world.key_for(workspace, Scope.ADMIN),
        world.key_for(workspace, Scope.ADMIN, expires_at=now - timedelta(seconds=1)),
    )
    presented = parse_api_key(revoked.key or "")
    assert presented is not None
    world.ports.catalog.remove(workspace, Key, presented.uid)
    good = story.api.key or ""
    garbled = [None, "", good[:-1], good[:-1] + ("0" if good[-1] != "0" else "1"), good.upper(), f"{good} {good}"]
    strangers = [revoked, expired, *(Api(key, workspace) for key in garbled)]
    cases = [(route, path, stranger) for route in KEYED for path in paths(route, known) for stranger in strangers]
    for route, path, stranger in cases:
        reply = call(stranger, route, path)
        assert (reply.status, reply.json["error"]) == (401, "unauthorized"), (route.name, stranger.key)
        assert reply.json["message"] == "User not authenticated"
    print(f"\n{len(cases)} calls with keys that are not good, 0 let in")
    assert len(cases) >= 900


def test_a_scope_that_is_too_small_opens_no_route(story: Story, known: dict[str, str]) -> None:
    callers = {scope: story.world.key_for(story.api.workspace, scope) for scope in Scope}
    tried = 0
    for route in KEYED:
        assert route.scope is not None
        for scope, caller in callers.items():
            for path in paths(route, known) if not scope.covers(route.scope) else ():
                reply = call(caller, route, path)
                assert (reply.status, reply.json["error"]) == (403, "forbidden"), (route.name, scope)
                tried += 1
    print(f"\n{tried} calls with too small a scope, 0 let in")
    assert tried > 80


def test_a_key_of_another_workspace_sees_and_moves_nothing(story: Story, known: dict[str, str]) -> None:
    stranger = story.world.new_caller()
    watched = ("flows", "channels", "campaigns", "contacts")
    before = {name: story.api.get(f"/v1/{name}/{known[name]}").text for name in watched}
    tried = 0
    # Last, what makes a thing of the stranger's own under the same uid.
    for route in sorted(KEYED, key=lambda each: each.name in OWN):
        for path in paths(route, known) if "{" in route.path or route.method == "GET" else ():
            reply = call(stranger, route, path)
            tried += 1
            assert reply.status < 500, (route.name, reply.text)
            if "{" in route.path and route.name not in OWN:
                assert reply.status in {404, 422}, (route.name, reply.status, reply.text)
            assert shows_nothing(story, reply), route.name
    print(f"\n{tried} calls by another workspace, 0 shown or moved")
    assert tried >= 100
    after = {name: story.api.get(f"/v1/{name}/{known[name]}").text for name in before}
    assert [name for name in before if _stable(before[name]) != _stable(after[name])] == []


def shows_nothing(story: Story, reply: Reply) -> bool:
    return not any(secret in reply.text for secret in ("Kanarienvogel", "canary@", story.contacts[1]))


def naming(known: dict[str, str]) -> list[tuple[str, dict[str, Any]]]:
    """Calls to one's own workspace whose bodies and queries name what is another's."""
    channel, campaign, contact, segment = (known[name] for name in ("channels", "campaigns", "contacts", "segments"))
    flow = {"channelUid": channel, "campaignUid": campaign}
    send = {"id": "a", "type": "SEND", "channelUid": channel, "templateUid": known["templates"]}
    return [
        ("POST /v1/flows", {**flow, "contactUids": [contact]}),
        ("POST /v1/flows", {**flow, "segmentUid": segment}),
        ("POST /v1/campaigns", {"name": "x", "channelUid": channel, "templateUid": known["templates"]}),
        ("POST /v1/campaigns", {"name": "x", "steps": [send], "audience": {"contactUids": [contact]}}),
        ("POST /v1/campaigns", {"name": "x", "steps": [send], "audience": {"segmentUid": segment}}),
        ("POST /v1/segments/preview", {"segmentUid": segment}),
        ("POST /v1/segments/preview", {"filter": {"tag": "vip"}, "contactUid": contact}),
        ("POST /v1/events", {"events": [{"name": "x", "contactUid": contact}]}),
        ("POST /v1/events", {"events": [{"name": "x", "email": "c0@example.com"}]}),
        ("POST /v1/exports", {"of": "executions", "flowUid": known["flows"]}),
        ("POST /v1/suppressions/search", {"email": "canary@example.com"}),
        ("POST /v1/contacts", {"email": "c1@example.com"}),
        ("POST /v1/contacts/import", {"fileName": "people.csv"}),
        *((f"GET /v1/messages?{name}={uid}", {}) for name, uid in (
            ("flowUid", known["flows"]), ("contactUid", contact), ("campaignUid", campaign))),
        *((f"GET /v1/flows?{name}={uid}", {}) for name, uid in (
            ("contactUid", contact), ("channelUid", channel), ("campaignUid", campaign))),
        ("GET /v1/contacts?email=c0@example.com", {}),
        (f"GET /v1/audit?objectUid={campaign}", {}),
    ]  # fmt: skip


def test_what_is_anothers_cannot_be_named_either(story: Story, known: dict[str, str]) -> None:
    stranger = story.world.new_caller()
    mails = len(story.provider.calls)
    for said, body in naming(known):
        method, _, url = said.partition(" ")
        reply = stranger.call(method, url, body if method == "POST" else None)
        assert reply.status < 500, (said, reply.text)
        assert shows_nothing(story, reply), (said, reply.text)
        if method == "POST" and reply.status == 201 and "campaigns" in url:
            own = reply.data["uid"]
            assert stranger.post(f"/v1/campaigns/{own}/validate").data["valid"] is False
            assert stranger.post(f"/v1/campaigns/{own}/launch", {}).status in {404, 422}
    story.run()
    assert len(story.provider.calls) == mails
    print(f"\n{len(naming(known))} calls that name what is another's, 0 shown or moved")


def _stable(text: str) -> Any:
    data = json.loads(text)["data"]
    return {name: value for name, value in data.items() if name not in {"stats", "updatedAt"}}


#: Bodies that nobody means; each must be refused, whatever the route.
MALFORMED: list[bytes] = [
    b"{", b"}", b"[", b"null", b"true", b"0", b'""', b"[]", b"[{}]", b"nan", b"{]", b"{,}", b"{'a': 1}", b'{"a":}',
    b'{"a": 1,}', b'{"a": 1} {"b": 2}', b'{"a": 01}', b'{"a": +1}', b'{"a": .5}', b'{"a": 1e}', b'{"a": NaN}',
    b'{"a": -Infinity}', b'{"a": 1e999}', b'{"a": "\\ud800"}', b'{"a": "\\x41"}', b'{"a": "\n"}', b'{"a": "\x00"}',
    b'{"a": "\\u0000"}', b'{"\\u0000": 1}', b'\xff\xfe{\x00}\x00', b'\xef\xbb\xbf{}', b'{"a": "\xc3"}',
    b'{"a": "\xed\xa0\x80"}',
    b'{"a": 1, "a": 2}', b'{"__proto__": {}}', b'{"": 1}', b'{"a": ' + b"[" * 70 + b"]" * 70 + b"}", b"[" * 50_000,
    b'{"a":' * 5_000 + b"1" + b"}" * 5_000, b'{"a": ' + b"9" * 5_000 + b"}", b'{"a": "' + b"x" * 1_048_577 + b'"}',
    b"<?xml version='1.0'?><a/>", b"a=1&b=2", b"\x1f\x8b\x08\x00", b"/* */ {}", b'{"a": 1}//', b"undefined",
    b" " * 2_000_000,
]  # fmt: skip


def test_no_body_that_is_none_is_taken_or_makes_a_fault(story: Story, known: dict[str, str]) -> None:
    tried = 0
    for route in KEYED:
        if route.method in {"GET", "DELETE"}:
            continue
        for body in MALFORMED:
            reply = call(story.api, route, fill(route, known), body)
            assert reply.status in {400, 404, 413, 415, 422}, (route.name, body[:40], reply.status, reply.text[:200])
            assert {"error", "message", "details", "requestId"} <= set(reply.json)
            tried += 1
    assert tried >= 300


#: Values that no field of ours takes, put in the place of each field of a good body.
WRONG: list[Any] = [
    None, True, 0, -1, 1.5, 10**30, "", "\u0000", "x" * 100_000, "\ud83d\ude00" * 3, [], [None], {}, {"a": {"b": []}},
    "2026-13-45",
]  # fmt: skip


def test_no_field_takes_what_would_make_a_fault(story: Story, known: dict[str, str]) -> None:
    tried = 0
    for route in KEYED:
        good = EXAMPLES.get(route.name, {}).get("request")
        if not isinstance(good, dict):
            continue
        for name in good:
            for value in WRONG:
                reply = call(story.api, route, fill(route, known), json.dumps({**good, name: value}).encode())
                assert reply.status < 500, (route.name, name, str(value)[:40], reply.text[:200])
                tried += 1
    assert tried >= 300


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=x",
        "limit=1e3",
        "limit=",
        "cursor=",
        "cursor=x",
        "cursor=" + "A" * 9_000,
        "a=1",
        "limit=1&limit=2",
        "%00=1",
    ],
)
def test_no_query_of_a_list_makes_a_fault(story: Story, known: dict[str, str], query: str) -> None:
    for route in KEYED:
        if route.method == "GET":
            reply = story.api.get(f"{fill(route, known)}?{query}")
            assert reply.status in {404, 422}, (route.name, reply.status, reply.text[:200])
