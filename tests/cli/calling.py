"""Calling the real `opsboard` command as a process of its own, and what a board may answer."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.far_side import Behaviour, Request, Visit, answer

TOP = Path(__file__).resolve().parent.parent.parent
TOKEN = "obs_ci_0123456789abcdefghijABCDEFGHIJ_abc123"
COMMIT = "4f" * 20
JSON = ("Content-Type", "application/json; charset=utf-8")
LONGEST = 30
EXIT_CODES = {
    "ready": 0,
    "blocked": 1,
    "incomplete": 3,
    "out of date": 4,
    "frozen": 5,
    "overridden": 6,
}


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)


def environment(url: str, **more: str) -> dict[str, str]:
    """Nothing of the machine's own CI may be read."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {**kept, "OPSBOARD_URL": url, "OPSBOARD_TOKEN": TOKEN, "NO_PROXY": "*", **more}


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "opsboard.cli", *arguments]


def call(
    url: str, *arguments: str, more: Mapping[str, str] | None = None, cwd: Path = TOP
) -> Ended:
    environ = environment(url, **(more or {})) | {"PYTHONPATH": str(TOP)}
    ended = subprocess.run(
        command(*arguments),
        env=environ,
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=LONGEST,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    assert "Traceback" not in ended.stderr, ended.stderr
    assert TOKEN not in ended.stdout + ended.stderr
    return Ended(ended.returncode, ended.stdout, ended.stderr)


# What a board answers ---------------------------------------------------------------------------


def says(value: Any, status: int = 200, *headers: tuple[str, str]) -> Behaviour:
    return answer(status, JSON, *headers, body=json.dumps(value).encode())


def refuses(status: int, code: str, message: str, *headers: tuple[str, str]) -> Behaviour:
    return says({"errors": [{"code": code, "message": message}]}, status, *headers)


def in_turn(*behaviours: Behaviour) -> Behaviour:
    """The first for the first visit, and so on; the last one for all further visits."""
    left = list(behaviours)

    def behave(visit: Visit) -> None:
        (left.pop(0) if len(left) > 1 else left[0])(visit)

    return behave


def gate_state(gate: str = "unit", word: str = "met", **more: Any) -> dict[str, Any]:
    return {
        "gate": gate,
        "name": gate.title(),
        "need": "required",
        "word": word,
        "reason": f"{gate} is {word}",
        "since": None,
        "who": "",
        "answered_at": None,
        "source": "",
        "evidence": None,
        "url": "",
        "override": None,
        **more,
    }


def readiness(whole: str, *gates: dict[str, Any], stops: Sequence[Any] = ()) -> dict[str, Any]:
    return {
        "whole": whole,
        "at": "2026-11-28T12:00:00+00:00",
        "gates": list(gates),
        "stops": list(stops),
        "service": "fares-api",
        "version": "1.4.0",
        "commit": COMMIT,
        "exit_code": EXIT_CODES[whole],
    }


def taken(gate: str = "unit", word: str = "met", whole: str = "ready") -> dict[str, Any]:
    return {"gate": gate_state(gate, word), "readiness": whole, "reasons": []}


def body_of(request: Request) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(request.body)
    return read
