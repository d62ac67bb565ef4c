"""Usage limits in a dict."""

from datetime import datetime

from chalicelib.model.ids import WorkspaceUid


class MemoryUsageLimits:
    """Implements `ports.UsageLimits` in memory."""

    def __init__(self) -> None:
        self.used: dict[tuple[WorkspaceUid, str, datetime], int] = {}

    def take(self, workspace: WorkspaceUid, name: str, until: datetime, count: int, limit: int) -> bool:
        used = self.used.get((workspace, name, until), 0)
        if used and used + count > limit:
            return False
        self.used[workspace, name, until] = used + count
        return True
