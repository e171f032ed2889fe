"""What the locks in requirements/ promise to a machine that installs them."""

import re
import tomllib
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
LOCKS = ["run", "dev"]
PIN = re.compile(r"^(?P<name>[a-z0-9-]+)==(?P<version>[^ ;\\]+)", re.MULTILINE)


def text(lock: str) -> str:
    return (PROJECT / f"requirements/{lock}.txt").read_text()


def pins(lock: str) -> dict[str, str]:
    return {pin["name"]: pin["version"] for pin in PIN.finditer(text(lock))}


def entries(lock: str) -> list[str]:
    """Each requirement with its continuation lines as one."""
    joined = re.sub(r"\\\n\s*", "", text(lock))
    return [line for line in joined.splitlines() if line and not line.lstrip().startswith("#")]


def asked_for(requirements: list[str]) -> set[str]:
    names = (re.split(r"[^A-Za-z0-9._-]", requirement)[0] for requirement in requirements)
    return {re.sub(r"[._]", "-", name).lower() for name in names}


@pytest.mark.parametrize("lock", LOCKS)
def test_everything_is_pinned_and_has_hashes(lock: str) -> None:
    for entry in entries(lock):
        assert re.match(r"^[a-z0-9-]+==\S+ .*--hash=sha256:[0-9a-f]{64}", entry), entry


@pytest.mark.parametrize("lock", LOCKS)
def test_no_lock_names_an_index_a_host_or_a_place_on_a_machine(lock: str) -> None:
    assert not re.search(
        r"://|--(extra-)?index|--find-links|--trusted-host|@ |^-e|= ?/", text(lock)
    )


def test_the_locks_hold_all_that_the_project_asks_for() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    assert asked_for(project["dependencies"]) <= pins("run").keys()
    assert asked_for(project["optional-dependencies"]["dev"]) <= pins("dev").keys()


def test_development_runs_the_very_versions_that_are_run_for_real() -> None:
    assert pins("run").items() <= pins("dev").items()
