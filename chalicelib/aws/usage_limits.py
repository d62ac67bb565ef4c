"""Usage limits per time window: one counter that increases only while it is below the limit."""

from datetime import datetime
from typing import TYPE_CHECKING

from chalicelib.aws import key_schema as keys
from chalicelib.aws._dynamodb import ConditionFailed, translate_errors
from chalicelib.model.ids import WorkspaceUid

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoUsageLimits:
    """Implements `ports.UsageLimits` in the Catalog table. DynamoDB's time to live deletes the counters."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client, self._table = client, table

    def take(self, workspace: WorkspaceUid, name: str, until: datetime, count: int, limit: int) -> bool:
        end = int(until.timestamp())
        try:
            with translate_errors():
                self._client.update_item(
                    TableName=self._table,
                    Key={"pk": {"S": keys.usage_window(workspace, name)}, "sk": {"S": str(end)}},
                    UpdateExpression="ADD used :count SET expiresAt = :end",
                    ConditionExpression="attribute_not_exists(used) OR used <= :before",
                    ExpressionAttributeValues={
                        ":count": {"N": str(count)},
                        ":before": {"N": str(limit - count)},
                        ":end": {"N": str(end)},
                    },
                )
        except ConditionFailed:
            return False
        return True
