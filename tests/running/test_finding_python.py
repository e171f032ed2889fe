"""Which Python script/up takes, on a PATH that holds nothing but what a test puts there."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ENVIRONMENT = Path(__file__).parents[2] / "script" / "environment.sh"
FIND = f'. {ENVIRONMENT}; find_python; echo "$python"'

type Found = subprocess.CompletedProcess[str]
type Put = Callable[[str, str], Path]


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A machine's whole PATH, empty."""
    return tmp_path / "bin"


@pytest.fixture
def put(machine: Path) -> Put:
    """Put a program, given as the body of a shell script, on the machine."""
    machine.mkdir()

    def program(name: str, body: str) -> Path:
        path = machine / name
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)
        return path

    return program


def find(machine: Path) -> Found:
    return subprocess.run(
        ["/bin/sh", "-c", FIND],
        env={"PATH": str(machine)},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


def whole(version: str) -> str:
    return f'echo "{version}|/pythons/{version}|"'


def without_ensurepip(version: str) -> str:
    return f'echo "{version}|/pythons/{version}|ensurepip"'


def test_3_13_is_taken_before_3_12_and_3_14(machine: Path, put: Put) -> None:
    for version in ("3.12", "3.13", "3.14"):
        put(f"python{version}", whole(version))
    assert find(machine).stdout == "/pythons/3.13\n"


def test_3_12_is_taken_before_3_14(machine: Path, put: Put) -> None:
    for version in ("3.12", "3.14"):
        put(f"python{version}", whole(version))
    assert find(machine).stdout == "/pythons/3.12\n"


def test_3_14_is_taken_where_it_is_the_only_one(machine: Path, put: Put) -> None:
    put("python3.14", whole("3.14"))
    assert find(machine).stdout == "/pythons/3.14\n"


@pytest.mark.parametrize("name", ["python3", "python"])
def test_a_python_of_another_name_is_asked_for_its_version(
    machine: Path, put: Put, name: str
) -> None:
    put("python3.12", whole("3.12"))
    put(name, whole("3.13"))
    assert find(machine).stdout == "/pythons/3.13\n"


def test_a_python_that_is_too_old_is_not_taken(machine: Path, put: Put) -> None:
    put("python3", whole("3.11"))
    assert find(machine).returncode == 2


@pytest.mark.parametrize("exit_code", [0, 127])
def test_a_shim_that_only_prints_an_error_is_not_a_python(
    machine: Path, put: Put, exit_code: int
) -> None:
    put("python3.13", f'echo "python3.13: command not found"; exit {exit_code}')
    put("python3.12", whole("3.12"))
    assert find(machine).stdout == "/pythons/3.12\n"


def test_a_real_python_is_found_by_its_own_path(machine: Path) -> None:
    machine.mkdir()
    (machine / "python3").symlink_to(sys.executable)
    found = Path(find(machine).stdout.strip())
    assert found.samefile(Path(sys.executable).resolve())


def test_a_real_python_without_ensurepip_is_named_with_its_package(machine: Path, put: Put) -> None:
    hide = "import sys; sys.modules['ensurepip'] = None; exec(sys.argv[1])"
    put("python3", f'exec {sys.executable} -c "{hide}" "$2"')
    found = find(machine)
    version = "{}.{}".format(*sys.version_info)
    assert found.returncode == 2
    assert f"Python {version}" in found.stderr
    assert "lacks ensurepip" in found.stderr
    assert f"apt-get install python{version}-venv" in found.stderr
    assert found.stderr.count("\n") == 1


def test_one_without_ensurepip_is_named_and_the_next_whole_one_taken(
    machine: Path, put: Put
) -> None:
    put("python3.13", without_ensurepip("3.13"))
    put("python3.12", whole("3.12"))
    found = find(machine)
    assert found.stdout == "/pythons/3.12\n"
    assert "apt-get install python3.13-venv" in found.stderr


def test_uv_is_asked_where_it_is_installed(machine: Path, put: Put) -> None:
    kept_by_uv = put("kept-by-uv", whole("3.13"))
    put("uv", f'[ "$*" = "python find --system 3.13" ] && echo {kept_by_uv}')
    put("python3.12", whole("3.12"))
    assert find(machine).stdout == "/pythons/3.13\n"


def test_a_uv_that_knows_none_stops_nothing(machine: Path, put: Put) -> None:
    put("uv", "echo 'error: No interpreter found' >&2; exit 2")
    put("python3.14", whole("3.14"))
    assert find(machine).stdout == "/pythons/3.14\n"


def test_where_there_is_none_one_sentence_says_what_to_install(machine: Path) -> None:
    found = find(machine)
    assert found.returncode == 2
    assert found.stdout == ""
    assert "needs a Python 3.13, 3.12 or 3.14" in found.stderr
    assert "apt-get install" in found.stderr
    assert found.stderr.count("\n") == 1
