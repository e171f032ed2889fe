"""What script/test says at its end, run over a small project that has a test of each kind."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.running.processes import PROJECT, clean_environment, free_port

SETTINGS = """
[pytest]
markers =
    servers
    browser
    slow
"""
TESTS = """
import pytest

def test_of_the_embedded_kind(): pass

@pytest.mark.slow
def test_that_is_slow(): pass

@pytest.mark.servers
def test_of_the_servers_kind(): pass

@pytest.mark.browser
def test_of_the_browser_kind(): pass
"""

type Ran = subprocess.CompletedProcess[str]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pytest.ini").write_text(SETTINGS)
    (tmp_path / "test_small.py").write_text(TESTS)
    return tmp_path


def run(project: Path, *arguments: str, database_port: int, ci: str = "") -> Ran:
    environment = clean_environment() | {"CI": ci}
    del environment["DJANGO_SETTINGS_MODULE"]
    return subprocess.run(
        [sys.executable, str(PROJECT / "script/run_tests.py"), "-p", "no:django", *arguments],
        env=environment | {"DATABASE_URL": f"postgres://postgres@localhost:{database_port}/none"},
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def last_lines(ran: Ran) -> dict[str, str]:
    parts = [line.partition(": ") for line in ran.stdout.splitlines()[-3:]]
    return {part: words for part, _, words in parts}


def test_it_says_of_each_of_the_three_that_it_ran_or_why_not(project: Path) -> None:
    port = free_port()
    ran = run(project, database_port=port)
    said = last_lines(ran)
    assert list(said) == ["embedded", "servers", "browser"]
    assert said["embedded"] == "run, passed"
    assert said["servers"] == f"not run: no PostgreSQL answers at localhost:{port}"
    assert said["browser"].startswith(("run, passed", "not run: no Chromium"))
    assert ran.returncode == 0


def test_in_ci_what_did_not_run_has_failed(project: Path) -> None:
    assert run(project, database_port=free_port(), ci="true").returncode == 1


def test_a_failing_test_fails_its_part_and_the_whole(project: Path) -> None:
    (project / "test_wrong.py").write_text("def test_that_fails(): assert False\n")
    ran = run(project, database_port=free_port())
    assert last_lines(ran)["embedded"] == "run, FAILED"
    assert ran.returncode == 1


def test_a_callers_marker_joins_that_of_each_part(project: Path) -> None:
    ran = run(project, "-v", "-m", "slow", database_port=free_port())
    assert ran.stdout.count("test_that_is_slow PASSED") == 1
    assert "test_of_the" not in ran.stdout
    assert last_lines(ran)["embedded"] == "run, passed"


def test_asking_for_what_a_part_does_not_have_is_no_failure(project: Path) -> None:
    ran = run(project, "-k", "browser_kind", database_port=free_port())
    assert last_lines(ran)["embedded"] == "run, none of the tests asked for is here"
    assert ran.returncode == 0
