"""The API process: serves the outbox, and the Chalice app through the events of API Gateway."""

import asyncio
import importlib
import json
import logging
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from email.utils import formatdate
from pathlib import Path
from typing import Any, TypeVar

import boto3
from botocore.config import Config
from chalice.app import Chalice
from chalice.local import LocalChalice

from infra.local import gateway, orphan
from infra.local.asgi import Answer, ClientDisconnected, Receive, Scope, Send, TooLarge, json_answer, read_body
from infra.local.data import is_alive
from infra.local.lambda_runtime import Context, read_timeouts
from infra.local.outbox import Outbox
from infra.local.paths import HEALTH
from infra.local.serve import serve
from infra.local.virtual_time import read_anchors

#: Limit of concurrent requests; others wait. More threads do not help on two cores.
THREADS = 40
#: Name of the API function in the output of `chalice package`.
FUNCTION = "api_handler"

T = TypeVar("T")

log = logging.getLogger("api")


class Api:
    """The ASGI application in front of the Chalice app."""

    def __init__(self, app: Chalice, outbox: Outbox, data: Path) -> None:
        # Lambda runs one request per process. Threads share one app here, so the current request must be per thread.
        app.__class__ = type("ThreadedChalice", (LocalChalice, app.__class__), {})
        self._app = app
        self._routes = gateway.Routes(app.routes)
        self._outbox = outbox
        self._data = data
        self._anchors = read_anchors(os.environ)
        self._timeout = read_timeouts(Path.cwd(), os.environ.get("STAGE", "local"))(FUNCTION)
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="api")
        self._sqs = boto3.client("sqs", config=Config(read_timeout=5, retries={"total_max_attempts": 1}))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _live(receive, send)
        elif scope["type"] == "http":
            with suppress(ClientDisconnected):
                answer = await self._answer(scope, receive)
                if scope["method"] == "HEAD":
                    answer.body = b""
                # The clock may run faster than the real one, and the dashboard counts time by the `Date` header.
                answer.headers.append((b"date", formatdate(self._anchors.now(), usegmt=True).encode()))
                await answer.pass_on(send)

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        path, request_id = scope["raw_path"].decode("latin-1"), gateway.new_request_id()
        if path == HEALTH:
            return await self._in_thread(self._health)
        if (scope["method"] == "GET" and path == "/outbox") or path.startswith("/outbox/"):
            return await self._in_thread(self._outbox.answer, path, scope["query_string"].decode("latin-1"))
        match = self._routes.find(path)
        if match is None:
            return gateway.build_error(404, "not_found", f"There is nothing at {scope['path']}.", request_id)
        methods = self._app.routes[match.resource]
        if scope["method"] not in methods:
            return self._refuse_method(scope["method"], match, request_id)
        try:
            body = await read_body(receive, gateway.BODY_LIMIT)
        except TooLarge:
            close = [(b"connection", b"close")]
            return gateway.build_error(413, "payload_too_large", "The body exceeds 10 MB.", request_id, close)
        event = gateway.build_event(scope, match, body, self._app.api.binary_types, request_id)
        return await self._call(event, request_id)

    def _refuse_method(self, method: str, match: gateway.Match, request_id: str) -> Answer:
        methods = self._app.routes[match.resource]
        cors = next(iter(methods.values())).cors
        allowed = ",".join([*methods, "OPTIONS"] if cors else methods)
        if method == "OPTIONS" and cors:
            # `chalice package` creates a mock preflight response for this path, so Lambda never sees the request.
            headers = {**cors.get_access_control_headers(), "Access-Control-Allow-Methods": allowed}
            return gateway.read_answer({"statusCode": 200, "headers": headers, "body": ""})
        message = f"{method} is not allowed here, only {allowed}."
        return gateway.build_error(405, "method_not_allowed", message, request_id, [(b"allow", allowed.encode())])

    async def _call(self, event: dict[str, Any], request_id: str) -> Answer:
        """Call the app as Lambda does. Failures outside of the app become 502 or 504, as on API Gateway."""
        context = Context(FUNCTION, self._timeout, aws_request_id=request_id)
        calling = asyncio.ensure_future(self._in_thread(self._app, event, context))
        limit = min(gateway.TIMEOUT_SECONDS, self._timeout)
        done, _ = await asyncio.wait({calling}, timeout=limit)
        where = f"{event['httpMethod']} {event['resource']}"
        if not done:
            log.warning("%s took longer than %.0f s", where, limit)
            return gateway.build_error(504, "timeout", "The request took too long.", request_id)
        try:
            return gateway.read_answer(calling.result())
        except Exception:  # API Gateway answers 502 for every crash of Lambda.
            log.exception("%s failed outside of its handler", where)
            return gateway.build_error(502, "internal_error", "The request failed.", request_id)

    async def _in_thread(self, function: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, function, *arguments)

    def _health(self) -> Answer:
        """Return which of the queues, providers, workers and clock are up, by name."""
        up = {"api": True}
        for name, url in json.loads(os.environ["LOCAL_QUEUES"]).items():
            up[name] = self._has_queue(url)
        pids = json.loads((self._data / "pids.json").read_text(encoding="utf-8"))
        up |= {name: is_alive(pids[name]) for name in ("providers", "clock")}
        for number, pid in enumerate(pids["workers"], start=1):
            up[f"worker-{number}"] = is_alive(pid)
        return json_answer(200 if all(up.values()) else 503, {"up": up})

    def _has_queue(self, url: str) -> bool:
        try:
            self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        except Exception as error:  # noqa: BLE001  Every failure means that the queue is not up.
            log.warning("%s cannot be reached: %s", url, error)
            return False
        return True


async def _live(receive: Receive, send: Send) -> None:
    while True:
        step = (await receive())["type"]
        await send({"type": f"{step}.complete"})
        if step == "lifespan.shutdown":
            return


def main() -> None:
    orphan.begin()
    app = importlib.import_module("app").app
    serve(Api(app, Outbox(Path(os.environ["OUTBOX_DIR"])), Path(os.environ["LOCAL_DATA"])), sets_date=True)


if __name__ == "__main__":
    main()
