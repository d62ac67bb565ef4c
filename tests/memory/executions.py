"""Executions in a dict."""

from collections.abc import Sequence
from dataclasses import replace
from zlib import crc32

from chalicelib.errors import invalid
from chalicelib.model.execution import DeliveryReceipt, Execution, ExecutionKey
from chalicelib.model.ids import ContactUid, FlowUid, NodeId, WorkspaceUid, is_uid
from chalicelib.ports import ExpectClaimedBy, ExpectUnclaimed, Page, Save


class MemoryExecutions:
    """Implements `ports.Executions` in memory; `stored` holds all executions."""

    def __init__(self) -> None:
        self.stored: dict[ExecutionKey, Execution] = {}
        #: Executions before their last write, which an eventually consistent read may return.
        self.previous: dict[ExecutionKey, Execution] = {}
        #: Mark of the last save of each execution.
        self.marks: dict[ExecutionKey, str] = {}
        #: Number of shards of each flow; 1 if a test stored the executions directly.
        self.shards: dict[tuple[WorkspaceUid, FlowUid], int] = {}

    def find_many(self, keys: Sequence[ExecutionKey], shards: int, strong: bool) -> dict[ExecutionKey, Execution]:
        return {key: self.stored[key] for key in keys if key in self.stored}

    def find_entries(
        self, workspace: WorkspaceUid, flow: FlowUid, contact: ContactUid, shards: int, limit: int
    ) -> tuple[Execution, ...]:
        found = [
            execution
            for key, execution in self.stored.items()
            if (key.workspace, key.flow, key.contact) == (workspace, flow, contact)
        ]
        return tuple(sorted(found, key=lambda execution: execution.key.entry, reverse=True)[:limit])

    def enrol_many(self, executions: Sequence[Execution], shards: int) -> tuple[ExecutionKey, ...]:
        new = {execution.key: execution for execution in executions if execution.key not in self.stored}
        self.stored.update(new)
        self.shards.update(((key.workspace, key.flow), shards) for key in new)
        return tuple(new)

    def save_many(self, saves: Sequence[Save], shards: int) -> tuple[bool | None, ...]:
        return tuple(self._save(save) for save in saves)

    def _save(self, save: Save) -> bool:
        stored = self.stored.get(save.execution.key)
        if stored is None:
            return False
        wanted = replace(save.execution, receipts=stored.receipts)
        if not _holds(stored, save.expect):
            return stored == wanted and self.marks.get(stored.key) == save.mark
        self.previous[stored.key] = stored
        self.stored[stored.key], self.marks[stored.key] = wanted, save.mark
        return True

    def put_receipt(
        self, key: ExecutionKey, shards: int, node: NodeId, receipt: DeliveryReceipt
    ) -> tuple[Execution, Execution] | None:
        before = self.stored.get(key)
        if before is None:
            return None
        known = before.receipts.get(node)
        if known and known.rank >= receipt.rank:
            return None
        self.previous[key] = before
        after = self.stored[key] = replace(before, receipts={**before.receipts, node: receipt})
        return before, after

    def page(
        self, workspace: WorkspaceUid, flow: FlowUid, shard: int, limit: int, cursor: str | None
    ) -> Page[Execution]:
        if cursor is not None and not is_uid(cursor.partition("#")[0]):
            raise invalid("cursor", "Invalid cursor: pass the cursor of the previous page of this list")
        shards = self.shards.get((workspace, flow), 1)
        executions = sorted(
            (execution for key, execution in self.stored.items() if (key.workspace, key.flow) == (workspace, flow)),
            key=lambda execution: execution.key.execution_id,
        )
        executions = [execution for execution in executions if crc32(execution.key.contact.encode()) % shards == shard]
        rest = [execution for execution in executions if cursor is None or execution.key.execution_id > cursor]
        return Page(tuple(rest[:limit]), rest[limit - 1].key.execution_id if len(rest) > limit else None)

    def find_flows(self, workspace: WorkspaceUid, contact: ContactUid) -> tuple[FlowUid, ...]:
        flows = (key.flow for key in self.stored if (key.workspace, key.contact) == (workspace, contact))
        return tuple(sorted(flows, reverse=True))

    def remove_many(self, keys: Sequence[ExecutionKey], shards: int) -> None:
        for key in keys:
            self.stored.pop(key, None)


def _holds(stored: Execution, expect: ExpectUnclaimed | ExpectClaimedBy) -> bool:
    claim = stored.claim
    if isinstance(expect, ExpectClaimedBy):
        return claim is not None and claim.by == expect.attempt
    is_free = claim is None or claim.until <= expect.real_now
    return stored.seq == expect.seq and stored.is_open and is_free
