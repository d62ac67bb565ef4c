"""Contract of `ports.UsageLimits`."""

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
def usage_limits(request: pytest.FixtureRequest) -> Any:
    if request.param == "memory":
        return MemoryUsageLimits()
    aws = request.param()
    aws.reset()
    return DynamoUsageLimits(aws.client("dynamodb"), aws.provision()["CATALOG_TABLE"])


def test_no_more_is_taken_than_the_limit(usage_limits: Any) -> None:
    assert [usage_limits.take(HERE, "k", UNTIL, 20, 50) for _ in range(4)] == [True, True, False, False]
    assert usage_limits.take(HERE, "k", UNTIL, 10, 50)
    assert not usage_limits.take(HERE, "k", UNTIL, 1, 50)


def test_names_windows_and_workspaces_have_their_own(usage_limits: Any) -> None:
    assert usage_limits.take(HERE, "k", UNTIL, 50, 50)
    assert not usage_limits.take(HERE, "k", UNTIL, 50, 50)
    assert usage_limits.take(HERE, "other", UNTIL, 50, 50)
    assert usage_limits.take(WorkspaceUid("w2"), "k", UNTIL, 50, 50)
    assert usage_limits.take(HERE, "k", UNTIL.replace(minute=2), 50, 50)


def test_many_at_once_take_no_more_than_there_is(usage_limits: Any, request: pytest.FixtureRequest) -> None:
    if MotoAws in request.node.callspec.params.values():
        pytest.skip("moto is not safe for threads: it checks a condition and writes in two steps")
    if isinstance(usage_limits, MemoryUsageLimits):
        pytest.skip("the fake is for one thread")
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda _: usage_limits.take(HERE, "k", UNTIL, 10, 100), range(40)))
    assert sum(taken) == 10
