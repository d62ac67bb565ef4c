"""Results of execution writes while DynamoDB is throttled or its responses are lost."""

from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from chalicelib.aws.executions import DynamoExecutions
from chalicelib.errors import RetryLater
from chalicelib.model.execution import Execution
from chalicelib.ports import Save
from tests.contract.emulators import FaultyClient, ProvisionedAws
from tests.contract.execution_builders import SHARDS, claimed, execution_of, free, key_of


def throttled_statements(call: Any, request: Any) -> Any:
    """Throttle every second statement of the batch."""
    written = call(Statements=request["Statements"][::2])["Responses"]
    throttled = {"Error": {"Code": "ThrottlingError", "Message": "slow down"}}
    return {
        "Responses": [throttled if index % 2 else written[index // 2] for index in range(len(request["Statements"]))]
    }


def lost_answer(call: Any, request: Any) -> Any:
    call(**request)
    raise ReadTimeoutError(endpoint_url="https://dynamodb")


def refused_statement(call: Any, request: Any) -> Any:
    return {"Responses": [{"Error": {"Code": "AccessDenied", "Message": "no"}} for _ in request["Statements"]]}


def faulty(*faults: Any) -> tuple[DynamoExecutions, FaultyClient, list[float], list[Execution]]:
    aws = ProvisionedAws("ministack")
    client, stored_executions = (
        FaultyClient(aws.client("dynamodb")),
        [execution_of(f"c{number}") for number in range(6)],
    )
    pauses: list[float] = []
    executions = DynamoExecutions(client, aws.names["EXECUTIONS_TABLE"], sleep=pauses.append)  # type: ignore[arg-type]  # a wrapped client
    executions.enrol_many(stored_executions, SHARDS)
    client._faults, client.calls = list(faults), 0
    return executions, client, pauses, stored_executions


def test_throttled_statements_alone_are_written_again() -> None:
    executions, client, pauses, stored_executions = faulty(throttled_statements)
    assert all(
        executions.save_many(
            [Save(claimed(execution, "a1"), free(execution)) for execution in stored_executions], SHARDS
        )
    )
    assert (client.calls, len(pauses)) == (2, 1)


@pytest.mark.parametrize("count", [1, 6])
def test_a_save_whose_answer_was_lost_has_held(count: int) -> None:
    executions, _, _, stored_executions = faulty(lost_answer)
    assert all(
        executions.save_many(
            [Save(claimed(execution, "a1"), free(execution)) for execution in stored_executions[:count]], SHARDS
        )
    )


@pytest.mark.parametrize("count", [1, 6])
def test_an_enrolment_whose_answer_was_lost_does_not_raise(count: int) -> None:
    executions, _, _, _ = faulty(lost_answer)
    stored_executions = {key_of(f"d{number}"): execution_of(f"d{number}") for number in range(count)}
    executions.enrol_many(list(stored_executions.values()), SHARDS)
    assert executions.find_many(list(stored_executions), SHARDS, strong=True) == stored_executions


def test_writes_that_stay_throttled_are_undecided() -> None:
    executions, client, pauses, _ = faulty()
    stored_executions = [execution_of(f"d{number}") for number in range(20)]
    executions.enrol_many(stored_executions, SHARDS)
    client._faults = [throttled_statements] * 4
    held = executions.save_many(
        [Save(claimed(execution, "a1"), free(execution)) for execution in stored_executions], SHARDS
    )
    assert (held.count(True), held.count(None), len(pauses)) == (19, 1, 3)
    stored = executions.find_many([execution.key for execution in stored_executions], SHARDS, strong=True)
    assert [stored[execution.key].claim is not None for execution in stored_executions] == [ok is True for ok in held]


def test_an_enrolment_that_stays_throttled_is_to_be_made_once_more() -> None:
    executions, client, _, _ = faulty()
    client._faults = [throttled_statements] * 4
    with pytest.raises(RetryLater):
        executions.enrol_many([execution_of(f"d{number}") for number in range(20)], SHARDS)


def test_a_statement_that_can_never_be_taken_is_a_fault() -> None:
    executions, client, _, stored_executions = faulty(refused_statement)
    with pytest.raises(RuntimeError, match="AccessDenied"):
        executions.save_many(
            [Save(claimed(execution, "a1"), free(execution)) for execution in stored_executions], SHARDS
        )
    assert client.calls == 1
