"""The three parts of script/test. Its last lines say for each: run, or not run and why.

Exit code 0 when all that ran passed, else 1. With CI=true a part that did not run has failed.
"""

import compileall
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from real_servers import NotThereError, chromium, own_databases

NO_TESTS_COLLECTED = 5
# Pure, or with boards of their own on SQLite: PostgreSQL would change nothing.
EMBEDDED_ONLY = [
    "tests/expectations",
    "tests/outbound",
    "tests/demo/test_sample_services.py",
    "tests/instrument/test_asgi_and_wsgi.py",
    *(
        f"tests/changes/test_{name}.py"
        for name in (
            "compare_properties",
            "compare_identities",
            "compare_in_a_process",
            "published",
            "simulate",
            "words_properties",
        )
    ),
    *(
        f"tests/cli/test_{name}.py"
        for name in (
            "applying",
            "failing_closed",
            "gate",
            "junit",
            "packaging",
            "running",
            "usage",
            "values",
        )
    ),
    *(
        f"tests/running/test_{name}.py"
        for name in (
            "up",
            "stopping",
            "finding_python",
            "making_the_environment",
            "locks",
            "running_the_tests",
            "applying",
            "backup",
            "demo",
        )
    ),
]

# One at a time, with the machine to themselves: boards under faults, whose seconds are counted, and
# demos, whose broken database keeps a core busy.
ALONE = ["tests/faults", "tests/journeys"]
SIDE_BY_SIDE = ["-n", str(min(os.cpu_count() or 1, 8)), "--dist", "loadfile"]

Environment = dict[str, str]


@dataclass(frozen=True)
class Outcome:
    part: str
    ran: bool
    passed: bool
    words: str

    def failed(self, *, not_run_is_failure: bool) -> bool:
        return not self.passed if self.ran else not_run_is_failure


def main(arguments: list[str]) -> int:
    signal.signal(signal.SIGTERM, _end)
    # Tests start hundreds of processes, which compile all of it again where PYTHONDONTWRITEBYTECODE
    # is set; what is compiled already is left as it is.
    compileall.compile_dir("opsboard", quiet=2)
    parts: dict[str, Callable[[list[str]], Outcome]] = {
        "embedded": embedded,
        "servers": servers,
        "browser": browser,
    }
    outcomes = [_run_or_say_why(name, part, arguments) for name, part in parts.items()]
    for outcome in outcomes:
        print(f"{outcome.part}: {outcome.words}")
    strict = os.environ.get("CI") == "true"
    return int(any(outcome.failed(not_run_is_failure=strict) for outcome in outcomes))


def embedded(arguments: list[str]) -> Outcome:
    return _pytest("embedded", "not servers and not browser", arguments, {})


def servers(arguments: list[str]) -> Outcome:
    """The whole suite again, with what needs real servers."""
    with own_databases() as addresses:
        return _pytest("servers", "not browser", arguments, addresses, without=EMBEDDED_ONLY)


def browser(arguments: list[str]) -> Outcome:
    return _pytest("browser", "browser", arguments, {"OPSBOARD_CHROMIUM": chromium()})


def _run_or_say_why(
    name: str, part: Callable[[list[str]], Outcome], arguments: list[str]
) -> Outcome:
    print(f"\n== {name} ==", flush=True)
    try:
        return part(arguments)
    except NotThereError as reason:
        return Outcome(name, ran=False, passed=False, words=f"not run: {reason}")


def _pytest(
    part: str,
    marker: str,
    arguments: list[str],
    extra: Environment,
    *,
    without: Sequence[str] = (),
) -> Outcome:
    marker, rest = _and_the_callers_marker(marker, arguments)
    common = ["-m", marker, *(f"--deselect={path}" for path in without)]
    # A caller who asks for something of their own gets it in one run.
    turns = [rest] if arguments else _turns()
    with tempfile.TemporaryDirectory(prefix="opsboard-tests-") as data:
        environment = _clean_environment() | {"OPSBOARD_DATA": data} | extra
        codes = [_turn([*common, *turn], environment) for turn in turns]
    return _outcome(part, codes, asked_for_some=bool(rest))


def _turns() -> list[list[str]]:
    """The whole suite in two: what may run side by side, and what may not."""
    alone = [path for path in ALONE if Path(path).exists()]
    side_by_side = [*SIDE_BY_SIDE, *(f"--ignore={path}" for path in alone)]
    return [side_by_side, [*alone, "--durations=12"]] if alone else [side_by_side]


def _turn(arguments: list[str], environment: Environment) -> int:
    command = [sys.executable, "-m", "pytest", *arguments]
    return subprocess.run(command, env=environment, check=False).returncode


def _outcome(part: str, codes: list[int], *, asked_for_some: bool) -> Outcome:
    if all(code == NO_TESTS_COLLECTED for code in codes):
        return _nothing_collected(part, asked_for_some=asked_for_some)
    passed = all(code in (0, NO_TESTS_COLLECTED) for code in codes)
    return Outcome(part, ran=True, passed=passed, words=f"run, {'passed' if passed else 'FAILED'}")


def _nothing_collected(part: str, *, asked_for_some: bool) -> Outcome:
    if asked_for_some:
        words = "run, none of the tests asked for is here"
        return Outcome(part, ran=True, passed=True, words=words)
    words = "not run: there is no test of this kind"
    return Outcome(part, ran=False, passed=False, words=words)


def _and_the_callers_marker(marker: str, arguments: list[str]) -> tuple[str, list[str]]:
    """Pytest heeds only its last -m, so the caller's joins ours."""
    if "-m" not in arguments[:-1]:
        return marker, arguments
    at = arguments.index("-m")
    return f"({marker}) and ({arguments[at + 1]})", arguments[:at] + arguments[at + 2 :]


def _clean_environment() -> Environment:
    """What this machine sets for a board of its own must not leak into the tests."""
    settings = {"DATABASE_URL", "REDIS_URL", "SECRET_KEY", "ALLOWED_HOSTS", "EMAIL_URL", "DEBUG"}
    return {
        name: value
        for name, value in os.environ.items()
        if name not in settings and not name.startswith("OPSBOARD_")
    }


def _end(*_: object) -> NoReturn:
    sys.exit(1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
