"""Notes what a contact did with a message, by the links that lead by way of us."""

from chalicelib.errors import NotFound
from chalicelib.model.execution import Engagement
from chalicelib.model.queued_report import LinkVisit
from chalicelib.model.signing import CLICK, OPEN, hash_url, verify_token
from chalicelib.ports import Ports


def record_open(ports: Ports, token: str) -> None:
    """Harmless for a token that is not ours, and for a message that was forgotten."""
    parts = _read(ports, OPEN, token, 5)
    if parts:
        _queue(ports, parts, Engagement.OPENED)


def record_click(ports: Ports, token: str, url: str) -> None:
    """NotFound unless the token was signed for this very URL: nobody is led elsewhere by our name."""
    parts = _read(ports, CLICK, token, 6)
    if parts is None or parts[-1] != hash_url(url):
        raise NotFound("Link", token[:12])
    _queue(ports, parts[:-1], Engagement.CLICKED)


def _read(ports: Ports, purpose: str, token: str, count: int) -> tuple[str, ...] | None:
    """A fallback's message uid has a part more."""
    secret = ports.secret()
    return verify_token(secret, purpose, token, count) or verify_token(secret, purpose, token, count + 1)


def _queue(ports: Ports, parts: tuple[str, ...], engagement: Engagement) -> None:
    """The contact is led on at once; what follows from it is the worker's."""
    followed = LinkVisit(message_uid=".".join(parts), engagement=engagement, at=ports.clock.now())
    ports.receipt_queue.send(followed.model_dump_json())
