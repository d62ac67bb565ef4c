"""How many calls a key may make in a minute: counted for all processes, in blocks, so that few calls cost a write."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from chalicelib.errors import RetryLater, TooManyRequests
from chalicelib.model.ids import WorkspaceUid
from chalicelib.ports import Ports

WINDOW = timedelta(minutes=1)
#: Calls that a process takes at a time. What it does not use is lost to the others for the rest of the minute.
BLOCK = 20
#: Keys that one process keeps in mind.
MAX_KNOWN = 1_000


@dataclass(slots=True)
class _Block:
    """What this process may still let through until the end of the minute; `spent` when there is no more at all."""

    until: datetime
    left: int = 0
    spent: bool = False


@dataclass(slots=True)
class Throttle:
    """The blocks of this process, by key."""

    _blocks: dict[str, _Block] = field(default_factory=dict)

    def pass_one(self, ports: Ports, workspace: WorkspaceUid, key: str) -> None:
        """TooManyRequests when the key's minute is used up. Where that cannot be known, the call goes on."""
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
