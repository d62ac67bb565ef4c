"""E-mail by Amazon SES (API v2, `SendEmail`)."""

from __future__ import annotations

from datetime import timedelta
from email.utils import formataddr
from typing import TYPE_CHECKING, Annotated, Self

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    ProxyConnectionError,
    ReadTimeoutError,
    SSLError,
)
from pydantic import AfterValidator, Field, model_validator

from chalicelib.model.base import Outside
from chalicelib.model.message import Accepted, ChannelFault, Permanent, Retryable, Throttled, Unknown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_sesv2 import SESV2Client
    from mypy_boto3_sesv2.type_defs import (
        BodyTypeDef,
        ContentTypeDef,
        SendEmailRequestTypeDef,
        SendEmailResponseTypeDef,
    )
    from pydantic import BaseModel

    from chalicelib.model.contact import Contact
    from chalicelib.model.message import Letter, Verdict

#: SES says of "Maximum sending rate exceeded" that it passes within seconds.
RATE_PAUSE = timedelta(seconds=1)
#: Faults of the account, its identities or its credentials.
_CHANNEL_CODES = frozenset(
    {"SendingPausedException", "AccountSuspendedException", "MailFromDomainNotVerifiedException"}
    | {"LimitExceededException", "NotFoundException", "ExpiredTokenException", "ExpiredToken"}
    | {"IncompleteSignature", "InvalidClientTokenId", "MissingAuthenticationToken", "UnrecognizedClientException"}
)
_THROTTLE_CODES = frozenset({"TooManyRequestsException", "ThrottlingException", "Throttling"})
#: A TLS fault of the handshake, so before the request was written; OpenSSL's words.
_HANDSHAKE = ("CERTIFICATE_VERIFY_FAILED", "WRONG_VERSION_NUMBER", "HANDSHAKE", "UNSUPPORTED_PROTOCOL")


def _check_address(address: str) -> str:
    # Imported here, as only the API checks settings and the import costs 18 ms.
    from email_validator import EmailNotValidError, validate_email  # noqa: PLC0415  see above

    try:
        found = validate_email(address, check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise ValueError("must be an e-mail address") from error
    if found.ascii_email is None:
        raise ValueError("must have no characters beyond ASCII before the @: SES does not take them")
    return found.ascii_email


Address = Annotated[str, Field(max_length=320), AfterValidator(_check_address)]


class EmailSettings(Outside):
    """How an e-mail channel sends; the identity must be verified in SES."""

    from_email: Address
    reply_to: Address | None = None
    #: Where SES reports deliveries, bounces and complaints.
    configuration_set: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")] | None = None
    tenant_name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")] | None = None


class EmailContent(Outside):
    """What an e-mail template is made of; each field is a template."""

    subject: Annotated[str, Field(min_length=1)]
    text: Annotated[str, Field(min_length=1)] | None = None
    html: Annotated[str, Field(min_length=1)] | None = None
    #: The name before the sender's address.
    from_name: Annotated[str, Field(max_length=500)] | None = None

    @model_validator(mode="after")
    def _has_a_body(self) -> Self:
        if self.text is None and self.html is None:
            raise ValueError("text or html is required")
        return self


class Email:
    """Amazon SES. There is no token by which it would drop a second message."""

    name: str = "email"
    settings: type[BaseModel] = EmailSettings
    content: type[BaseModel] = EmailContent
    deduplicates: bool = False
    #: 3 s to connect and 10 s to read.
    timeout: timedelta = timedelta(seconds=13)

    def __init__(self, client: SESV2Client) -> None:
        """The client must be built with one attempt (`total_max_attempts` 1), 3 s to connect and 10 s to read."""
        self._client = client

    def address_of(self, contact: Contact) -> str | None:
        """The contact's e-mail address."""
        return contact.email

    def send(self, letter: Letter) -> Verdict:
        """One call. An address that SES cannot take is refused without it."""
        to = ascii_address(letter.to)
        if to is None:
            return Permanent("address_not_ascii")
        try:
            return read_answer(self._client.send_email(**build_request(letter, to)))
        except (ClientError, BotoCoreError) as error:
            return read_error(error, str(letter.channel.settings.get("fromEmail", "")))


def ascii_address(address: str) -> str | None:
    """With its domain as SES wants it, or None where the part before the @ needs more than ASCII."""
    local, _, domain = address.rpartition("@")
    try:
        return f"{local.encode('ascii').decode()}@{domain.encode('idna').decode()}"
    except UnicodeError:
        return None


def build_request(letter: Letter, to: str) -> SendEmailRequestTypeDef:
    """The parameters of `SendEmail`; the message uid comes back in every event as the tag `message`."""
    settings = letter.channel.settings
    request: SendEmailRequestTypeDef = {
        "FromEmailAddress": formataddr((letter.content.get("fromName", ""), str(settings["fromEmail"]))),
        "Destination": {"ToAddresses": [to]},
        "EmailTags": [{"Name": "message", "Value": str(letter.uid)}],
        "Content": {"Simple": {"Subject": _utf8(letter.content["subject"]), "Body": _body(letter.content)}},
    }
    if reply_to := settings.get("replyTo"):
        request["ReplyToAddresses"] = [str(reply_to)]
    if configuration_set := settings.get("configurationSet"):
        request["ConfigurationSetName"] = str(configuration_set)
    if tenant := settings.get("tenantName"):
        request["TenantName"] = str(tenant)
    return request


def _body(content: Mapping[str, str]) -> BodyTypeDef:
    body: BodyTypeDef = {}
    if content.get("text"):
        body["Text"] = _utf8(content["text"])
    if content.get("html"):
        body["Html"] = _utf8(content["html"])
    return body


def _utf8(text: str) -> ContentTypeDef:
    return {"Data": text, "Charset": "UTF-8"}


def read_answer(answer: SendEmailResponseTypeDef) -> Verdict:
    """SES took it."""
    return Accepted(answer["MessageId"])


def read_error(error: ClientError | BotoCoreError, sender: str) -> Verdict:
    """What a failed call means for the message; providers.md has the table."""
    if isinstance(error, ClientError):
        return _read_refusal(error, sender)
    if isinstance(error, NoCredentialsError | PartialCredentialsError | CredentialRetrievalError):
        return ChannelFault("no_credentials")
    if isinstance(error, ParamValidationError):
        return Permanent("invalid_request")
    if isinstance(error, ReadTimeoutError):
        return Unknown("read_timeout")
    if _was_never_written(error):
        return Retryable(type(error).__name__)
    return Unknown(type(error).__name__)


def _was_never_written(error: BotoCoreError) -> bool:
    """No name, no connection, no TLS: the provider has not seen the request."""
    if isinstance(error, SSLError):
        return any(word in str(error).upper() for word in _HANDSHAKE)
    return isinstance(error, EndpointConnectionError | ConnectTimeoutError | ProxyConnectionError)


def _read_refusal(error: ClientError, sender: str) -> Verdict:
    code = str(error.response.get("Error", {}).get("Code", ""))
    message = str(error.response.get("Error", {}).get("Message", ""))
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if code in _THROTTLE_CODES or status == 429:
        is_quota = "daily" in message.lower()
        return ChannelFault("daily_quota_exceeded") if is_quota else Throttled(RATE_PAUSE)
    if code in _CHANNEL_CODES or status in {401, 403, 404}:
        return ChannelFault(code)
    if code == "MessageRejected" and "not verified" in message and sender and sender.lower() in message.lower():
        return ChannelFault("sender_not_verified")
    return Permanent(code) if 400 <= status < 500 else Unknown(code or f"status_{status}")
