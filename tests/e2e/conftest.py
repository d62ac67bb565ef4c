"""One running stack for the tests that neither kill nor end it."""

from collections.abc import Iterator

import pytest

from tests.e2e.stack import SPEED, Stack


@pytest.fixture(scope="package")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Start a stack with the sample. Its clock runs four times faster, so that documented pauses pass within a test."""
    data = tmp_path_factory.mktemp("shared") / "data"
    # All tests use one key and poll often, and a minute of this clock is short: the rate limit of a key would apply.
    running = Stack(data, "--speed", str(SPEED), environment={"CALLS_A_MINUTE": "1000000"}).wait_until_up()
    yield running
    assert running.end() == 0
