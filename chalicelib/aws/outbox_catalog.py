"""The Catalog that stores what webhooks are to be told of a move of a flow, or of a notice, in the same transaction.

So no place can forget it, and no crash can come between what happened and its news.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from chalicelib.aws.catalog import DynamoCatalog
from chalicelib.core.notifications.webhook_events import News, flow_events, write_body
from chalicelib.errors import RetryLater
from chalicelib.model.alert import Alert
from chalicelib.model.base import StoredDocument
from chalicelib.model.flow import Flow
from chalicelib.model.ids import WorkspaceUid, new_uid
from chalicelib.model.webhook import WEBHOOKS, WebhookDelivery, Webhooks
from chalicelib.ports import Clock

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Tell = Callable[[WorkspaceUid, Sequence[str]], None]


class OutboxCatalog(DynamoCatalog):
    """`tell` hands new deliveries on at once; what it loses is found by the clock, as they are due."""

    def __init__(self, client: "DynamoDBClient", table: str, clock: Clock, tell: Tell) -> None:
        super().__init__(client, table)
        self._clock, self._tell = clock, tell

    def beside(self, workspace: WorkspaceUid, document: StoredDocument) -> Sequence[StoredDocument]:
        """The deliveries of this move or notice; one read where nobody listens."""
        if not isinstance(document, Flow | Alert):
            return ()
        webhooks = self.find(workspace, Webhooks, WEBHOOKS)
        if webhooks is None or not webhooks.names:
            return ()
        told = self._news_of(workspace, document)
        now = self._clock.now()
        return [
            WebhookDelivery(
                uid=new_uid(),
                created_at=now,
                updated_at=now,
                webhook_uid=each.uid,
                event=news[0],
                body=write_body(news, now),
                due=now,
            )
            for news in told
            for each in webhooks.entries
            if each.wants(news[0])
        ]

    def _news_of(self, workspace: WorkspaceUid, document: Flow | Alert) -> Sequence[News]:
        if isinstance(document, Alert):
            return [(document.name, document.data)]
        return list(flow_events(self.find(workspace, Flow, document.uid), document))

    def stored(self, workspace: WorkspaceUid, beside: Sequence[StoredDocument]) -> None:
        with suppress(RetryLater):
            self._tell(workspace, [each.uid for each in beside])
