"""Events in the Contacts table: one item per event below its contact, and one marker per event id."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING

from chalicelib.aws import key_schema as keys
from chalicelib.aws._dynamodb import ConditionFailed, batch_write, encode_cursor, key_after, query, translate_errors
from chalicelib.aws.event_codec import OUTBOX_SHARDS, blank_event, build_event, build_event_marker, read_event
from chalicelib.model.base import rfc3339
from chalicelib.model.event import Event, Histories, HistoryQuery
from chalicelib.model.ids import ContactUid, WorkspaceUid
from chalicelib.ports import Page, StoredEvent

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, QueryInputTypeDef

#: Parallel queries when many contacts are read; a query is mostly waiting.
READERS = 8
_KEY = frozenset({"pk", "sk"})


class DynamoEvents:
    """Implements `ports.Events` on DynamoDB."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client, self._table = client, table

    def add_many(self, workspace: WorkspaceUid, events: Sequence[Event]) -> tuple[StoredEvent, ...]:
        """Reserve the ids first: the event stored under an id is then always the same, however often it is reported."""
        stored = tuple(StoredEvent(event, self._is_unprocessed(workspace, event)) for event in events)
        items = {each.event.id: build_event(workspace, each.event) for each in stored if each.is_unprocessed}
        batch_write(self._client, self._table, [{"PutRequest": {"Item": item}} for item in items.values()])
        return stored

    def _is_unprocessed(self, workspace: WorkspaceUid, event: Event) -> bool:
        reminder = build_event_marker(workspace, event)
        try:
            with translate_errors():
                self._client.put_item(
                    TableName=self._table,
                    Item=reminder,
                    ConditionExpression="attribute_not_exists(pk)",
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
        except ConditionFailed as failed:
            stored = failed.item or {}
            same = all(stored.get(name) == reminder[name] for name in ("contactPk", "place"))
            return same and "finished" not in stored
        return True

    def finish(self, workspace: WorkspaceUid, events: Sequence[Event]) -> None:
        items = {event.id: {**build_event_marker(workspace, event), "finished": {"BOOL": True}} for event in events}
        batch_write(self._client, self._table, [{"PutRequest": {"Item": item}} for item in items.values()])

    def page(
        self, workspace: WorkspaceUid, contact: ContactUid, names: frozenset[str] | None, limit: int, cursor: str | None
    ) -> Page[Event]:
        pk = keys.history(workspace, contact)
        found = query(self._client, self._of_contact(pk), key_after(cursor, _KEY, {"pk": pk}))
        wanted = (item for item in found if names is None or item["name"]["S"] in names)
        items = list(islice(wanted, limit + 1))
        behind = {name: items[limit - 1][name] for name in _KEY} if len(items) > limit else None
        return Page(tuple(read_event(item) for item in items[:limit]), encode_cursor(behind))

    def find_many(self, workspace: WorkspaceUid, contacts: Sequence[ContactUid], wanted: HistoryQuery) -> Histories:
        def read(contact: ContactUid) -> tuple[Event, ...]:
            found = query(self._client, self._of_contact(keys.history(workspace, contact), wanted.since))
            named = (item for item in found if item["name"]["S"] in wanted.names)
            return tuple(read_event(item) for item in islice(named, wanted.limit))

        with ThreadPoolExecutor(READERS) as pool:
            return dict(zip(contacts, pool.map(read, contacts), strict=True))

    def _of_contact(self, pk: str, since: datetime | None = None) -> "QueryInputTypeDef":
        values: dict[str, AttributeValueTypeDef] = {":pk": {"S": pk}}
        if since is not None:
            values[":since"] = {"S": rfc3339(since)}
        return {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :pk" if since is None else "pk = :pk AND sk >= :since",
            "ExpressionAttributeValues": values,
            "ScanIndexForward": False,
            "ConsistentRead": True,
        }

    def find_unpublished(self, before: datetime) -> Iterator[tuple[WorkspaceUid, Event]]:
        for shard in range(OUTBOX_SHARDS):
            request: QueryInputTypeDef = {
                "TableName": self._table,
                "IndexName": "news",
                "KeyConditionExpression": "newsKey = :key AND newsAt < :before",
                "ExpressionAttributeValues": {":key": {"S": keys.outbox(shard)}, ":before": {"S": rfc3339(before)}},
            }
            for item in query(self._client, request):
                yield WorkspaceUid(item["pk"]["S"].partition("#")[0]), read_event(item)

    def anonymise_all(self, workspace: WorkspaceUid, contact: ContactUid) -> None:
        """Replace each event under its key, which contains a hash of its id."""
        found = query(self._client, self._of_contact(keys.history(workspace, contact)))
        batch_write(self._client, self._table, [{"PutRequest": {"Item": blank_event(item)}} for item in found])

    def remove_all(self, workspace: WorkspaceUid, contact: ContactUid) -> None:
        request = self._of_contact(keys.history(workspace, contact))
        found = query(self._client, {**request, "ProjectionExpression": "pk, sk"})
        places = [{"pk": item["pk"], "sk": item["sk"]} for item in found]
        batch_write(self._client, self._table, [{"DeleteRequest": {"Key": place}} for place in places])
