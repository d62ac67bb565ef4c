"""Consent history in the Contacts table: one item per change, below its contact."""

from itertools import islice
from typing import TYPE_CHECKING

from chalicelib.aws import key_schema as keys
from chalicelib.aws._dynamodb import batch_write, build_doc, encode_cursor, key_after, query, read_document
from chalicelib.model.base import rfc3339
from chalicelib.model.consent import ConsentRecord
from chalicelib.model.contact import Contact
from chalicelib.model.ids import ContactUid, WorkspaceUid
from chalicelib.ports import Page

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, QueryInputTypeDef

_KEY = frozenset({"pk", "sk"})


def build_consent(
    workspace: WorkspaceUid, contact: Contact, record: ConsentRecord
) -> "dict[str, AttributeValueTypeDef]":
    """Build the item of a change, written in the transaction that stores this state of the contact."""
    sort = keys.consent_sort(rfc3339(record.at), contact.rev, record.channel_type, record.message_type)
    return {"pk": {"S": keys.consents(workspace, contact.uid)}, "sk": {"S": sort}, "doc": build_doc(record)}


class DynamoConsents:
    """Implements `ports.Consents` on DynamoDB."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client, self._table = client, table

    def page(self, workspace: WorkspaceUid, contact: ContactUid, limit: int, cursor: str | None) -> Page[ConsentRecord]:
        pk = keys.consents(workspace, contact)
        request: QueryInputTypeDef = {**self._of_contact(pk), "ScanIndexForward": False, "Limit": limit + 1}
        items = list(islice(query(self._client, request, key_after(cursor, _KEY, {"pk": pk})), limit + 1))
        behind = {name: items[limit - 1][name] for name in _KEY} if len(items) > limit else None
        records = (read_document(ConsentRecord, item["doc"]["S"]) for item in items[:limit])
        return Page(tuple(records), encode_cursor(behind))

    def remove_all(self, workspace: WorkspaceUid, contact: ContactUid) -> None:
        request = self._of_contact(keys.consents(workspace, contact))
        found = query(self._client, {**request, "ProjectionExpression": "pk, sk"})
        places = [{"pk": item["pk"], "sk": item["sk"]} for item in found]
        batch_write(self._client, self._table, [{"DeleteRequest": {"Key": place}} for place in places])

    def _of_contact(self, pk: str) -> "QueryInputTypeDef":
        return {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": {"S": pk}},
            "ConsistentRead": True,
        }
