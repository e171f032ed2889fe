"""How .venv is kept, in a small checkout whose lock names one package of its own."""

import hashlib
import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
MAKE = ". script/environment.sh; make_environment run"
NOWHERE = "http://127.0.0.1:9/simple"

type Made = subprocess.CompletedProcess[str]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    checkout = tmp_path / "checkout"
    (checkout / "script").mkdir(parents=True)
    (checkout / "requirements").mkdir()
    (checkout / "pyproject.toml").touch()
    shutil.copy(PROJECT / "script/environment.sh", checkout / "script")
    shutil.copy(PROJECT / ".python-version", checkout)
    lock(checkout, "1.0")
    return checkout


def lock(checkout: Path, version: str) -> None:
    wheel = checkout / f"lantern-{version}-py3-none-any.whl"
    folder = f"lantern-{version}.dist-info"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("lantern.py", f"version = {version!r}\n")
        archive.writestr(
            f"{folder}/METADATA", f"Metadata-Version: 2.1\nName: lantern\nVersion: {version}\n"
        )
        archive.writestr(f"{folder}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{folder}/RECORD", f"lantern.py,,\n{folder}/RECORD,,\n")
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    (checkout / "requirements/run.txt").write_text(f"lantern=={version} --hash=sha256:{digest}\n")


def make(checkout: Path, **pip: str) -> Made:
    without_pip = {k: v for k, v in os.environ.items() if not k.startswith("PIP_")}
    return subprocess.run(
        ["/bin/sh", "-euc", MAKE],
        cwd=checkout,
        env=without_pip | {"PIP_CONFIG_FILE": os.devnull} | pip,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def make_from_wheels(checkout: Path) -> Made:
    return make(checkout, PIP_NO_INDEX="1", PIP_FIND_LINKS=str(checkout))


def make_without_network(checkout: Path) -> Made:
    return make(checkout, PIP_INDEX_URL=NOWHERE, PIP_TIMEOUT="1")


def installed(checkout: Path) -> str:
    python = str(checkout / ".venv/bin/python")
    question = [python, "-c", "import lantern; print(lantern.version)"]
    return subprocess.check_output(question, text=True, timeout=30).strip()


def test_once_made_it_needs_no_network_and_says_nothing(checkout: Path) -> None:
    assert make_from_wheels(checkout).returncode == 0
    again = make_without_network(checkout)
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    assert installed(checkout) == "1.0"


def test_without_network_one_sentence_says_so(checkout: Path) -> None:
    made = make_without_network(checkout)
    assert made.returncode == 2
    assert "no package registry answers" in made.stderr.splitlines()[-1]
    assert "Traceback" not in made.stderr


def test_a_new_lock_is_installed_over_the_old_one(checkout: Path) -> None:
    make_from_wheels(checkout)
    lock(checkout, "2.0")
    assert make_from_wheels(checkout).returncode == 0
    assert installed(checkout) == "2.0"


def test_a_new_lock_that_cannot_be_fetched_leaves_the_old_one_working(checkout: Path) -> None:
    make_from_wheels(checkout)
    before = (checkout / "requirements/run.txt").read_text()
    lock(checkout, "2.0")
    assert make_without_network(checkout).returncode == 2
    (checkout / "requirements/run.txt").write_text(before)
    assert make_without_network(checkout).returncode == 0


def test_an_interrupted_installation_is_made_anew(checkout: Path) -> None:
    make_from_wheels(checkout)
    (checkout / ".venv/run.txt").unlink()
    half = next((checkout / ".venv").glob("lib/python3*/site-packages/lantern.py"))
    half.write_text("version = 'half'\n")
    assert make_from_wheels(checkout).returncode == 0
    assert installed(checkout) == "1.0"


def test_an_environment_whose_python_is_gone_is_made_anew(checkout: Path) -> None:
    make_from_wheels(checkout)
    python = checkout / ".venv/bin/python"
    python.unlink()
    python.symlink_to("/nowhere/python3")
    assert make_from_wheels(checkout).returncode == 0
    assert installed(checkout) == "1.0"
