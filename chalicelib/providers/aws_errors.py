"""What an answer of AWS, or a call that failed, means for a message; services differ only in their own codes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

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
from botocore.parsers import ResponseParserError

from chalicelib.model.message import (
    Accepted,
    ChannelFailure,
    OutcomeUnknown,
    PermanentFailure,
    Throttled,
    TransientFailure,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from chalicelib.model.message import SendResult

AwsError = ClientError | BotoCoreError | ResponseParserError
#: All that a call raises; an answer that cannot be parsed is none of botocore's own errors.
AWS_ERRORS = (ClientError, BotoCoreError, ResponseParserError)
#: A throttle of requests a second passes within seconds.
RATE_PAUSE = timedelta(seconds=1)
THROTTLES = frozenset(
    {"TooManyRequestsException", "ThrottlingException", "Throttling", "ThrottledException", "Throttled"}
    | {"ThrottledRequestException", "RequestLimitExceeded", "KMSThrottling", "KMSThrottlingException"}
)
#: Faults of the credentials, whatever the service.
_CREDENTIALS = frozenset(
    {"ExpiredTokenException", "ExpiredToken", "IncompleteSignature", "InvalidClientTokenId"}
    | {"InvalidSignatureException", "MissingAuthenticationToken", "SignatureDoesNotMatch"}
    | {"UnrecognizedClientException"}
)
#: A TLS fault of the handshake, so before the request was written; OpenSSL's words.
_HANDSHAKE = ("CERTIFICATE_VERIFY_FAILED", "WRONG_VERSION_NUMBER", "HANDSHAKE", "UNSUPPORTED_PROTOCOL")


@dataclass(frozen=True, slots=True)
class Refusal:
    """A service's error answer; `reason` only where its model has one."""

    code: str
    message: str
    reason: str
    status: int

    @property
    def is_throttle(self) -> bool:
        """Too fast, whatever the service calls it."""
        return self.code in THROTTLES or self.status == 429


def read_answer(answer: Mapping[str, object], name: str = "MessageId") -> SendResult:
    """AWS took it; `name` is what the service calls its id."""
    provider_id = answer.get(name)
    return Accepted(str(provider_id)) if provider_id else OutcomeUnknown("no_message_id")


def read_failure(error: AwsError, explain: Callable[[Refusal], SendResult | None]) -> SendResult:
    """`explain` says what the service's own codes mean, and None for those that mean what they always do."""
    if isinstance(error, ClientError):
        refusal = _read_refusal(error)
        return explain(refusal) or _read_usual(refusal)
    if isinstance(error, NoCredentialsError | PartialCredentialsError | CredentialRetrievalError):
        return ChannelFailure("no_credentials")
    if isinstance(error, ParamValidationError):
        return PermanentFailure("invalid_request")
    if isinstance(error, ReadTimeoutError):
        return OutcomeUnknown("read_timeout")
    if _was_never_written(error):
        return TransientFailure(type(error).__name__, unreached=True)
    return OutcomeUnknown(type(error).__name__)


def _read_refusal(error: ClientError) -> Refusal:
    told = error.response.get("Error", {})
    return Refusal(
        code=str(told.get("Code", "")),
        message=str(told.get("Message", "")),
        reason=str(error.response.get("Reason", "")),
        status=int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)),
    )


def _read_usual(refusal: Refusal) -> SendResult:
    if refusal.is_throttle:
        return Throttled(RATE_PAUSE)
    code = refusal.reason or refusal.code
    if refusal.code in _CREDENTIALS or refusal.status in {401, 403, 404}:
        return ChannelFailure(code)
    return PermanentFailure(code) if 400 <= refusal.status < 500 else OutcomeUnknown(code or f"status_{refusal.status}")


def _was_never_written(error: AwsError) -> bool:
    """No name, no connection, no TLS: the provider has not seen the request."""
    if isinstance(error, SSLError):
        return any(word in str(error).upper() for word in _HANDSHAKE)
    return isinstance(error, EndpointConnectionError | ConnectTimeoutError | ProxyConnectionError)
