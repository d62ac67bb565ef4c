"""Every error of Carillon, named by who acts next.

CarillonError
├── InvalidRequest      the caller mends the request (422; MalformedRequest 400, TooLarge 413)
├── Unauthorized        the caller brings a key (401; Forbidden 403)
├── InsufficientBalance the caller pays in (402)
├── NotFound            the caller names something that is there (404)
├── Conflict            someone moved it: read again, or drop the message (409; CircuitOpen too)
├── RetryLater          the queue or the caller comes again (503; TooManyRequests 429)
└── GiveUp              the execution fails
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a request: `field` is a path like `steps[2].for`, `message` a sentence."""

    field: str
    message: str


class CarillonError(Exception):
    """Base of all; `code` is the stable word of the API's error shape."""

    code = "error"


class InvalidRequest(CarillonError):
    """The request breaks a rule; carries every problem at once."""

    code = "validation_error"

    def __init__(self, problems: Sequence[Problem], message: str = "The request is not valid") -> None:
        super().__init__(message)
        self.problems = tuple(problems)


class MalformedRequest(InvalidRequest):
    """The body cannot be read at all (not JSON, not UTF-8)."""

    code = "malformed_request"


class TooLarge(InvalidRequest):
    """The body is longer than its limit."""

    code = "payload_too_large"


class UnsupportedMediaType(InvalidRequest):
    """The content type is not one that the route reads."""

    code = "unsupported_media_type"


class Unauthorized(CarillonError):
    """No key, or none that opens anything."""

    code = "unauthorized"


class Forbidden(CarillonError):
    """The key is good, its scope too small."""

    code = "forbidden"


class InsufficientBalance(CarillonError):
    """There is no money to begin with; both sums are decimal strings."""

    code = "insufficient_balance"

    def __init__(self, balance: str, required: str) -> None:
        super().__init__(f"The balance of {balance} does not pay for one message, which needs {required}")
        self.balance, self.required = balance, required


class NotFound(CarillonError):
    """No such thing in this workspace."""

    code = "not_found"

    def __init__(self, what: str, uid: str) -> None:
        super().__init__(f"{what} {uid} was not found")
        self.what, self.uid = what, uid


class Conflict(CarillonError):
    """The thing is not in the state that the request needs; `current` and `allowed` tell what would go."""

    code = "conflict"

    def __init__(self, message: str, current: str | None = None, allowed: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.current, self.allowed = current, tuple(allowed)


class CircuitOpen(Conflict):
    """A channel lets nothing through now; `after` seconds is when it may be tried."""

    code = "circuit_open"

    def __init__(self, message: str, current: str, allowed: Sequence[str], after: int) -> None:
        super().__init__(message, current, allowed)
        self.after = after


class RetryLater(CarillonError):
    """A passing fault; `after` seconds is when to come again."""

    code = "unavailable"

    def __init__(self, message: str, after: int = 1) -> None:
        super().__init__(message)
        self.after = after


class TooManyRequests(RetryLater):
    """The key has made all the calls that it may make for now."""

    code = "too_many_requests"


class GiveUp(CarillonError):
    """The execution cannot go on, whatever is tried; `code` says why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def invalid(field: str, message: str) -> InvalidRequest:
    """One problem as an error."""
    return InvalidRequest((Problem(field, message),), message)
