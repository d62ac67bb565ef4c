"""Every request of the malformed corpus: refused in the documented shape or taken as it is, and never a fault."""

import json
import uuid
from collections import Counter
from typing import Any

import pytest

from app import app
from chalicelib.model.signing import UNSUBSCRIBE, sign_token
from infra.local import gateway
from infra.local.asgi import Answer
from infra.local.lambda_runtime import Context
from tests.integration.conftest import Api, World
from tests.malformed_requests import Bad, corpus

ROUTES = gateway.Routes(app.routes)


@pytest.fixture
def known(world: World, api: Api) -> dict[str, str]:
    """Uids of what the corpus talks about."""

    def made(url: str, body: Any) -> str:
        reply = api.post(url, body)
        assert reply.status in {201, 202}, reply.text
        return str(reply.data["uid"])

    channel = made("/v1/channels", {"name": "Console", "type": "console"})
    content = {"text": "Hello {{ first_name }}"}
    template = made("/v1/templates", {"name": "Hello", "channelType": "console", "content": content})
    contact = made("/v1/contacts", {"email": "ada@example.com"})
    api.post(f"/v1/templates/{template}/publish")
    campaign = made("/v1/campaigns", {"name": "Short", "channelUid": channel, "templateUid": template})
    flow = {"channelUid": channel, "campaignUid": campaign, "contactUids": [contact], "status": "draft"}
    twilio = {"provider": "twilio", "sender": "+12065550100", "accountSid": "AC" + "0" * 32, "secretName": "twilio"}
    settings = made("/v1/channels", {"name": "SMS", "type": "sms", "settings": twilio})
    link = sign_token(world.ports.secret(), UNSUBSCRIBE, (api.workspace, contact, "email", "NEWSLETTER"))
    return {
        "campaign": campaign,
        "template": template,
        "flow": made("/v1/flows", flow),
        "unsubscribe": link,
        "hook": f"{api.workspace}.{settings}",
    }


def send(bad: Bad, key: str, known: dict[str, str]) -> Answer:
    """As API Gateway and Lambda would, without a network between."""
    path, _, query = bad.path.partition("?")
    for name, uid in known.items():
        path = path.replace("{" + name + "}", uid)
    request_id = str(uuid.uuid4())
    match = ROUTES.find(path)
    if match is None:
        return gateway.build_error(404, "not_found", "There is no such route", request_id)
    if bad.method not in app.routes[match.resource]:
        return gateway.build_error(405, "method_not_allowed", "No such method here", request_id)
    sent = [(name.lower(), value) for name, value in bad.headers]
    scope = {
        "method": bad.method,
        "path": path,
        "query_string": query.encode(),
        "headers": sent if bad.brings_key else [*sent, (b"authorization", f"Bearer {key}".encode())],
        "http_version": "1.1",
    }
    event = gateway.build_event(scope, match, bad.body, app.api.binary_types, request_id)
    return gateway.read_answer(app(json.loads(json.dumps(event)), Context("api_handler", 29)))


def is_good(answer: Answer, bad: Bad) -> bool:
    """No fault, and refusals in the one shape; pages for people say in HTML what is wrong with a link."""
    if answer.status >= 500 or (bad.refused and answer.status < 400):
        return False
    if answer.status < 400 or dict(answer.headers)[b"content-type"] != b"application/json":
        return True
    return {"error", "message", "details", "requestId"} <= set(json.loads(answer.body))


def test_no_malformed_request_makes_a_fault(api: Api, known: dict[str, str]) -> None:
    tried: Counter[str] = Counter()
    wrong: list[str] = []
    for bad in corpus():
        answer = send(bad, api.key or "", known)
        tried[bad.about] += 1
        said = f"{bad.about}: {bad.method} {bad.path[:80]} {bad.body[:80]!r} {bad.headers!r:.120} → {answer.status}"
        if not is_good(answer, bad):
            wrong.append(said)
    print(f"\n{tried.total()} malformed requests, {len(wrong)} answered wrongly: {dict(tried)}")
    assert not wrong, "\n".join(wrong)
    assert tried.total() >= 300
