"""Keys of executions, statistics and pacing states, and the distribution over shards."""

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
    """Return the shard of a text: the same on every machine and in every version."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest()) % shards


def execution_partition(workspace: WorkspaceUid, flow: FlowUid, shard: int) -> str:
    """Return the partition of one shard of a flow's executions."""
    return f"{workspace}#{flow}#{shard}"


def execution_key(key: ExecutionKey, shards: int) -> "dict[str, AttributeValueTypeDef]":
    """Return the key of an execution."""
    shard = shard_of(key.contact, shards)
    return {"pk": {"S": execution_partition(key.workspace, key.flow, shard)}, "sk": {"S": key.execution_id}}


def contact_key(workspace: WorkspaceUid, contact: ContactUid) -> str:
    """Return the key under which the index `byContact` lists the flows of a contact."""
    return f"{workspace}#{contact}"


def flow_partition(workspace: WorkspaceUid, flow: FlowUid) -> str:
    """Return the flow's own partition of the Catalog table.

    Removing the flow also removes its statistics and pacing state.
    """
    return f"{workspace}#{Flow.kind}#{flow}"


def to_milliseconds(moment: datetime) -> int:
    """Convert to milliseconds since 1970, rounded down."""
    return (moment - _EPOCH) // _MILLISECOND


def from_milliseconds(milliseconds: int) -> datetime:
    """Convert from milliseconds since 1970, in UTC."""
    return _EPOCH + timedelta(milliseconds=milliseconds)


def to_microseconds(moment: datetime) -> int:
    """Convert to microseconds since 1970, without rounding.

    Each rate slot is computed from the previous one, so rounding would change the rate.
    """
    return (moment - _EPOCH) // MICROSECOND


def from_microseconds(microseconds: int) -> datetime:
    """Convert from microseconds since 1970, in UTC."""
    return _EPOCH + timedelta(microseconds=microseconds)
