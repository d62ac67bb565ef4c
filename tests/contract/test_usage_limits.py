"""What every adapter of the port Allowances promises."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.aws.usage_limits import DynamoUsageLimits
from chalicelib.model.ids import WorkspaceUid
from tests.embedded_aws import EmbeddedAws, MotoAws
from tests.memory.usage_limits import MemoryUsageLimits

HERE, UNTIL = WorkspaceUid("w"), datetime(2026, 3, 2, 9, 1, tzinfo=UTC)


@pytest.fixture(params=["memory", EmbeddedAws, MotoAws])
def allowances(request: pytest.FixtureRequest) -> Any:
    if request.param == "memory":
        return MemoryUsageLimits()
    aws = request.param()
    aws.reset()
    return DynamoUsageLimits(aws.client("dynamodb"), aws.provision()["CATALOG_TABLE"])


def test_no_more_is_taken_than_the_limit(allowances: Any) -> None:
    assert [allowances.take(HERE, "k", UNTIL, 20, 50) for _ in range(4)] == [True, True, False, False]
    assert allowances.take(HERE, "k", UNTIL, 10, 50)
    assert not allowances.take(HERE, "k", UNTIL, 1, 50)


def test_names_windows_and_workspaces_have_their_own(allowances: Any) -> None:
    assert allowances.take(HERE, "k", UNTIL, 50, 50)
    assert not allowances.take(HERE, "k", UNTIL, 50, 50)
    assert allowances.take(HERE, "other", UNTIL, 50, 50)
    assert allowances.take(WorkspaceUid("w2"), "k", UNTIL, 50, 50)
    assert allowances.take(HERE, "k", UNTIL.replace(minute=2), 50, 50)


def test_many_at_once_take_no_more_than_there_is(allowances: Any, request: pytest.FixtureRequest) -> None:
    if MotoAws in request.node.callspec.params.values():
        pytest.skip("moto is not safe for threads: it checks a condition and writes in two steps")
    if isinstance(allowances, MemoryUsageLimits):
        pytest.skip("the fake is for one thread")
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda _: allowances.take(HERE, "k", UNTIL, 10, 100), range(40)))
    assert sum(taken) == 10
