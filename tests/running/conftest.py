"""A data directory and a port for each test that starts a board."""

from pathlib import Path

import pytest

from tests.running.processes import free_port, with_tables


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """A data directory in which nothing was ever started."""
    directory = tmp_path / "data"
    directory.mkdir()
    return directory


@pytest.fixture
def data(empty: Path) -> Path:
    """One in which the tables are made, which is most of a first start."""
    return with_tables(empty)


@pytest.fixture
def port() -> int:
    return free_port()
