"""Messages, clients and secrets for tests of providers, and the check of a request against AWS's own model."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator
from pydantic import JsonValue

from chalicelib.errors import NotFound
from chalicelib.model.channel import Channel
from chalicelib.model.ids import ContactUid, FlowUid, MessageUid, NodeId, WorkspaceUid
from chalicelib.model.message import MessageType, OutgoingMessage

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
UID = MessageUid(WorkspaceUid("w"), FlowUid("f"), ContactUid("c"), NodeId("n"))
PHONE = "+491701234567"


def make_message(
    kind: str, settings: Mapping[str, JsonValue], content: Mapping[str, str], **fields: Any
) -> OutgoingMessage:
    """Return a message on a channel of this type; `fields` replace its defaults."""
    channel = Channel(uid="ch", created_at=NOW, updated_at=NOW, name="X", type=kind, settings=settings)
    defaults = {"uid": UID, "channel": channel, "message_type": MessageType.MESSAGE, "to": PHONE, "content": content}
    return OutgoingMessage(**{**defaults, **fields})


def build_client(service: str, endpoint: str | None = None) -> Any:
    """Return a client with one attempt, as the wiring builds it, but with shorter timeouts."""
    make: Any = boto3.client
    config = Config(retries={"total_max_attempts": 1}, connect_timeout=10, read_timeout=10)
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    return make(service, region_name="eu-west-1", endpoint_url=endpoint, config=config, **keys)


def refusal(operation: str, code: str, status: int = 400, message: str = "", reason: str = "") -> ClientError:
    """Return an error response as botocore raises it."""
    response = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError({**response, **({"Reason": reason} if reason else {})}, operation)  # type: ignore[arg-type]  the rest of the metadata does not matter


def find_problems(service: str, operation: str, request: Mapping[str, object]) -> str:
    """Check a request against botocore's model, patterns and lengths included. Empty if it is valid."""
    shape = botocore.session.get_session().get_service_model(service).operation_model(operation).input_shape
    return ParamValidator().validate(dict(request), shape).generate_report()


class KnownSecrets:
    """Secrets of the workspace `w`, by name."""

    def __init__(self, **known: str) -> None:
        self._known = known

    def __call__(self, workspace: WorkspaceUid, name: str) -> str:
        if workspace != "w" or name not in self._known:
            raise NotFound("Secret", name)
        return self._known[name]
