"""What starts the command: little is imported, and a wheel has all of it."""

import importlib
import json
import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

from tests.cli.calling import TOP, call, command

PROJECT = tomllib.loads((TOP / "pyproject.toml").read_text())
SHOW = (
    "import json, sys; from opsboard.cli import main; main._parser();"
    " print(json.dumps(sorted(sys.modules)))"
)
# Each costs more than all of the command does.
TOO_MUCH = ("django", "pydantic", "ninja", "celery", "asyncio", "sqlite3", "ssl", "email", "http")


def test_little_is_imported() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", SHOW], cwd=TOP, capture_output=True, text=True, check=True
    )
    modules = json.loads(ended.stdout)

    assert not [one for one in modules if one.partition(".")[0] in TOO_MUCH]
    ours = {one for one in modules if one.startswith("opsboard.")}
    assert {one.split(".")[1] for one in ours} == {"cli", "instrument"}
    assert len(modules) < 230


def test_the_command_of_a_wheel_is_there() -> None:
    module, _, name = PROJECT["project"]["scripts"]["opsboard"].partition(":")

    assert callable(getattr(importlib.import_module(module), name))


def test_a_wheel_holds_every_package() -> None:
    found = PROJECT["tool"]["setuptools"]["packages"]["find"]
    folders = [one.parent for one in (TOP / "opsboard").rglob("*.py")]

    assert found["include"] == ["opsboard*"]
    # Only what has an __init__.py is found.
    assert [one for one in set(folders) if not (one / "__init__.py").exists()] == []


def test_it_runs_from_its_own_files_alone(tmp_path: Path) -> None:
    whole = tmp_path / "opsboard.zip"
    parts = ["opsboard/__init__.py", "opsboard/instrument/__init__.py"]
    parts += ["opsboard/instrument/config.py"]
    parts += [f"opsboard/cli/{one.name}" for one in (TOP / "opsboard/cli").glob("*.py")]
    with zipfile.ZipFile(whole, "w") as file:
        for part in parts:
            file.write(TOP / part, part)
    ended = subprocess.run(
        command("--help"),
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(whole)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 0, ended.stderr
    assert "exit codes of every command" in ended.stdout


def test_the_version_and_the_help_are_there() -> None:
    url = "http://127.0.0.1:9"
    version, usage = call(url, "--version"), call(url, "gate", "--help")

    assert (version.code, version.out.startswith("opsboard ")) == (0, True)
    assert (usage.code, "5  frozen" in usage.out, "never 0" in usage.out) == (0, True, True)


def test_the_launcher_of_a_checkout() -> None:
    launcher = TOP / "script/opsboard"
    ended = subprocess.run(
        [str(launcher), "--version"], cwd="/", capture_output=True, text=True, check=False
    )

    assert os.access(launcher, os.X_OK)
    # Without a .venv it says what to do.
    assert ended.returncode in (0, 2)
    assert "opsboard" in ended.stdout + ended.stderr
