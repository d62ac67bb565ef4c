"""Messages to a URL of the workspace, signed by the Standard Webhooks specification.

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

#: Status codes about the URL or the signature, not about this message. With 410 the receiver ends all deliveries.
_CHANNEL_STATUSES = frozenset({401, 403, 404, 405, 410})
#: Status codes of a request that was too slow or too early. It may be retried.
_PASSING_STATUSES = frozenset({408, 425})
Text = Annotated[str, Field(min_length=1)]


class WebhookContent(StrictModel):
    """Content of a webhook template: any fields, each a template. They arrive as strings of a JSON object."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Text]

    text: Text | None = None

    @model_validator(mode="after")
    def _has_some(self) -> Self:
        names = list(self.__pydantic_extra__)
        if self.text is None and not names:
            raise ValueError("at least one field is required")
        if len(names) > 30 or not all(name.isidentifier() and name.isascii() and len(name) <= 64 for name in names):
            raise ValueError("at most 30 fields, with names of at most 64 letters, digits and _")
        return self


def build_settings(allowed: frozenset[str]) -> type[BaseModel]:
    """Return the model of the settings. Valid URLs depend on the allow-list of the installation."""

    def check(url: str) -> str:
        check_url(url, allowed)
        return url

    class WebhookSettings(StrictModel):
        """Settings of a webhook channel. The secret is `whsec_…`; during a rotation it is two, separated by a space."""

        url: Annotated[str, Field(max_length=2048), AfterValidator(check)]
        secret_name: SecretName

    return WebhookSettings


class WebhookChannel(BaseChannelType):
    """The webhook channel type. Receivers deduplicate by `webhook-id`, so a lost response is retried."""

    name: str = "webhook"
    content: type[BaseModel] = WebhookContent
    deduplicates: bool = True
    timeout: timedelta = TIMEOUT + timedelta(seconds=RESOLVE_SECONDS)

    def __init__(self, http: Http, secrets: Secrets, allowed: frozenset[str], resolver: Resolve = resolve) -> None:
        """Set the `host:port` of internal receivers, which may use http and private addresses."""
        self.settings = build_settings(allowed)
        self._http, self._secrets, self._allowed, self._resolve = http, secrets, allowed, resolver

    def address_of(self, contact: Contact) -> str | None:
        """Return an address for every contact, because the URL belongs to the channel."""
        return contact.uid

    def send(self, outgoing: OutgoingMessage) -> SendResult:
        """Send with one request to the checked address."""
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
    """Build the channel type with the allow-list of the installation."""
    return WebhookChannel(edges.http, edges.secrets, edges.webhook_allowed)


def build_request(outgoing: OutgoingMessage, secrets: Sequence[str], now: datetime) -> Request:
    """Build the JSON request with the three headers of the specification.

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
    """Return the body, which is the same at every attempt."""
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
    """Return the send result of a response. A 5xx may have been processed, so it is retried under the same id."""
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
