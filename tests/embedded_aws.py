"""AWS in the process of the test: ministack or moto answers the requests of real boto3 clients without a socket."""

import asyncio
import atexit
import importlib
import logging
import os
from collections.abc import Callable, Collection, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from math import inf
from threading import RLock
from types import ModuleType
from typing import Any
from unittest import mock
from urllib.parse import unquote, urlsplit

import boto3
import botocore.session
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config

from infra.local.aws_queues import queue_name
from infra.local.aws_shortcuts import install_shortcuts
from infra.local.resources import provision
from tests.direct_transport import SERVICES, Body, answer_directly, shorten

REGION = "eu-west-1"
#: A retry would hide a fault that a test has planted. The user agent is fixed as botocore's takes a tenth of a call.
CONFIG = Config(region_name=REGION, retries={"total_max_attempts": 1}, user_agent="carillon-tests")
#: Variables that ministack reads on import: no listeners and no background threads.
SETTINGS = {"IOT_MTLS_ENABLED": "0", "SFTP_ENABLED": "0", "MINISTACK_TEST_NO_AUTOSTART": "1", "LOG_LEVEL": "ERROR"}
#: An empty AWS configuration.
EMPTY_CONFIGURATION = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
}


class EmbeddedAws:
    """ministack in process. Its state is the process's: one test at a time, and `reset` between them."""

    def __init__(self) -> None:
        self.account = worker_account()
        #: For code that builds its own clients: `boto3.DEFAULT_SESSION = aws.session`.
        self.session = _ministack_session(self.account)

    def client(self, service: str) -> Any:
        return _client(self.session, service)

    def unheard_client(self, service: str) -> Any:
        """Return a separate client. Hooks on `client` do not see its calls."""
        return _new_client(self.session, service)

    def next_visible(self, urls: Collection[str]) -> float:
        """Return when the next message of these queues becomes visible, in epoch seconds. Infinity if all are empty."""
        names = {_name(url) for url in urls}
        kept = _service("sqs")._queues.all_items()
        queues = [queue for (_, _, url), queue in kept if _name(url) in names]
        assert queues, "ministack keeps its queues in another way"
        return min((message["visible_at"] for queue in queues for message in queue["messages"]), default=inf)

    def reset(self) -> None:
        with _LOCK:
            _ministack()._reset_all_state()
            _process.untouched = True

    def provision(self) -> dict[str, str]:
        """Create what resources.yaml declares; after a `reset` from a copy of the first time, in 1 ms."""
        with _LOCK:
            if not _process.untouched:
                return provision(self.client)
            if _process.provisioned is None:
                env = provision(self.client)
                _process.provisioned = env, {name: _service(name).get_state() for name in PROVISIONED}
            env, states = _process.provisioned
            for name, state in states.items():
                _service(name)._restore_state(deepcopy(state))
            _process.untouched = False
            return dict(env)


class MotoAws:
    """moto behind the same methods, as a second opinion.

    Only this session's requests go to it: `mock_aws` would take every client of the process, ministack's too.
    """

    def __init__(self) -> None:
        self.session = _moto_session()

    def client(self, service: str) -> Any:
        return _client(self.session, service)

    def reset(self) -> None:
        importlib.import_module("moto.core.base_backend").BackendDict.reset()

    def provision(self) -> dict[str, str]:
        return provision(self.client)


def worker_account() -> str:
    """Return a separate account for each pytest-xdist worker. ministack reads a 12-digit access key as an account."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    return f"{100_000_000_001 + int(worker)}"


@cache
def _ministack_session(account: str) -> boto3.Session:
    return _session(_answer_by_ministack, account)


@cache
def _moto_session() -> boto3.Session:
    stubber = importlib.import_module("moto.core.botocore_stubber").BotocoreStubber()
    stubber.enabled = True
    return _session(stubber, importlib.import_module("moto.core").DEFAULT_ACCOUNT_ID)


def _session(answer: Callable[..., AWSResponse], access_key: str) -> boto3.Session:
    with _nobodys_settings():
        core = botocore.session.Session()
        # First: moto, once imported, has a handler in every session.
        core.get_component("event_emitter").register_first("before-send", answer)
        core.register("before-parameter-build.sqs.ReceiveMessage", _receive_at_once)
        return boto3.Session(access_key, "secret", region_name=REGION, botocore_session=core)


@cache
def _client(session: boto3.Session, service: str) -> Any:
    """Build a client, once a process (about 50 ms).

    So a hook that a test registers on its events stays until the test unregisters it.
    """
    return _new_client(session, service)


def _new_client(session: boto3.Session, service: str) -> Any:
    with _nobodys_settings():
        client = session.client(service, config=CONFIG)
    if service in SERVICES.values():
        shorten(client)
    return client


@contextmanager
def _nobodys_settings() -> Iterator[None]:
    """Hide the developer's profile and endpoint: the tests are the same on every machine."""
    with mock.patch.dict(os.environ, EMPTY_CONFIGURATION):
        os.environ.pop("AWS_PROFILE", None)
        yield


def _receive_at_once(**event: Any) -> None:
    """Nothing can arrive while a request runs, and a clock that a test has stopped would never end the wait."""
    if "WaitTimeSeconds" in event["params"]:
        event["params"]["WaitTimeSeconds"] = 0


#: Services with empty resources that are copied, as the persistence of ministack does it.
PROVISIONED = ("eventbridge", "dynamodb", "sqs", "s3", "secretsmanager")
_LOCK = RLock()
_BESIDE = ThreadPoolExecutor(1)


@dataclass
class _Process:
    """What ministack holds, which is one for all instances of `EmbeddedAws`."""

    untouched: bool = True
    provisioned: tuple[dict[str, str], dict[str, Any]] | None = None


_process = _Process()


_name = cache(queue_name)


@cache
def _service(name: str) -> Any:
    return importlib.import_module(f"ministack.services.{name}")


@cache
def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    atexit.register(loop.close)
    return loop


@cache
def _ministack() -> ModuleType:
    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    with mock.patch.dict(os.environ, SETTINGS):
        app = importlib.import_module("ministack.app")
        # Its thread that deletes expired items would wake at a random moment and believe a travelled clock.
        with mock.patch("threading.Thread.start"):
            tables = importlib.import_module("ministack.services.dynamodb")
    install_shortcuts(_service("sqs"), tables, _service("_dynamodb_keywords"))
    # It configures the root logger; the tests' own stays as pytest made it.
    root.setLevel(level)
    root.handlers[:] = handlers
    for name in ("ministack", "sqs", "dynamodb", "s3"):
        logging.getLogger(name).setLevel(logging.ERROR)
    return app


def _answer_by_ministack(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
    with _LOCK:
        _process.untouched = False
        _ministack()
        answer = answer_directly(request, worker_account(), REGION)
        if answer is not None:
            return answer
        exchange = _Exchange(request)
        _run(_ministack().app(exchange.scope, exchange.receive, exchange.send))
    return AWSResponse(request.url, exchange.status, exchange.headers, Body(b"".join(exchange.parts)))


def _run(work: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine. If an event loop runs in this thread, as while a browser is open, use another thread."""
    if asyncio._get_running_loop() is None:
        _loop().run_until_complete(work)
    else:
        _BESIDE.submit(_loop().run_until_complete, work).result()


class _Exchange:
    """One request and its answer in ASGI's terms."""

    def __init__(self, request: AWSPreparedRequest) -> None:
        url = urlsplit(request.url)
        headers = [(_bytes(name).lower(), _bytes(value)) for name, value in request.headers.items()]
        self.scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "scheme": "http",
            "method": request.method,
            "path": unquote(url.path) or "/",
            "raw_path": (url.path or "/").encode(),
            "query_string": url.query.encode(),
            "headers": [*headers, (b"host", url.netloc.encode())],
            "client": ("127.0.0.1", 0),
        }
        body: Any = request.body or b""
        self._body = _bytes(body.read() if hasattr(body, "read") else body)
        self.status = 0
        self.headers = HTTPHeaders()
        self.parts: list[bytes] = []

    async def receive(self) -> dict[str, Any]:
        return {"type": "http.request", "body": self._body, "more_body": False}

    async def send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            for name, value in message["headers"]:
                self.headers[name.decode("latin-1")] = value.decode("latin-1")
        else:
            self.parts.append(message.get("body", b""))


def _bytes(value: Any) -> bytes:
    return value.encode() if isinstance(value, str) else bytes(value)
