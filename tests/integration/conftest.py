"""The API in the process of the test: requests become API Gateway events, and AWS is ministack without a socket."""

import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from time import time
from typing import Any

import pytest

from app import app
from chalicelib.api.http import openapi
from chalicelib.api.http.routes import ROUTES
from chalicelib.aws import usage_meter as usage
from chalicelib.core.workspaces.api_key import create_api_key
from chalicelib.core.workspaces.create_workspace import create_workspace
from chalicelib.model.ids import WorkspaceUid
from chalicelib.model.workspace import Scope
from chalicelib.ports import Ports
from chalicelib.settings import read_settings
from chalicelib.wiring import build_ports, use_ports
from infra.local import gateway
from infra.local.lambda_runtime import Context, load_handler
from infra.local.resources import queue_urls
from tests.embedded_aws import EmbeddedAws

#: Logical id of a queue → handler of its worker, as the event source mapping declares it.
WORKERS = {
    "JobQueue": "chalicelib.workers.jobs.run_jobs",
    "EventQueue": "chalicelib.workers.events.run_events",
    "StepQueue": "chalicelib.workers.steps.run_steps",
    "ReceiptQueue": "chalicelib.workers.receipts.record_receipts",
    "WebhookDesk": "chalicelib.workers.webhooks.dispatch_webhooks",
    "WebhookQueue": "chalicelib.workers.webhooks.call_webhooks",
}
SECRET_ID = "carillon-signing"


@cache
def documented() -> Mapping[tuple[str, str], set[int]]:
    """Return the documented statuses by method and path. Every response in every test is checked against them."""
    found = {
        (method.upper(), path): {int(status) for status in operation["responses"]}
        for path, operations in openapi.build(ROUTES)["paths"].items()
        for method, operation in operations.items()
    }
    bare = {(route.method, route.path.removeprefix("/v1")): found[route.method, route.path] for route in ROUTES}
    return {**bare, **found}


@dataclass
class Reply:
    """An HTTP response that unpacks as (status, json, headers)."""

    status: int
    text: str
    headers: dict[str, str]

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def data(self) -> Any:
        return self.json["data"]

    def __iter__(self) -> Iterator[Any]:
        return iter((self.status, self.json, self.headers))


@dataclass
class Api:
    """An API client with a key."""

    key: str | None
    workspace: WorkspaceUid
    routes: gateway.Routes = field(default_factory=lambda: gateway.Routes(app.routes))

    def get(self, url: str, **options: Any) -> Reply:
        return self.call("GET", url, **options)

    def post(self, url: str, body: object = None, **options: Any) -> Reply:
        return self.call("POST", url, body, **options)

    def put(self, url: str, body: object = None, **options: Any) -> Reply:
        return self.call("PUT", url, body, **options)

    def patch(self, url: str, body: object = None, **options: Any) -> Reply:
        return self.call("PATCH", url, body, **options)

    def delete(self, url: str, **options: Any) -> Reply:
        return self.call("DELETE", url, **options)

    def call(self, method: str, url: str, body: object = None, headers: Mapping[str, str] | None = None) -> Reply:
        """Call the API. A body of bytes is sent unchanged, every other body as JSON."""
        sent = {"Host": "test", **({"Authorization": f"Bearer {self.key}"} if self.key else {})}
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        if raw:
            sent["Content-Type"] = "application/json"
        sent.update(headers or {})
        path, _, query = url.partition("?")
        match = self.routes.find(path)
        if match is None or method not in app.routes[match.resource]:
            raise LookupError(f"API Gateway has no route {method} {path}")
        request_id = str(uuid.uuid4())
        scope = {
            "method": method,
            "path": path,
            "query_string": query.encode(),
            "headers": [(name.lower().encode(), value.encode()) for name, value in sent.items()],
            "http_version": "1.1",
        }
        event = gateway.build_event(scope, match, raw, app.api.binary_types, request_id)
        answer = self.invoke(json.loads(json.dumps(event)), Context("api_handler", 29, aws_request_id=request_id))
        undocumented = f"{answer['statusCode']} of {method} {match.resource} is not in the OpenAPI document"
        assert answer["statusCode"] in documented().get((method, match.resource), {answer["statusCode"]}), undocumented
        return Reply(answer["statusCode"], answer["body"], {k.lower(): v for k, v in answer["headers"].items()})

    def invoke(self, event: dict[str, Any], context: Context) -> Any:
        """Invoke the app as Lambda does."""
        return app(event, context)

    def all_pages(self, url: str) -> list[Any]:
        """Return every object of a list, following `nextCursor`."""
        sign = "&" if "?" in url else "?"
        page = self.get(url).json
        found = list(page["data"])
        while page["nextCursor"]:
            page = self.get(f"{url}{sign}cursor={page['nextCursor']}").json
            found += page["data"]
        return found


@dataclass
class World:
    """The stack: AWS, its ports, and the workers, which run on request."""

    aws: EmbeddedAws
    ports: Ports
    queues: Mapping[str, str]

    def new_caller(self, scope: Scope = Scope.ADMIN, **options: Any) -> Api:
        """Create a workspace and return a client with a key of this scope."""
        workspace, key = create_workspace(self.ports, "Test")
        uid = WorkspaceUid(workspace.uid)
        if scope is not Scope.ADMIN or options:
            _, key = create_api_key(self.ports, uid, scope, **options)
        return Api(key, uid)

    def key_for(self, workspace: WorkspaceUid, scope: Scope, **options: Any) -> Api:
        return Api(create_api_key(self.ports, workspace, scope, **options)[1], workspace)

    def drain(self, *names: str, rounds: int = 1_000) -> int:
        """Deliver visible messages to the workers until none is left. Return the number of messages."""
        handled = 0
        for _ in range(rounds):
            found = self.deliver_all(*names)
            handled += found
            if not found:
                return handled
        raise AssertionError(f"the queues still have messages after {rounds} rounds")

    def next_visible(self) -> float:
        """Return when the next message becomes visible, in epoch seconds, or infinity when the queues are empty."""
        return self.aws.next_visible({self.queues[name] for name in WORKERS})

    def deliver_all(self, *names: str) -> int:
        """Deliver one batch of each queue. Return the number of messages."""
        return sum(self._deliver(name) for name in names or WORKERS)

    def _deliver(self, name: str) -> int:
        sqs, url = self.aws.client("sqs"), self.queues[name]
        if self.aws.next_visible({url}) > time():
            return 0
        received = sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"], MessageAttributeNames=["All"]
        )
        messages = received.get("Messages", [])
        if not messages:
            return 0
        answer = load_handler(WORKERS[name])({"Records": [_record(m, name) for m in messages]}, Context(name, 60))
        failed = {failure["itemIdentifier"] for failure in (answer or {}).get("batchItemFailures", ())}
        for message in messages:
            if message["MessageId"] not in failed:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return len(messages)


def _record(message: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message.get("Attributes", {}),
        "messageAttributes": {},
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:eu-west-1:000000000000:carillon-{name}",
        "awsRegion": "eu-west-1",
    }


@pytest.fixture(scope="session")
def embedded_aws() -> EmbeddedAws:
    return EmbeddedAws()


@pytest.fixture
def world(embedded_aws: EmbeddedAws) -> Iterator[World]:
    embedded_aws.reset()
    usage._remainders.clear()  # As a new process: what an earlier test left to be counted is not this one's.
    environment = embedded_aws.provision()
    if "SIGNING_SECRET_ID" not in environment:
        embedded_aws.client("secretsmanager").create_secret(Name=SECRET_ID, SecretString=uuid.uuid4().hex)
        environment["SIGNING_SECRET_ID"] = SECRET_ID
    ports = build_ports(read_settings({**environment, "STAGE": "test"}), embedded_aws.client)
    use_ports(ports)
    yield World(embedded_aws, ports, queue_urls(embedded_aws.client))
    use_ports(None)


@pytest.fixture
def api(world: World) -> Api:
    return world.new_caller()
