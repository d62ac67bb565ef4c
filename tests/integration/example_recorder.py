"""Call every route once and record requests and responses as the examples of the OpenAPI document."""

import json
import re
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from chalicelib.api.http.routes import ROUTES
from chalicelib.model.message import Accepted, OutgoingMessage, PermanentFailure, SendResult
from chalicelib.wiring import use_ports
from infra.local import gateway
from tests.integration.conftest import Reply
from tests.integration.harness import Story
from tests.memory.webhooks import MemoryWebhookCaller

_LINK = re.compile(r"https?://[^\"]*(?:X-Amz|Signature=)[^\"]*")
_KEY = re.compile(r"cln_live_[0-9A-Za-z_-]+")
_SECRET = re.compile(r"whsec_[0-9A-Za-z+/=]+")
_ULID = re.compile(r"\b[0-9A-HJKMNP-TV-Z]{26}\b")
_HASH = re.compile(r"\b[0-9a-f]{40}\b")
_UUID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
#: What AWS takes: hints travel together by the shards of random uids, now in one request, now in two.
_REQUESTS = re.compile(r'"queueRequests": [1-9]\d*')
_MILLIONTHS = re.compile(r'"0\.0000(?!00)[0-9]{2}"')
#: Their answers are JSON Schemas, whose references tools would follow.
_SCHEMAS = frozenset({"GET /v1/channel-types", "GET /v1/node-types", "GET /openapi.json"})


@dataclass
class Recorder:
    """Call the API and record the first call of each route. Random values are replaced by numbered names."""

    story: Story
    examples: dict[str, dict[str, Any]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    routes: gateway.Routes = field(default_factory=lambda: gateway.Routes({route.path for route in ROUTES}))

    def call(self, said: str, body: Any = None, status: int = 200, headers: dict[str, str] | None = None) -> Any:
        """Call a route such as `POST /v1/flows` and return the data of the response."""
        method, _, url = said.partition(" ")
        reply = self.story.api.call(method, url, body, headers=headers)
        assert reply.status == status, (said, reply.status, reply.text)
        match = self.routes.find(url.partition("?")[0])
        assert match is not None, said
        self._keep(f"{method} {match.resource}", body, reply)
        return reply.json.get("data") if reply.text.startswith("{") else None

    def _keep(self, name: str, body: Any, reply: Reply) -> None:
        example: dict[str, Any] = {} if body is None or isinstance(body, bytes) else {"request": body}
        if reply.headers["content-type"] == "application/json" and name not in _SCHEMAS:
            cursors = {each: "eJyLjgUAARUAuQ" for each in ("nextCursor", "prevCursor") if reply.json.get(each)}
            example["answer"] = {**reply.json, **cursors}
        named = json.loads(self._named(json.dumps(example)))
        self.examples.setdefault(name, named)

    def _named(self, text: str) -> str:
        text = _SECRET.sub(
            "whsec_c2hvd24gb25jZSwgYW5kIG5ldmVyIGFnYWluLiBvbmNlIQ==", _KEY.sub("cln_live_shown_once", text)
        )
        text = _MILLIONTHS.sub('"0.000020"', _REQUESTS.sub('"queueRequests": 12', text))
        text = _LINK.sub("https://files.example.com/file?X-Amz-Signature=0", text)
        for pattern, make in ((_ULID, "01K{:023d}"), (_HASH, "{:040d}"), (_UUID, "00000000-0000-4000-8000-{:012d}")):
            text = pattern.sub(lambda found, make=make: self._name(found[0], make), text)
        return text

    def _name(self, found: str, make: str) -> str:
        return self.names.setdefault(found, make.format(len(self.names) + 1))


def record(story: Story) -> dict[str, dict[str, Any]]:
    """Call every route, from an empty workspace to a completed flow."""
    story.world.ports = replace(story.world.ports, webhook_caller=MemoryWebhookCaller())
    use_ports(story.world.ports)
    recorder = Recorder(story)
    call = recorder.call
    call("GET /health")
    channel, template = _means(recorder)
    contacts = _people(recorder)
    _campaign(recorder, channel, template, contacts)
    _flows(recorder, contacts)
    _administration(recorder)
    _webhooks(recorder)
    _endings(recorder, channel, template, contacts)
    return recorder.examples


def _means(recorder: Recorder) -> tuple[str, str]:
    call = recorder.call
    body: dict[str, Any] = {"name": "Console", "type": "console"}
    channel = call("POST /v1/channels", body, 201)["uid"]
    call("GET /v1/channels")
    call("GET /v1/channel-types")
    call("GET /v1/node-types")
    call(f"GET /v1/channels/{channel}")
    call(f"PUT /v1/channels/{channel}", {**body, "name": "Console of the shop"})
    call(f"POST /v1/channels/{channel}/circuit/close")
    call("GET /v1/balance")
    call("PUT /v1/balance/auto-reload", {"enabled": True, "threshold": "10.00", "amount": "50.00"})
    call("GET /v1/balance/auto-reload")
    call("PUT /v1/balance/alerts", {"lowBalance": "5.00"})
    call("POST /v1/balance/topup", {"amount": "100.00", "note": "Invoice 7"}, 201)
    call("GET /v1/balance/transactions")
    call(f"POST /v1/channels/{channel}/test", {"to": "me", "content": {"text": "It works"}})
    body = {"name": "Welcome", "channelType": "console", "content": {"text": "Hello {{ first_name }}!"}}
    template = call("POST /v1/templates", {**body, "parameterDefaults": {"first_name": "friend"}}, 201)["uid"]
    call("GET /v1/templates")
    call(f"GET /v1/templates/{template}")
    call(f"PATCH /v1/templates/{template}", {"name": "Welcome, friend"})
    call(f"POST /v1/templates/{template}/preview", {"values": {"first_name": "Ada"}})
    call(f"POST /v1/templates/{template}/publish")
    call(f"GET /v1/templates/{template}/versions")
    call(f"POST /v1/templates/{template}/test", {"channelUid": channel, "to": "me"})
    return channel, template


def _people(recorder: Recorder) -> list[str]:
    call = recorder.call
    body = {"externalId": "c-1", "email": "ada@example.com", "firstName": "Ada", "tags": ["vip"]}
    ada = call("POST /v1/contacts", {**body, "attributes": {"city": "Berlin"}}, 201)["uid"]
    call("GET /v1/contacts")
    call(f"GET /v1/contacts/{ada}")
    call(f"PATCH /v1/contacts/{ada}", {"attributes": {"plan": "pro"}})
    call("PUT /v1/contacts/c-2", {"email": "bob@example.com", "firstName": "Bob"}, 201)
    call(f"GET /v1/identity/{ada}")
    call("PUT /v1/identity/c-3", {"email": "cem@example.com", "firstName": "Cem"}, 201)
    csv = "externalId,email,firstName\nc-4,dora@example.com,Dora\nc-5,nobody,Eve\n"
    task = call("POST /v1/contacts/import", {"csv": csv}, 202)["uid"]
    recorder.story.run()
    call(f"GET /v1/imports/{task}")
    call(f"GET /v1/imports/{task}/rejected")
    call("POST /v1/uploads", {"fileName": "people.csv"}, 201)
    _agreements(recorder, ada)
    events = [{"name": "order.placed", "contactUid": ada, "properties": {"total": 42}, "id": "order-1"}]
    call("POST /v1/events", {"events": events}, 202)
    return [str(ada), "c-2", "c-3"]


def _agreements(recorder: Recorder, contact: str) -> None:
    call = recorder.call
    said = {"channelType": "console", "messageType": "NEWSLETTER", "state": "GRANTED", "source": "signup form"}
    call(f"POST /v1/contacts/{contact}/consent", said)
    call(f"GET /v1/contacts/{contact}/consent")
    address = {"email": "mallory@example.com"}
    uid = call("POST /v1/suppressions", address, 201)["uid"]
    call("GET /v1/suppressions")
    call("POST /v1/suppressions/search", address)
    call(f"DELETE /v1/suppressions/{uid}")
    vips = {"all": [{"tag": "vip"}, {"field": "attributes.city", "op": "eq", "value": "Berlin"}]}
    segment = call("POST /v1/segments", {"name": "VIPs in Berlin", "filter": vips}, 201)["uid"]
    call("GET /v1/segments")
    call("POST /v1/segments/preview", {"segmentUid": segment, "contactUid": contact})
    call(f"GET /v1/segments/{segment}")
    call(f"PATCH /v1/segments/{segment}", {"description": "For invitations"})
    call(f"DELETE /v1/segments/{segment}")
    export = call("POST /v1/exports", {"of": "contacts"}, 202)["uid"]
    recorder.story.run()
    call(f"GET /v1/exports/{export}")


def _campaign(recorder: Recorder, channel: str, template: str, contacts: list[str]) -> None:
    call = recorder.call
    send = {"type": "SEND", "channelUid": channel, "templateUid": template}
    steps = [{"id": "hello", **send}, {"id": "pause", "type": "WAIT", "for": "P2D"}, {"id": "again", **send}]
    body = {"name": "Welcome", "trigger": {"type": "api"}, "audience": {"contactUids": contacts}, "steps": steps}
    uid = call("POST /v1/campaigns", body, 201)["uid"]
    call("GET /v1/campaigns")
    call(f"GET /v1/campaigns/{uid}")
    call(f"PATCH /v1/campaigns/{uid}", {"description": "For everybody who is new"})
    call(f"POST /v1/campaigns/{uid}/validate")
    call(f"POST /v1/campaigns/{uid}/estimate", {})
    call(f"POST /v1/campaigns/{uid}/test-run", {"contactUid": contacts[0]})
    call(f"GET /v1/campaigns/{uid}/graph")
    call(f"POST /v1/campaigns/{uid}/publish")
    call(f"GET /v1/campaigns/{uid}/versions")
    call(f"GET /v1/campaigns/{uid}/versions/1")
    call(f"POST /v1/campaigns/{uid}/launch", {}, 202)
    recorder.story.advance(timedelta(seconds=3))
    call(f"GET /v1/campaigns/{uid}/status")
    call(f"POST /v1/campaigns/{uid}/pause")
    call(f"POST /v1/campaigns/{uid}/resume")
    call(f"POST /v1/campaigns/{uid}/cancel")
    recorder.story.advance(timedelta(seconds=3))
    call(f"POST /v1/campaigns/{uid}/trigger", {"idempotencyKey": "order-1"}, 202)
    recorder.story.advance(timedelta(seconds=3))
    short = {"name": "Once", "channelUid": channel, "templateUid": template}
    once = call("POST /v1/campaigns", short, 201)["uid"]
    call(
        "POST /v1/flows",
        {"channelUid": channel, "campaignUid": once, "contactUids": contacts[:2], "status": "draft"},
        201,
    )


def _flows(recorder: Recorder, contacts: list[str]) -> None:
    call = recorder.call
    draft = next(each["uid"] for each in call("GET /v1/flows") if each["status"] == "draft")
    call(f"POST /v1/flows/{draft}/contacts", {"contactUids": contacts})
    recorder.story.provider.answer = _refuse_bob
    call(f"PATCH /v1/flows/{draft}", {"status": "running"})
    recorder.story.advance(timedelta(seconds=3))
    call(f"GET /v1/flows/{draft}")
    call(f"POST /v1/flows/{draft}/recount")
    call(f"GET /v1/flows/{draft}/executions")
    call(f"GET /v1/flows/{draft}/executions/{contacts[0]}")
    call(f"POST /v1/flows/{draft}/retry", {"of": "failed"}, 201)
    recorder.story.advance(timedelta(seconds=3))
    message = call(f"GET /v1/messages?flowUid={draft}")[0]["uid"]
    call(f"GET /v1/messages/{message}")
    call(f"GET /v1/contacts/{contacts[0]}/timeline")


def _refuse_bob(message: OutgoingMessage) -> SendResult:
    is_bob = message.to == "bob@example.com"
    return PermanentFailure("mailbox_closed") if is_bob else Accepted(str(message.uid))


def _administration(recorder: Recorder) -> None:
    call = recorder.call
    call("GET /v1/workspace")
    call("PATCH /v1/workspace", {"timezone": "Europe/Berlin"})
    key = call("POST /v1/keys", {"name": "CI", "scope": "write", "expiresAt": "2026-12-31T00:00:00Z"}, 201)["uid"]
    call("GET /v1/keys")
    call(f"DELETE /v1/keys/{key}")
    call("POST /v1/workspaces", {"name": "Second shop"}, 201)
    call("GET /v1/workspaces")
    call("GET /v1/audit?limit=1")


def _webhooks(recorder: Recorder) -> None:
    call = recorder.call
    wish = {"url": "https://hooks.example.com/carillon", "events": ["flow.*", "message.bounced"]}
    hook = call("POST /v1/webhooks", wish, 201)["uid"]
    call("GET /v1/webhooks")
    call(f"PATCH /v1/webhooks/{hook}", {"events": ["flow.*"]})
    call(f"POST /v1/webhooks/{hook}/secret")
    delivery = call(f"POST /v1/webhooks/{hook}/test", status=202)["uid"]
    recorder.story.run()
    call(f"GET /v1/webhooks/{hook}/deliveries")
    call(f"POST /v1/webhooks/{hook}/deliveries/{delivery}/replay", status=202)
    call(f"DELETE /v1/webhooks/{hook}")


def _endings(recorder: Recorder, channel: str, template: str, contacts: list[str]) -> None:
    call = recorder.call
    flows = call("GET /v1/flows")
    call(f"DELETE /v1/flows/{next(each['uid'] for each in flows if each['status'] == 'cancelled')}")
    call(f"POST /v1/templates/{template}/reject", {"reason": "The provider does not take it"})
    call(f"DELETE /v1/templates/{template}", status=200)
    call(f"DELETE /v1/channels/{channel}")
    spare = call("POST /v1/campaigns", {"name": "Spare", "steps": []}, 201)["uid"]
    call(f"DELETE /v1/campaigns/{spare}")
    call(f"POST /v1/contacts/{contacts[0]}/anonymise")
    call(f"DELETE /v1/contacts/{contacts[1]}")
    call(f"DELETE /v1/identity/{contacts[2]}")
