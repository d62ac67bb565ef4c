"""Items of events below their contact, and of the markers that make event ids unique."""

from typing import TYPE_CHECKING

from chalicelib.aws import key_schema as keys
from chalicelib.aws._dynamodb import Item, build_doc, read_document
from chalicelib.model.base import rfc3339
from chalicelib.model.event import EVENT_LIFE, Event
from chalicelib.model.ids import WorkspaceUid

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

#: The sparse index `news` gets two writes for each change of a contact that has a subscriber. Its sort key is the time,
#: along which DynamoDB does not split a partition. 16 shards take 8,000 changes a second over all workspaces.
OUTBOX_SHARDS = 16


def event_key(workspace: WorkspaceUid, event: Event) -> "dict[str, AttributeValueTypeDef]":
    """Return the key of an event: below its contact, ordered by time."""
    sort = keys.event_sort(rfc3339(event.occurred_at), event.id)
    return {"pk": {"S": keys.history(workspace, event.contact_uid)}, "sk": {"S": sort}}


def build_event(workspace: WorkspaceUid, event: Event) -> "dict[str, AttributeValueTypeDef]":
    """Build the item of an event."""
    return {**event_key(workspace, event), "name": {"S": event.name}, "doc": build_doc(event), **_expiry(event)}


def build_unpublished(workspace: WorkspaceUid, event: Event) -> "dict[str, AttributeValueTypeDef]":
    """Build the item of an unpublished event, which the scheduled task finds until the event is stored again without
    this mark.
    """
    item = build_event(workspace, event)
    item["newsKey"] = {"S": keys.outbox(keys.shard_of(event.contact_uid) % OUTBOX_SHARDS)}
    item["newsAt"] = {"S": rfc3339(event.occurred_at)}
    return item


def blank_event(item: Item) -> "dict[str, AttributeValueTypeDef]":
    """Build the item that replaces an event and keeps only its name and time."""
    event = read_event(item).model_copy(update={"id": item["sk"]["S"].rpartition("#")[2], "properties": {}})
    others = {name: value for name, value in item.items() if name not in {"newsKey", "newsAt"}}
    return {**others, "doc": build_doc(event)}


def build_event_marker(workspace: WorkspaceUid, event: Event) -> "dict[str, AttributeValueTypeDef]":
    """Build the item that reserves the event's id. It holds the position of the event, and nothing of its content."""
    place = event_key(workspace, event)
    key = {"pk": {"S": keys.event_id(workspace, event.id)}, "sk": {"S": keys.META}}
    return {**key, "contactPk": place["pk"], "place": place["sk"], **_expiry(event)}


def read_event(item: Item) -> Event:
    """Parse an event."""
    return read_document(Event, item["doc"]["S"])


def _expiry(event: Event) -> "dict[str, AttributeValueTypeDef]":
    return {"expiresAt": {"N": str(int((event.occurred_at + EVENT_LIFE).timestamp()))}}
