"""Email over Amazon SES (API v2, `SendEmail`)."""

from __future__ import annotations

from email.utils import formataddr
from functools import partial
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from chalicelib.model.base import StrictModel
from chalicelib.model.message import ChannelFailure, PermanentFailure
from chalicelib.providers.aws_errors import AWS_ERRORS, read_answer, read_failure
from chalicelib.providers.base import BaseChannelType
from chalicelib.providers.email_events import read_ses_event
from chalicelib.providers.event_reader import read_event
from chalicelib.providers.ses_quota import SesQuota

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_sesv2 import SESV2Client
    from mypy_boto3_sesv2.type_defs import (
        BodyTypeDef,
        ContentTypeDef,
        MessageHeaderTypeDef,
        MessageTypeDef,
        SendEmailRequestTypeDef,
    )
    from pydantic import BaseModel

    from chalicelib.model.channel import RateLimits
    from chalicelib.model.contact import Contact
    from chalicelib.model.delivery_report import DeliveryReport, ProviderCallback
    from chalicelib.model.message import OutgoingMessage, SendResult
    from chalicelib.providers.aws_errors import AwsError, Refusal
    from chalicelib.providers.registry import ProviderClients

#: Error codes of the account and its identities.
_CHANNEL_CODES = frozenset(
    {"SendingPausedException", "AccountSuspendedException", "MailFromDomainNotVerifiedException"}
    | {"LimitExceededException", "NotFoundException"}
)
#: RFC 8058: a mail client may unsubscribe with one POST.
_ONE_CLICK = "List-Unsubscribe=One-Click"
#: Longest header value of SES, in characters. A longer link is omitted.
_MAX_HEADER = 995


def _check_address(address: str) -> str:
    # Imported here: only the API validates settings, and the import takes 18 ms.
    from email_validator import EmailNotValidError, validate_email  # noqa: PLC0415  see above

    try:
        found = validate_email(address, check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise ValueError("must be an email address") from error
    if found.ascii_email is None:
        raise ValueError("only ASCII characters before the @: SES accepts no others")
    return found.ascii_email


Address = Annotated[str, Field(max_length=320), AfterValidator(_check_address)]


class EmailSettings(StrictModel):
    """Settings of an email channel. The sender must be a verified identity of SES."""

    from_email: Address
    reply_to: Address | None = None
    #: Configuration set that publishes deliveries, bounces and complaints.
    configuration_set: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")] | None = None
    tenant_name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")] | None = None


class EmailContent(StrictModel):
    """Content of an email template. Each field is a template."""

    subject: Annotated[str, Field(min_length=1)]
    text: Annotated[str, Field(min_length=1)] | None = None
    html: Annotated[str, Field(min_length=1)] | None = None
    #: Display name of the sender.
    from_name: Annotated[str, Field(max_length=500)] | None = None

    @model_validator(mode="after")
    def _has_a_body(self) -> Self:
        if self.text is None and self.html is None:
            raise ValueError("text or html is required")
        return self


class Email(BaseChannelType):
    """Amazon SES. It has no idempotency token, so a repeated send is a second mail."""

    name: str = "email"
    settings: type[BaseModel] = EmailSettings
    content: type[BaseModel] = EmailContent

    def __init__(self, client: SESV2Client) -> None:
        """The client must be built with one attempt (`total_max_attempts` 1), 3 s to connect and 10 s to read."""
        self._quota = SesQuota(client)
        self._client = client

    def account_limits(self) -> RateLimits:
        """Return the sending quota of the account and region."""
        return self._quota.read()

    def address_of(self, contact: Contact) -> str | None:
        """Return the contact's email address."""
        return contact.email

    def send(self, outgoing: OutgoingMessage) -> SendResult:
        """Send with one call. An address that SES cannot accept is refused without a call."""
        to = ascii_address(outgoing.to)
        if to is None:
            return PermanentFailure("address_not_ascii")
        try:
            return read_answer({**self._client.send_email(**build_request(outgoing, to))})
        except AWS_ERRORS as error:
            return read_error(error, str(outgoing.channel.settings.get("fromEmail", "")))

    def read_events(self, callback: ProviderCallback) -> tuple[DeliveryReport, ...]:
        """Return the reports of an SES event, as a configuration set publishes it to SNS or EventBridge."""
        return read_ses_event(read_event(callback))


def build(edges: ProviderClients) -> Email:
    """Build the channel type."""
    return Email(edges.ses)


def ascii_address(address: str) -> str | None:
    """Return the address with its domain in ASCII. None if the part before the @ is not ASCII."""
    local, _, domain = address.rpartition("@")
    try:
        return f"{local.encode('ascii').decode()}@{domain.encode('idna').decode()}"
    except UnicodeError:
        return None


def build_request(outgoing: OutgoingMessage, to: str) -> SendEmailRequestTypeDef:
    """Return the parameters of `SendEmail`. Every event returns the message uid in the tag `message`."""
    settings = outgoing.channel.settings
    request: SendEmailRequestTypeDef = {
        "FromEmailAddress": formataddr((outgoing.content.get("fromName", ""), str(settings["fromEmail"]))),
        "Destination": {"ToAddresses": [to]},
        "EmailTags": [{"Name": "message", "Value": str(outgoing.uid)}],
        "Content": {"Simple": _message(outgoing)},
    }
    if reply_to := settings.get("replyTo"):
        request["ReplyToAddresses"] = [str(reply_to)]
    if configuration_set := settings.get("configurationSet"):
        request["ConfigurationSetName"] = str(configuration_set)
    if tenant := settings.get("tenantName"):
        request["TenantName"] = str(tenant)
    return request


def _message(outgoing: OutgoingMessage) -> MessageTypeDef:
    message: MessageTypeDef = {"Subject": _utf8(outgoing.content["subject"]), "Body": _body(outgoing.content)}
    if headers := _unsubscribe_headers(outgoing.unsubscribe_url or ""):
        message["Headers"] = headers
    return message


def _unsubscribe_headers(url: str) -> list[MessageHeaderTypeDef]:
    """Return the headers of one-click unsubscribe. RFC 8058 requires https and both headers."""
    if not url.startswith("https://") or len(url) + 2 > _MAX_HEADER or not url.isascii() or not url.isprintable():
        return []
    return [{"Name": "List-Unsubscribe", "Value": f"<{url}>"}, {"Name": "List-Unsubscribe-Post", "Value": _ONE_CLICK}]


def _body(content: Mapping[str, str]) -> BodyTypeDef:
    body: BodyTypeDef = {}
    if content.get("text"):
        body["Text"] = _utf8(content["text"])
    if content.get("html"):
        body["Html"] = _utf8(content["html"])
    return body


def _utf8(text: str) -> ContentTypeDef:
    return {"Data": text, "Charset": "UTF-8"}


def read_error(error: AwsError, sender: str) -> SendResult:
    """Return the send result of a failed call."""
    return read_failure(error, partial(_explain, sender))


def _explain(sender: str, refusal: Refusal) -> SendResult | None:
    if refusal.is_throttle and "daily" in refusal.message.lower():
        return ChannelFailure("daily_quota_exceeded")
    if refusal.code in _CHANNEL_CODES:
        return ChannelFailure(refusal.code)
    names_sender = sender and "not verified" in refusal.message and sender.lower() in refusal.message.lower()
    return ChannelFailure("sender_not_verified") if refusal.code == "MessageRejected" and names_sender else None
