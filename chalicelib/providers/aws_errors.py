"""Convert responses and errors of AWS services to send results."""

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
#: Everything that a call may raise. A response that cannot be parsed raises an error outside of botocore.
AWS_ERRORS = (ClientError, BotoCoreError, ResponseParserError)
#: Delay after a throttle of requests per second.
RATE_PAUSE = timedelta(seconds=1)
THROTTLES = frozenset(
    {"TooManyRequestsException", "ThrottlingException", "Throttling", "ThrottledException", "Throttled"}
    | {"ThrottledRequestException", "RequestLimitExceeded", "KMSThrottling", "KMSThrottlingException"}
)
#: Faults of the credentials, the same for all services.
_CREDENTIALS = frozenset(
    {"ExpiredTokenException", "ExpiredToken", "IncompleteSignature", "InvalidClientTokenId"}
    | {"InvalidSignatureException", "MissingAuthenticationToken", "SignatureDoesNotMatch"}
    | {"UnrecognizedClientException"}
)
#: OpenSSL's words for a fault of the TLS handshake, which comes before the request is written.
_HANDSHAKE = ("CERTIFICATE_VERIFY_FAILED", "WRONG_VERSION_NUMBER", "HANDSHAKE", "UNSUPPORTED_PROTOCOL")


@dataclass(frozen=True, slots=True)
class Refusal:
    """The error response of a service. `reason` is empty if the service has no such field."""

    code: str
    message: str
    reason: str
    status: int

    @property
    def is_throttle(self) -> bool:
        """True if the service throttles, under any of its names for that."""
        return self.code in THROTTLES or self.status == 429


def read_answer(answer: Mapping[str, object], name: str = "MessageId") -> SendResult:
    """Return Accepted. `name` is the response field that holds the id of the message."""
    provider_id = answer.get(name)
    return Accepted(str(provider_id)) if provider_id else OutcomeUnknown("no_message_id")


def read_failure(error: AwsError, explain: Callable[[Refusal], SendResult | None]) -> SendResult:
    """Return the send result of a failed call. `explain` maps codes of the service; None: use the common meaning."""
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
    details = error.response.get("Error", {})
    return Refusal(
        code=str(details.get("Code", "")),
        message=str(details.get("Message", "")),
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
    """Report whether the call failed before the request was written: at DNS, connection or TLS."""
    if isinstance(error, SSLError):
        return any(word in str(error).upper() for word in _HANDSHAKE)
    return isinstance(error, EndpointConnectionError | ConnectTimeoutError | ProxyConnectionError)
