"""How the tests are shared out among processes: by file, but for folders whose tests share what is dear to start."""

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
