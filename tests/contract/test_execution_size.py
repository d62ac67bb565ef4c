"""Size of an execution by the size rule of DynamoDB."""

from dataclasses import replace
from typing import Any

from chalicelib.aws.executions import DynamoExecutions
from chalicelib.model.execution import (
    DeliveryReceipt,
    Engagement,
    ExecutionKey,
    MessageOutcome,
    MessageResult,
    NodeVisit,
)
from chalicelib.model.ids import ContactUid, FlowUid, NodeId, WorkspaceUid
from tests.contract.emulators import ProvisionedAws
from tests.contract.execution_builders import LEASE, SEND, SHARDS, execution_of, free
from tests.contract.test_executions import save
from tests.memory.clock import START


def size_of(value: Any) -> int:
    """Return the size in bytes: text in UTF-8, numbers with two digits a byte, maps and lists 3 + 1 an entry."""
    (kind, content), *_ = value.items()
    if kind == "M":
        return 3 + sum(1 + len(name.encode()) + size_of(entry) for name, entry in content.items())
    if kind == "L":
        return 3 + sum(1 + size_of(entry) for entry in content)
    if kind == "N":
        return len(content.strip("-0")) // 2 + 2
    return 1 if kind == "BOOL" else len(content.encode())


def test_a_waiting_execution_of_a_six_node_campaign_stays_under_700_bytes() -> None:
    aws = ProvisionedAws("ministack")
    executions = DynamoExecutions(aws.client("dynamodb"), aws.names["EXECUTIONS_TABLE"])
    ulid = "01JD8Z6Q9N4T5R7W2X3Y1A0B{}"
    workspace, flow = WorkspaceUid(ulid.format("WS")), FlowUid(ulid.format("FL"))
    execution = replace(execution_of("c"), key=ExecutionKey(workspace, flow, ContactUid(ulid.format("CO"))))
    executions.enrol_many([execution], SHARDS)
    sent = MessageResult(
        MessageOutcome.SENT, START, channel=ulid.format("CH"), provider_id="0102018f" + "-0" * 26, cost=10
    )
    visits = [NodeVisit(NodeId(name), "next", START, START + LEASE) for name in ("send-1", "wait-1")]
    waiting = replace(execution, seq=2, node=NodeId("wait-2"), due=START, waiting=True, path=tuple(visits[:1]))
    waiting = waiting.with_result(SEND, sent)
    assert save(executions, waiting, free(execution))
    executions.put_receipt(execution.key, SHARDS, SEND, DeliveryReceipt(Engagement.DELIVERED, START))
    (item,) = aws.client("dynamodb").scan(TableName=aws.names["EXECUTIONS_TABLE"])["Items"]
    assert sum(len(name) + size_of(value) for name, value in item.items()) < 700
