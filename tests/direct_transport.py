"""A direct path from boto3 to the embedded AWS: botocore builds the request and reads the response.

A call of boto3 takes 2 ms of CPU. The direct path omits half of it: signing, retries, conversions of headers, and the
routing of ministack. The tests in `tests/e2e` use the normal path.
"""

from collections.abc import Callable, Coroutine
from contextvars import copy_context
from functools import cache
from importlib import import_module
from io import BytesIO
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse, HeadersDict
from botocore.model import OperationModel

#: What a JSON protocol's target begins with → ministack's module.
SERVICES = {"DynamoDB_20120810": "dynamodb", "AmazonSQS": "sqs"}


def shorten(client: Any) -> None:
    """Let the calls of this client use the direct path.

    Its hook runs after all other hooks of `before-call`, so those of tests and of the product run first. botocore calls
    the hooks of one service before the general ones. The hooks of `before-send` run as well.
    """
    endpoint, events, service = client._endpoint, client.meta.events, client.meta.service_model.service_name

    def call(model: OperationModel, params: dict[str, Any], context: dict[str, Any], **_: Any) -> Any:
        request = AWSPreparedRequest(params["method"], params["url"], params["headers"], params["body"], False)
        answer, error = endpoint._do_get_response(request, model, context)
        if error is not None:
            events.emit(f"after-call-error.{service}.{model.name}", exception=error, context=context)
            raise error
        return answer

    events.register_last("before-call", call)
    client._resolve_endpoint_ruleset = _found_once(client._resolve_endpoint_ruleset)


def _found_once(resolve: Callable[..., Any]) -> Callable[..., Any]:
    """Resolve the endpoint once. It does not depend on the call, and resolving it takes an eighth of a call."""
    found: list[Any] = []

    def resolve_once(*arguments: Any, **options: Any) -> Any:
        if not found:
            found.append(resolve(*arguments, **options))
        return found[0]

    return resolve_once


def answer_directly(request: AWSPreparedRequest, account: str, region: str) -> AWSResponse | None:
    """Return the response of a ministack service. None if only the router of ministack can find the service."""
    target = request.headers.get("X-Amz-Target", "")
    name = SERVICES.get(_text(target).partition(".")[0])
    if name is None:
        return None
    headers = {key.lower(): _text(value) for key, value in request.headers.items()}
    status, found, body = copy_context().run(_handle, name, headers, request.body, account, region)
    raw = body if isinstance(body, bytes) else body.encode()
    return AWSResponse(request.url, status, HeadersDict(found), Body(raw))


def _handle(name: str, headers: dict[str, str], body: bytes, account: str, region: str) -> tuple[int, Any, Any]:
    """Call the service as the router of ministack does, in the context of this request."""
    responses = _module("core.responses")
    responses.set_request_account_id(account)
    responses.set_request_region(region)
    return _at_once(_module(f"services.{name}").handle_request("POST", "/", headers, body, {}))


@cache
def _module(name: str) -> Any:
    return import_module(f"ministack.{name}")


def _at_once(work: Coroutine[Any, Any, tuple[int, Any, Any]]) -> tuple[int, Any, Any]:
    """Run a coroutine that never waits, without an event loop."""
    try:
        work.send(None)
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]  # what a coroutine returns is untyped here
    raise AssertionError("ministack waits, but no event loop is running")


class Body(BytesIO):
    """A body as urllib3 gives it to botocore."""

    def stream(self, **_: Any) -> Any:
        yield self.read()


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode("latin-1")
