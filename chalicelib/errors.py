"""All errors of Carillon, named by who must act.

CarillonError
├── InvalidRequest      the caller corrects the request (422; MalformedRequest 400, TooLarge 413)
├── Unauthorized        the caller sends a valid key (401; Forbidden 403)
├── InsufficientBalance the caller tops up the balance (402)
├── NotFound            the caller names an existing object (404)
├── Conflict            the caller reads the object again (409; also CircuitOpen)
├── RetryLater          the queue or the caller repeats the request (503; TooManyRequests 429)
└── GiveUp              the execution fails
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem of a request. `field` is a path such as `steps[2].for`, `message` a sentence."""

    field: str
    message: str


class CarillonError(Exception):
    """Base class. `code` is the stable `error` field of an error response."""

    code = "error"


class InvalidRequest(CarillonError):
    """The request breaks a rule. Carries all problems."""

    code = "validation_error"

    def __init__(self, problems: Sequence[Problem], message: str = "The request is not valid") -> None:
        super().__init__(message)
        self.problems = tuple(problems)


class MalformedRequest(InvalidRequest):
    """The body cannot be parsed: it is not JSON or not UTF-8."""

    code = "malformed_request"


class TooLarge(InvalidRequest):
    """The body exceeds its limit."""

    code = "payload_too_large"


class UnsupportedMediaType(InvalidRequest):
    """The route does not accept the content type."""

    code = "unsupported_media_type"


class Unauthorized(CarillonError):
    """The key is missing or unknown."""

    code = "unauthorized"


class Forbidden(CarillonError):
    """The key is valid, but its scope is too small."""

    code = "forbidden"


class InsufficientBalance(CarillonError):
    """The balance does not cover the first message. Both amounts are decimal strings."""

    code = "insufficient_balance"

    def __init__(self, balance: str, required: str) -> None:
        super().__init__(f"The balance of {balance} does not pay for one message, which needs {required}")
        self.balance, self.required = balance, required


class NotFound(CarillonError):
    """The workspace has no object of this kind with this uid."""

    code = "not_found"

    def __init__(self, kind: str, uid: str) -> None:
        super().__init__(f"{kind} {uid} was not found")
        self.kind, self.uid = kind, uid


class Conflict(CarillonError):
    """The object is not in a state that allows the request. `allowed` names the states that do."""

    code = "conflict"

    def __init__(self, message: str, current: str | None = None, allowed: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.current, self.allowed = current, tuple(allowed)


class CircuitOpen(Conflict):
    """The circuit of a channel is open. It may be tried again in `after` seconds."""

    code = "circuit_open"

    def __init__(self, message: str, current: str, allowed: Sequence[str], after: int) -> None:
        super().__init__(message, current, allowed)
        self.after = after


class RetryLater(CarillonError):
    """A temporary fault. The request may be repeated in `after` seconds."""

    code = "unavailable"

    def __init__(self, message: str, after: int = 1) -> None:
        super().__init__(message)
        self.after = after


class TooManyRequests(RetryLater):
    """The key has used up its requests for now."""

    code = "too_many_requests"


class GiveUp(CarillonError):
    """The execution cannot continue, so it fails with the reason `code`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def invalid(field: str, message: str) -> InvalidRequest:
    """Build the error for one problem."""
    return InvalidRequest((Problem(field, message),), message)
