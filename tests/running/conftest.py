"""A data directory and a port for each test that starts a board."""

from pathlib import Path

import pytest

from tests.running.processes import free_port


@pytest.fixture
def data(tmp_path: Path) -> Path:
    directory = tmp_path / "data"
    directory.mkdir()
    return directory


@pytest.fixture
def port() -> int:
    return free_port()
