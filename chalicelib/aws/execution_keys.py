"""Keys of rows, of a flow's statistics and gate, and how they spread over shards."""

from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import TYPE_CHECKING

from chalicelib.model.execution import ExecutionKey
from chalicelib.model.flow import Flow
from chalicelib.model.ids import ContactUid, FlowUid, WorkspaceUid

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
MICROSECOND = timedelta(microseconds=1)


def shard_of(text: str, shards: int) -> int:
    """Always the same shard for the same text, on every machine and in every version."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest()) % shards


def row_partition(workspace: WorkspaceUid, flow: FlowUid, shard: int) -> str:
    """Where the rows of one shard of a flow lie."""
    return f"{workspace}#{flow}#{shard}"


def row_key(key: ExecutionKey, shards: int) -> "dict[str, AttributeValueTypeDef]":
    """The key of a row."""
    shard = shard_of(key.contact, shards)
    return {"pk": {"S": row_partition(key.workspace, key.flow, shard)}, "sk": {"S": key.execution_id}}


def contact_key(workspace: WorkspaceUid, contact: ContactUid) -> str:
    """Under which the index `byContact` keeps the flows of a contact."""
    return f"{workspace}#{contact}"


def flow_partition(workspace: WorkspaceUid, flow: FlowUid) -> str:
    """The flow's own partition of the Catalog: whoever removes the flow there removes statistics and gate too."""
    return f"{workspace}#{Flow.kind}#{flow}"


def to_milliseconds(moment: datetime) -> int:
    """Since 1970, rounded down."""
    return (moment - _EPOCH) // _MILLISECOND


def from_milliseconds(milliseconds: int) -> datetime:
    """The moment, in UTC."""
    return _EPOCH + timedelta(milliseconds=milliseconds)


def to_microseconds(moment: datetime) -> int:
    """Since 1970, exactly: slots follow from slots, and rounded ones would change a rate."""
    return (moment - _EPOCH) // MICROSECOND


def from_microseconds(microseconds: int) -> datetime:
    """The moment, in UTC."""
    return _EPOCH + timedelta(microseconds=microseconds)
