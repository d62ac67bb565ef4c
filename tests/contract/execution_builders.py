"""Rows of a flow, as the contracts of executions need them."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from chalicelib.model.execution import (
    Claim,
    Execution,
    ExecutionKey,
    ExecutionStatus,
    MessageOutcome,
    MessageResult,
    NodeVisit,
)
from chalicelib.model.ids import AttemptId, ContactUid, FlowUid, NodeId, WorkspaceUid
from chalicelib.ports import ExpectUnclaimed
from tests.memory.clock import START

W, F, SHARDS = WorkspaceUid("w1"), FlowUid("f1"), 3
SEND = NodeId("send-1")
LEASE = timedelta(seconds=60)


def key_of(contact: str, flow: FlowUid = F) -> ExecutionKey:
    return ExecutionKey(W, flow, ContactUid(contact))


def row_of(contact: str, flow: FlowUid = F) -> Execution:
    return Execution(
        key=key_of(contact, flow),
        status=ExecutionStatus.PENDING,
        seq=0,
        node=SEND,
        version=1,
        created=START,
        updated=START,
        entered=START,
    )


def claimed(row: Execution, attempt: str, now: Any = START) -> Execution:
    return replace(row, status=ExecutionStatus.PROCESSING, claim=Claim(AttemptId(attempt), now + LEASE, SEND, 75))


def settled(row: Execution) -> Execution:
    result = MessageResult(MessageOutcome.SENT, START, attempts=2, channel="ch1", provider_id="p-1", cost=7)
    visit = NodeVisit(SEND, "next", START, START + timedelta(milliseconds=12))
    row = replace(row, status=ExecutionStatus.PENDING, seq=row.seq + 1, node=NodeId("end"), claim=None, path=(visit,))
    return row.with_result(SEND, result)


def free(row: Execution, now: Any = START) -> ExpectUnclaimed:
    return ExpectUnclaimed(row.seq, now)
