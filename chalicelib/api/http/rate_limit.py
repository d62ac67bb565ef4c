"""Rate limit of an API key per minute, shared by all processes. Requests are taken in blocks to save writes."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from chalicelib.errors import RetryLater, TooManyRequests
from chalicelib.model.ids import WorkspaceUid
from chalicelib.ports import Ports

WINDOW = timedelta(minutes=1)
#: Requests that a process reserves at a time. Unused ones are lost for the rest of the minute.
BLOCK = 20
#: Number of keys that a process remembers.
MAX_KNOWN = 1_000


@dataclass(slots=True)
class _Block:
    """Requests that this process may still accept in the current minute. `spent`: the key has used its limit."""

    until: datetime
    left: int = 0
    spent: bool = False


@dataclass(slots=True)
class Throttle:
    """The reserved blocks of this process, by key."""

    _blocks: dict[str, _Block] = field(default_factory=dict)

    def pass_one(self, ports: Ports, workspace: WorkspaceUid, key: str) -> None:
        """Count a request. Raises TooManyRequests above the limit. If the counter is down, the request passes."""
        now = ports.clock.real()
        block = self._block(key, now)
        if block.left == 0 and not block.spent:
            self._take(ports, workspace, key, block)
        if block.spent and block.left == 0:
            after = max(1, round((block.until - now).total_seconds()))
            raise TooManyRequests(f"More than {ports.calls_a_minute} calls a minute by one key", after)
        block.left -= 1

    def _block(self, key: str, now: datetime) -> _Block:
        until = datetime.fromtimestamp((now.timestamp() // 60 + 1) * 60, UTC)
        known = self._blocks.get(key)
        if known is None or known.until != until:
            if len(self._blocks) >= MAX_KNOWN:
                self._blocks.clear()
            known = self._blocks[key] = _Block(until)
        return known

    def _take(self, ports: Ports, workspace: WorkspaceUid, key: str, block: _Block) -> None:
        size = min(BLOCK, ports.calls_a_minute)
        try:
            granted = ports.usage_limits.take(workspace, key, block.until, size, ports.calls_a_minute)
        except RetryLater:
            granted = True
        block.left, block.spent = (size, False) if granted else (0, True)
