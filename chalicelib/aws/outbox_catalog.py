"""A catalog with a transactional outbox: webhook deliveries are stored in the transaction of the change they describe.

A crash cannot separate the change of a flow, or an alert, from its webhook deliveries.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from chalicelib.aws.catalog import DynamoCatalog
from chalicelib.core.notifications.webhook_events import deliveries_of
from chalicelib.errors import RetryLater
from chalicelib.model.alert import Alert
from chalicelib.model.base import StoredDocument
from chalicelib.model.flow import Flow
from chalicelib.model.ids import WorkspaceUid
from chalicelib.model.webhook import WEBHOOKS, Webhooks
from chalicelib.ports import Clock

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

ScheduleDeliveries = Callable[[WorkspaceUid, Sequence[str]], None]


class OutboxCatalog(DynamoCatalog):
    """Stores webhook deliveries in the transaction of a change.

    `schedule` requests new deliveries immediately. If a request is lost, the scheduled task finds the delivery when it
    is due.
    """

    def __init__(self, client: "DynamoDBClient", table: str, clock: Clock, schedule: ScheduleDeliveries) -> None:
        super().__init__(client, table)
        self._clock, self._schedule = clock, schedule

    def outbox_documents(self, workspace: WorkspaceUid, document: StoredDocument) -> Sequence[StoredDocument]:
        """Return the webhook deliveries to store with the document. Costs one read where no webhook is registered."""
        if not isinstance(document, Flow | Alert):
            return ()
        webhooks = self.find(workspace, Webhooks, WEBHOOKS)
        if webhooks is None or not webhooks.names:
            return ()
        before = self.find(workspace, Flow, document.uid) if isinstance(document, Flow) else None
        return deliveries_of(document, before, webhooks, self._clock.now())

    def outbox_stored(self, workspace: WorkspaceUid, outbox: Sequence[StoredDocument]) -> None:
        with suppress(RetryLater):
            self._schedule(workspace, [each.uid for each in outbox])
