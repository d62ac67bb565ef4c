"""Builders of executions for the contract tests."""

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


def execution_of(contact: str, flow: FlowUid = F) -> Execution:
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


def claimed(execution: Execution, attempt: str, now: Any = START) -> Execution:
    return replace(execution, status=ExecutionStatus.PROCESSING, claim=Claim(AttemptId(attempt), now + LEASE, SEND, 75))


def settled(execution: Execution) -> Execution:
    result = MessageResult(MessageOutcome.SENT, START, attempts=2, channel="ch1", provider_id="p-1", cost=7)
    visit = NodeVisit(SEND, "next", START, START + timedelta(milliseconds=12))
    execution = replace(
        execution, status=ExecutionStatus.PENDING, seq=execution.seq + 1, node=NodeId("end"), claim=None, path=(visit,)
    )
    return execution.with_result(SEND, result)


def free(execution: Execution, now: Any = START) -> ExpectUnclaimed:
    return ExpectUnclaimed(execution.seq, now)
