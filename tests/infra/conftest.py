"""What `make build` makes, made once for the tests that look at it."""

from pathlib import Path

import pytest

from infra.build import Templates, build_templates, stage_project


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Templates, Path]:
    """Both templates of the stage prod, and Chalice's zip."""
    return build_templates(stage_project(tmp_path_factory.mktemp("package") / "project"), "prod")


@pytest.fixture(scope="session")
def templates(built: tuple[Templates, Path]) -> Templates:
    return built[0]
