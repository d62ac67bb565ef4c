"""One running stack for the tests that neither kill nor end it."""

from collections.abc import Iterator

import pytest

from tests.e2e.stack import SPEED, Stack


@pytest.fixture(scope="package")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """With the sample, on a clock that runs four times faster, so that documented pauses pass in a test's time."""
    running = Stack(tmp_path_factory.mktemp("shared") / "data", "--speed", str(SPEED)).wait_until_up()
    yield running
    assert running.end() == 0
