"""A flow's status table, to the message of the product, and the limits of its configuration."""

import itertools

import pytest
from pydantic import ValidationError

from chalicelib.model.flow import DELETABLE, ENDED, ENGINE_MOVES, FlowStatus, IllegalTransition
from chalicelib.model.flow_configuration import FlowConfiguration
from chalicelib.model.validation_problems import validation_problems
from tests.builders import build_flow

#: As product.md has it.
OPERATOR = {
    "draft": {"queued", "running", "cancelled"},
    "queued": {"paused", "cancelled", "draft"},
    "running": {"paused", "cancelled"},
    "paused": {"running", "queued", "cancelled"},
    "error": {"running", "queued", "cancelled"},
}
ENGINE = {
    "queued": {"running"},
    "running": {"paused", "error", "completed", "partial_completed", "cancelled", "failed", "timeout"},
}
FIELDS = [str(field.alias) for field in FlowConfiguration.model_fields.values()]
PAIRS = list(itertools.product(FlowStatus, FlowStatus))


@pytest.mark.parametrize(("current", "wanted"), PAIRS)
def test_an_operator_may_do_what_the_table_says_and_nothing_else(current: FlowStatus, wanted: FlowStatus) -> None:
    flow = build_flow(current)
    if wanted.value in OPERATOR.get(current.value, set()):
        flow.check_operator_move(wanted)
        return
    with pytest.raises(IllegalTransition) as refusal:
        flow.check_operator_move(wanted)
    assert refusal.value.current == current.value
    assert set(refusal.value.allowed) == OPERATOR.get(current.value, set())
    assert (current.value in str(refusal.value), wanted.value in str(refusal.value)) == (True, True)


@pytest.mark.parametrize(("current", "wanted"), PAIRS)
def test_the_engine_never_does_what_the_table_does_not_have(current: FlowStatus, wanted: FlowStatus) -> None:
    flow = build_flow(current)
    if wanted in ENGINE_MOVES.get(current, ()):
        flow.check_engine_move(wanted)
        assert wanted.value in ENGINE[current.value]
    else:
        with pytest.raises(IllegalTransition):
            flow.check_engine_move(wanted)


@pytest.mark.parametrize("end", ["completed", "partial_completed", "failed", "timeout"])
def test_a_running_flow_can_end_in_every_way(end: str) -> None:
    build_flow(FlowStatus.RUNNING).check_engine_move(FlowStatus(end))


@pytest.mark.parametrize("status", FlowStatus)
def test_nothing_leaves_an_ended_flow(status: FlowStatus) -> None:
    ended = {"completed", "partial_completed", "cancelled", "failed", "timeout"}
    assert build_flow(status).is_over is (status.value in ended)
    assert (status in ENDED) is (status.value in ended)
    assert (status in DELETABLE) is (status.value in ended | {"draft", "paused", "error"})


@pytest.mark.parametrize("status", FlowStatus)
def test_the_clock_watches_flows_that_are_queued_running_or_cancelled_and_not_settled(status: FlowStatus) -> None:
    assert build_flow(status).is_active is (status.value in {"queued", "running", "cancelled"})


def test_without_settings_a_flow_goes_as_fast_as_the_channel() -> None:
    plain = FlowConfiguration()
    assert plain.lanes is None
    assert plain.model_dump() == {
        "pauseBetweenContactsMs": 0,
        "pauseBetweenContactsSaltMs": 0,
        "maxConcurrentMessages": None,
        "maxRetries": 3,
        "retryDelayMs": 5000,
        "timeoutMs": 300000,
    }


@pytest.mark.parametrize(
    ("given", "lanes"),
    [
        ({"pauseBetweenContactsMs": 1}, 1),
        ({"pauseBetweenContactsMs": 1, "maxConcurrentMessages": 4}, 4),
        ({"maxConcurrentMessages": 10}, 10),
        ({"maxConcurrentMessages": None}, None),
    ],
)
def test_a_pause_alone_means_one_lane(given: dict[str, int], lanes: int | None) -> None:
    assert FlowConfiguration.model_validate(given).lanes == lanes


def test_salt_may_be_as_large_as_the_pause() -> None:
    given = {"pauseBetweenContactsMs": 500, "pauseBetweenContactsSaltMs": 500}
    assert FlowConfiguration.model_validate(given).salt == FlowConfiguration.model_validate(given).pause


@pytest.mark.parametrize(
    "given", [{"pauseBetweenContactsSaltMs": 1}, {"pauseBetweenContactsMs": 5, "pauseBetweenContactsSaltMs": 6}]
)
def test_salt_larger_than_the_pause_names_both_fields(given: dict[str, int]) -> None:
    with pytest.raises(ValidationError) as refusal:
        FlowConfiguration.model_validate(given)
    (problem,) = validation_problems(refusal.value, "configuration")
    assert problem.field.startswith("configuration")
    assert "pauseBetweenContactsSaltMs" in problem.message
    assert "pauseBetweenContactsMs" in problem.message


@pytest.mark.parametrize("value", [-1, 1.5, 2.0, "5", True, float("nan"), float("inf"), 10**12, [], {}])
@pytest.mark.parametrize("name", FIELDS)
def test_what_is_no_sensible_whole_number_is_refused_by_name(name: str, value: object) -> None:
    with pytest.raises(ValidationError) as refusal:
        FlowConfiguration.model_validate({name: value})
    (problem,) = validation_problems(refusal.value)
    assert problem.field == name


@pytest.mark.parametrize(("lanes", "limit"), [(0, "1"), (11, "10")])
def test_there_are_one_to_ten_lanes(lanes: int, limit: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        FlowConfiguration.model_validate({"maxConcurrentMessages": lanes})
    (problem,) = validation_problems(refusal.value)
    assert (problem.field, problem.message.split()[-1]) == ("maxConcurrentMessages", limit)


def test_every_problem_is_told_at_once() -> None:
    given = {"pauseBetweenContactsMs": -1, "maxConcurrentMessages": 0, "maxRetries": "3", "speed": 1}
    with pytest.raises(ValidationError) as refusal:
        FlowConfiguration.model_validate(given)
    assert {problem.field for problem in validation_problems(refusal.value)} == set(given)
