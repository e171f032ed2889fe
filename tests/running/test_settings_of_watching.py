"""The addresses of the word of being alive and of the last resort: refused at the start."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.running.processes import MANAGE, clean_environment


def started(data: Path, **extra: str) -> subprocess.CompletedProcess[str]:
    environment = clean_environment() | {"OPSBOARD_DATA": str(data)} | extra
    return subprocess.run(
        [sys.executable, MANAGE, "check"],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("ALIVE_URL", "watch.example", "Only http:// or https:// with a host can be asked"),
        ("ALIVE_URL", "ftp://watch.example/", "Only http:// or https:// with a host"),
        ("ALIVE_URL", "mailto:ops@example.com", "Only http:// or https:// with a host"),
        ("ALIVE_URL", "https://user:word@watch.example/", "Take user and password out"),
        ("ALIVE_SECONDS", "0", "write a number from 1"),
        ("LAST_RESORT_URL", "https://watch.example:99999/", "Write the port as a number"),
        ("LAST_RESORT_URL", "mailto:ops", "not one e-mail address"),
        ("LAST_RESORT_URL", "mailto:a@b.example,c@d.example", "not one e-mail address"),
        ("LAST_RESORT_URL", "mailto:ops@example.com", "set EMAIL_URL"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused_in_one_sentence(
    tmp_path: Path, name: str, value: str, says: str
):
    done = started(tmp_path, **{f"OPSBOARD_{name}": value})
    assert done.returncode == 1
    assert done.stderr.startswith(f"OPSBOARD_{name} ")
    assert says in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "extra",
    [
        {"OPSBOARD_ALIVE_URL": "https://watch.example/ping/3f2a"},
        {"OPSBOARD_LAST_RESORT_URL": "https://hooks.example/last"},
        {
            "OPSBOARD_LAST_RESORT_URL": "mailto:ops@example.com",
            "EMAIL_URL": "smtp://mail.internal:25",
        },
    ],
    ids=["alive", "webhook", "mail"],
)
def test_an_address_that_can_be_used_is_taken(tmp_path: Path, extra: dict[str, str]):
    assert started(tmp_path, **extra).returncode == 0
