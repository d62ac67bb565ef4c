"""The port of executions."""

from collections.abc import Sequence
from typing import Protocol

from chalicelib.model.execution import DeliveryReceipt, Execution, ExecutionKey
from chalicelib.model.ids import ContactUid, FlowUid, NodeId, WorkspaceUid
from chalicelib.ports.conditional_save import Save
from chalicelib.ports.pages import Page


class Executions(Protocol):
    """Executions by flow and by contact. `shards` is `Flow.shards`, over which a flow's executions are spread."""

    def find_many(self, keys: Sequence[ExecutionKey], shards: int, strong: bool) -> dict[ExecutionKey, Execution]:
        """Return the executions that exist.

        An eventually consistent read (`strong=False`) costs half and may miss recent writes.
        """

    def find_entries(
        self, workspace: WorkspaceUid, flow: FlowUid, contact: ContactUid, shards: int, limit: int
    ) -> tuple[Execution, ...]:
        """Return the executions of a contact in a flow, newest entry first; strongly consistent."""

    def enrol_many(self, executions: Sequence[Execution], shards: int) -> tuple[ExecutionKey, ...]:
        """Insert executions that do not exist yet and return their keys; existing ones stay unchanged."""

    def save_many(self, saves: Sequence[Save], shards: int) -> tuple[bool | None, ...]:
        """Save each execution by a conditional write; return the results in order.

        True: saved, or found to be saved after a lost response. False: the condition failed. None: undecided, because
        the store is throttled or its responses were lost; the execution may have been written.
        """

    def put_receipt(
        self, key: ExecutionKey, shards: int, node: NodeId, receipt: DeliveryReceipt
    ) -> tuple[Execution, Execution] | None:
        """Store the receipt of one message if it ranks above the stored one; return the execution before and after.

        None if the receipt is known or ranks lower, or if there is no such execution.
        """

    def page(
        self, workspace: WorkspaceUid, flow: FlowUid, shard: int, limit: int, cursor: str | None
    ) -> Page[Execution]:
        """List the executions of one shard in key order; strongly consistent."""

    def find_flows(self, workspace: WorkspaceUid, contact: ContactUid) -> tuple[FlowUid, ...]:
        """Return the flows that the contact has entered, newest first; eventually consistent."""

    def remove_many(self, keys: Sequence[ExecutionKey], shards: int) -> None:
        """Delete executions; missing ones are no error."""
