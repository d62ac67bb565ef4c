"""Record visits of tracked links and loads of the open pixel."""

from chalicelib.errors import NotFound
from chalicelib.model.execution import Engagement
from chalicelib.model.queued_report import LinkVisit
from chalicelib.model.signing import CLICK, OPEN, hash_url, verify_token
from chalicelib.ports import Ports


def record_open(ports: Ports, token: str) -> None:
    """Queue an open. A token with a wrong signature is ignored."""
    parts = _read(ports, OPEN, token, 5)
    if parts:
        _queue(ports, parts, Engagement.OPENED)


def record_click(ports: Ports, token: str, url: str) -> None:
    """Queue a click. Raises NotFound unless the token was signed for this URL, so that no open redirect exists."""
    parts = _read(ports, CLICK, token, 6)
    if parts is None or parts[-1] != hash_url(url):
        raise NotFound("Link", token[:12])
    _queue(ports, parts[:-1], Engagement.CLICKED)


def _read(ports: Ports, purpose: str, token: str, count: int) -> tuple[str, ...] | None:
    """Verify the token. The message uid of a fallback has one part more."""
    secret = ports.secret()
    return verify_token(secret, purpose, token, count) or verify_token(secret, purpose, token, count + 1)


def _queue(ports: Ports, parts: tuple[str, ...], engagement: Engagement) -> None:
    """Queue the visit for the receipt worker, so that the redirect does not wait for the writes."""
    visit = LinkVisit(message_uid=".".join(parts), engagement=engagement, at=ports.clock.now())
    ports.receipt_queue.send(visit.model_dump_json())
