"""How the tests are shared out among processes: by file, but for folders whose tests share what is dear to start.

And what a process keeps is not looked through for garbage again and again, which took a fifth of its time.
"""

import gc
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

#: One stack and one browser; one build of the package.
TOGETHER = ("tests/e2e/", "tests/infra/")


class ByFileOrFolder(LoadFileScheduling):
    """The units with the most tests come first, so that what waits for processes is over long before the end."""

    def _split_scope(self, nodeid: str) -> str:
        return next((folder for folder in TOGETHER if nodeid.startswith(folder)), nodeid.partition("::")[0])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFileOrFolder | None:
    return ByFileOrFolder(config, log) if config.getoption("dist") == "loadfile" else None


def pytest_collection_finish() -> None:
    """All modules and tests are there now, and stay."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)
