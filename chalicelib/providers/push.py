"""Mobile push over Amazon SNS (`Publish` to platform endpoints), to every device of the contact.

https://docs.aws.amazon.com/sns/latest/dg/sns-send-custom-platform-specific-payloads-mobile-devices.html
"""

from __future__ import annotations

import json
import re
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Protocol

from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_pascal

from chalicelib.model.base import StrictModel
from chalicelib.model.delivery_report import DeliveryReport, SuppressionSignal
from chalicelib.model.execution import Engagement
from chalicelib.model.message import Accepted, ChannelFailure, OutcomeUnknown, PermanentFailure, RecipientSuppressed
from chalicelib.providers.aws_errors import AWS_ERRORS, read_answer, read_failure
from chalicelib.providers.base import TIMEOUT, BaseChannelType
from chalicelib.providers.event_model import ProviderEvent, Text
from chalicelib.providers.event_reader import read_event, read_iso

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pydantic import BaseModel

    from chalicelib.model.channel import Channel
    from chalicelib.model.contact import Contact
    from chalicelib.model.delivery_report import ProviderCallback
    from chalicelib.model.message import OutgoingMessage, SendResult
    from chalicelib.providers.aws_errors import AwsError, Refusal
    from chalicelib.providers.registry import ProviderClients

#: After this time no further device is tried, so that one send stays well below the lease of its claim.
DEVICES_WITHIN = timedelta(seconds=5)
#: Only endpoints. `TargetArn` also accepts topics, and a writer of contacts must not publish to topics.
_ENDPOINT = re.compile(
    r"arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:endpoint/[A-Z_]+/[A-Za-z0-9_.-]{1,256}/[A-Za-z0-9-]{1,64}"
)
Application = Annotated[
    str, Field(pattern=r"^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:app/[A-Z_]+/[A-Za-z0-9_.-]{1,256}$")
]


class SnsClient(Protocol):
    """The used call of the client for "sns". Its type stubs are not installed."""

    def publish(self, **request: object) -> Mapping[str, object]:
        """Call Publish."""


class PushSettings(StrictModel):
    """Settings of a push channel: the ARNs of the platform applications that it reaches."""

    applications: Annotated[tuple[Application, ...], Field(min_length=1, max_length=10)]


class PushContent(StrictModel):
    """Content of a push template. Push services accept about 4 KB in total."""

    title: Annotated[str, Field(min_length=1)] | None = None
    text: Annotated[str, Field(min_length=1)]


class _DeliveryFailure(ProviderEvent):
    """An event of a platform application."""

    model_config = ConfigDict(alias_generator=to_pascal)

    event_type: Text = ""
    endpoint_arn: Text = ""
    failure_type: Text = ""
    message_id: Text = ""
    time: Text = ""


class Push(BaseChannelType):
    """Amazon SNS. A message is one notification on each device of the contact.

    It counts as sent when one device accepted it. SNS has no idempotency token.
    """

    name: str = "push"
    unreachable_codes: frozenset[str] = frozenset({"EndpointDisabled", "NotFound", "no_endpoint"})
    settings: type[BaseModel] = PushSettings
    content: type[BaseModel] = PushContent
    timeout: timedelta = TIMEOUT + DEVICES_WITHIN

    def __init__(self, client: SnsClient) -> None:
        """The client must be built with one attempt, 3 s to connect and 10 s to read."""
        self._client = client

    def address_of(self, contact: Contact) -> str | None:
        """Return the contact's endpoint ARNs, separated by spaces. Other tokens are not registered with SNS."""
        return " ".join(token for token in contact.push_tokens if _ENDPOINT.fullmatch(token)) or None

    def send(self, outgoing: OutgoingMessage) -> SendResult:
        """Send with one call per device of the channel's apps, until a call fails or time runs out."""
        endpoints = choose_endpoints(outgoing.channel, outgoing.to)
        return (
            join_results(list(self._send_each(outgoing, endpoints))) if endpoints else PermanentFailure("no_endpoint")
        )

    def read_events(self, callback: ProviderCallback) -> tuple[DeliveryReport, ...]:
        """Return the reports of a permanently failed delivery, as a platform application publishes it."""
        return read_failure_event(read_event(callback))

    def _send_each(self, outgoing: OutgoingMessage, endpoints: Sequence[str]) -> Iterator[SendResult]:
        began = time.monotonic()
        for endpoint in endpoints:
            verdict = self._publish(outgoing, endpoint)
            yield verdict
            is_slow = time.monotonic() - began > DEVICES_WITHIN.total_seconds()
            if is_slow or not isinstance(verdict, Accepted | RecipientSuppressed | PermanentFailure):
                return

    def _publish(self, outgoing: OutgoingMessage, endpoint: str) -> SendResult:
        try:
            return read_answer(self._client.publish(**build_request(outgoing, endpoint)))
        except AWS_ERRORS as error:
            return read_error(error)


def build(edges: ProviderClients) -> Push:
    """Build the channel type."""
    return Push(edges.sns)


def choose_endpoints(channel: Channel, to: str) -> list[str]:
    """Return the endpoints of `to` that belong to the channel's applications."""
    named = channel.settings.get("applications")
    prefixes = tuple(f"{app}/".replace(":app/", ":endpoint/", 1) for app in named) if isinstance(named, list) else ()
    return [each for each in to.split() if _ENDPOINT.fullmatch(each) and each.startswith(prefixes)]


def join_results(results: Sequence[SendResult]) -> SendResult:
    """Return one result for several devices: accepted if one is, unknown if one may be, otherwise the last one."""
    ids = [each.provider_id for each in results if isinstance(each, Accepted)]
    if ids:
        return Accepted(",".join(ids))
    unsure = [each for each in results if isinstance(each, OutcomeUnknown)]
    others = [each for each in results if not isinstance(each, RecipientSuppressed)]
    return (unsure or others or list(results))[-1]


def build_request(outgoing: OutgoingMessage, endpoint: str) -> dict[str, object]:
    """Return the parameters of `Publish`: one payload per push service, with the message uid for the app."""
    title, text = outgoing.content.get("title"), outgoing.content["text"]
    alert = {"title": title, "body": text} if title else {"body": text}
    apple = json.dumps({"aps": {"alert": alert}, "message": str(outgoing.uid)})
    google = {"fcmV1Message": {"message": {"notification": alert, "data": {"message": str(outgoing.uid)}}}}
    payloads = {"default": text, "GCM": json.dumps(google), "APNS": apple, "APNS_SANDBOX": apple}
    return {"TargetArn": endpoint, "MessageStructure": "json", "Message": json.dumps(payloads)}


def read_error(error: AwsError) -> SendResult:
    """Return the send result of a failed call."""
    return read_failure(error, _explain)


def _explain(refusal: Refusal) -> SendResult | None:
    code = refusal.code.removesuffix("Exception")
    is_gone = code == "NotFound" or (code == "InvalidParameter" and "No endpoint found" in refusal.message)
    if code == "EndpointDisabled" or is_gone:
        return RecipientSuppressed("EndpointDisabled" if code == "EndpointDisabled" else "NotFound")
    is_fault = code == "PlatformApplicationDisabled" or (code.startswith("KMS") and not refusal.is_throttle)
    return ChannelFailure(code) if is_fault and refusal.status < 500 else None


def read_failure_event(body: Mapping[str, object]) -> tuple[DeliveryReport, ...]:
    """Return the report of an `EventDeliveryFailure`, which is about one device, or none for any other object.

    The report has no message uid: SNS returns only its own message id.
    """
    event = _DeliveryFailure.read(body)
    if event.event_type != "DeliveryFailure" or not event.endpoint_arn:
        return ()
    report = DeliveryReport(
        engagement=Engagement.BOUNCED,
        at=read_iso(event.time),
        provider_id=event.message_id,
        code=event.failure_type,
        suppress=SuppressionSignal.ENDPOINT_GONE,
        address=event.endpoint_arn,
    )
    return (report,)
