"""Messages to a URL of the workspace's own, signed by the Standard Webhooks specification.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import AfterValidator, ConfigDict, Field, model_validator
from standardwebhooks import Webhook as Signer
from standardwebhooks.webhooks import EmptyWebhookSecretError

from chalicelib.errors import NotFound, RetryLater
from chalicelib.model.base import StrictModel
from chalicelib.model.message import (
    Accepted,
    ChannelFailure,
    OutcomeUnknown,
    PermanentFailure,
    Throttled,
    TransientFailure,
)
from chalicelib.providers.base import TIMEOUT, BaseChannelType, SecretName, get_setting
from chalicelib.providers.http import Reply, Request, read_retry_after
from chalicelib.providers.secrets import read_secret_fault
from chalicelib.providers.url_guard import RESOLVE_SECONDS, NoAddress, NotAllowed, check_url, find_address, resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pydantic import BaseModel

    from chalicelib.model.contact import Contact
    from chalicelib.model.message import OutgoingMessage, SendResult
    from chalicelib.providers.base import Secrets
    from chalicelib.providers.http import Http
    from chalicelib.providers.registry import ProviderClients

    Resolve = Callable[[str, int], tuple[str, ...]]

#: Answers that speak of the URL or the signature, not of this message. 410 is the receiver's way to end it all.
_CHANNEL_STATUSES = frozenset({401, 403, 404, 405, 410})
#: Not taken, and worth another try: the request was too slow or too early.
_PASSING_STATUSES = frozenset({408, 425})
Text = Annotated[str, Field(min_length=1)]


class WebhookContent(StrictModel):
    """Any fields of the workspace's choice, each a template; they arrive as the strings of a JSON object."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Text]

    text: Text | None = None

    @model_validator(mode="after")
    def _has_some(self) -> Self:
        names = list(self.__pydantic_extra__)
        if self.text is None and not names:
            raise ValueError("needs at least one field")
        if len(names) > 30 or not all(name.isidentifier() and name.isascii() and len(name) <= 64 for name in names):
            raise ValueError("has at most 30 fields, named by letters, digits and _, up to 64 of them")
        return self


def build_settings(allowed: frozenset[str]) -> type[BaseModel]:
    """The model of the settings; which URLs are good depends on the installation's allow-list."""

    def check(url: str) -> str:
        check_url(url, allowed)
        return url

    class WebhookSettings(StrictModel):
        """Where messages go. The secret is `whsec_…`; several by spaces while one replaces the other."""

        url: Annotated[str, Field(max_length=2048), AfterValidator(check)]
        secret_name: SecretName

    return WebhookSettings


class WebhookChannel(BaseChannelType):
    """The receiver drops what it has seen, by `webhook-id`, which is the message uid: a lost answer is tried again."""

    name: str = "webhook"
    content: type[BaseModel] = WebhookContent
    deduplicates: bool = True
    timeout: timedelta = TIMEOUT + timedelta(seconds=RESOLVE_SECONDS)

    def __init__(self, http: Http, secrets: Secrets, allowed: frozenset[str], resolver: Resolve = resolve) -> None:
        """`allowed`: `host:port` of receivers inside of the installation, which need be neither https nor public."""
        self.settings = build_settings(allowed)
        self._http, self._secrets, self._allowed, self._resolve = http, secrets, allowed, resolver

    def address_of(self, contact: Contact) -> str | None:
        """Every contact: the URL is the channel's."""
        return contact.uid

    def send(self, outgoing: OutgoingMessage) -> SendResult:
        """One request, to the very address that was checked."""
        try:
            secrets = self._secrets(outgoing.uid.workspace, get_setting(outgoing.channel, "secretName")).split()
            request = build_request(outgoing, secrets, datetime.now(UTC))
            address = find_address(check_url(request.url, self._allowed), self._resolve)
        except (NotFound, RetryLater) as error:
            return read_secret_fault(error)
        except NotAllowed:
            return ChannelFailure("url_not_allowed")
        except NoAddress:
            return TransientFailure("no_address_of_host", unreached=True)
        except (ValueError, EmptyWebhookSecretError):
            return ChannelFailure("secret_unreadable")
        reply = self._http.post(request, address)
        return read_answer(reply, str(outgoing.uid)) if isinstance(reply, Reply) else reply


def build(edges: ProviderClients) -> WebhookChannel:
    """To public receivers, and to those that the installation allows."""
    return WebhookChannel(edges.http, edges.secrets, edges.webhook_allowed)


def build_request(outgoing: OutgoingMessage, secrets: Sequence[str], now: datetime) -> Request:
    """JSON with the three headers of the specification.

    Raises ValueError without a secret or for one that is not base64, EmptyWebhookSecretError for an empty one.
    """
    body = json.dumps(_build_body(outgoing), ensure_ascii=False, separators=(",", ":"))
    uid = str(outgoing.uid)
    signatures = [Signer(secret).sign(uid, now, body) for secret in secrets]
    if not signatures:
        raise ValueError("no secret")
    return Request(
        url=get_setting(outgoing.channel, "url"),
        headers={
            "Content-Type": "application/json",
            "webhook-id": uid,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": " ".join(signatures),
        },
        body=body.encode(),
    )


def _build_body(outgoing: OutgoingMessage) -> dict[str, object]:
    """The same at every try, but for the headers."""
    data = {
        "messageUid": str(outgoing.uid),
        "flowUid": outgoing.uid.flow,
        "contactUid": outgoing.uid.contact,
        "nodeId": outgoing.uid.node,
        "messageType": outgoing.message_type,
        "content": dict(outgoing.content),
    }
    return {"type": "message", "data": data}


def read_answer(reply: Reply, uid: str) -> SendResult:
    """Any 2xx is a yes; a 5xx may have been taken, and is tried again under the same id."""
    status = reply.status
    if 200 <= status < 300:
        return Accepted(uid)
    if status == 429:
        return Throttled(read_retry_after(reply))
    if status in _CHANNEL_STATUSES or 300 <= status < 400:
        return ChannelFailure(f"status_{status}")
    if status in _PASSING_STATUSES:
        return TransientFailure(f"status_{status}", read_retry_after(reply))
    return PermanentFailure(f"status_{status}") if 400 <= status < 500 else OutcomeUnknown(f"status_{status}")
