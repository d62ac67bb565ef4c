"""One running stack for the tests that neither kill nor end it."""

from collections.abc import Iterator

import pytest

from tests.e2e.stack import SPEED, Stack


@pytest.fixture(scope="package")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """With the sample, on a clock that runs four times faster, so that documented pauses pass in a test's time."""
    data = tmp_path_factory.mktemp("shared") / "data"
    # All tests ask with one key, and again and again what is not there yet; a minute of this clock is short, too.
    running = Stack(data, "--speed", str(SPEED), environment={"CALLS_A_MINUTE": "1000000"}).wait_until_up()
    yield running
    assert running.end() == 0
