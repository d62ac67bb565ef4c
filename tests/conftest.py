"""Distribution of tests over processes: by file, except for folders with tests that share an expensive fixture.

Garbage collection is tuned as well: by default it takes a fifth of the time of a test process.
"""

import gc
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

#: Folders that run in one process: they share one stack and one browser, or one build of the package.
TOGETHER = ("tests/e2e/", "tests/infra/")


class ByFileOrFolder(LoadFileScheduling):
    """Schedules by file or by folder. Units with the most tests run first, so that no long unit is left at the end."""

    def _split_scope(self, nodeid: str) -> str:
        return next((folder for folder in TOGETHER if nodeid.startswith(folder)), nodeid.partition("::")[0])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFileOrFolder | None:
    return ByFileOrFolder(config, log) if config.getoption("dist") == "loadfile" else None


def pytest_collection_finish() -> None:
    """Exempt all loaded modules and collected tests from garbage collection."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)
