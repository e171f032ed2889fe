"""Name servers in trouble, real ones in a network of our own (F36)."""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.faults.namespaces import FAR, Networks, two_networks
from tests.faults.postgres import NotHereError
from tests.faults.programs import Program, running
from tests.running.processes import PROJECT, clean_environment, until

TIMEOUT = 2.0
PORT = 8000
# Of the threads that look names up.
POOL = 256


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Networks]:
    logs = tmp_path_factory.mktemp("name-servers")
    with ExitStack() as stack:
        try:
            networks = stack.enter_context(two_networks())
        except NotHereError as reason:
            pytest.skip(str(reason))
        _start(networks, logs, stack, "name_server", FAR)
        _start(networks, logs, stack, "targets", str(PORT), str(logs / "journal"), FAR)
        assert until(lambda: _ask(networks, ["good.test"])["good.test"]["status"] == 200)
        yield networks


def _start(networks: Networks, logs: Path, stack: ExitStack, name: str, *how: str) -> None:
    command = networks.inside(networks.far, sys.executable, "-m", f"tests.faults.{name}", *how)
    stack.enter_context(running(Program(command, clean_environment(), logs / f"{name}.log")))


def _ask(networks: Networks, names: Sequence[str]) -> dict[str, Any]:
    """What came of each name, and under "" the most lookups at a time."""
    command = [sys.executable, "-m", "tests.faults.lookups", str(TIMEOUT), str(PORT), *names]
    done = subprocess.run(
        networks.inside(networks.prober, *command),
        env=clean_environment(), cwd=PROJECT, capture_output=True, text=True, check=False,
        timeout=30,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    *told, most = map(json.loads, done.stdout.splitlines())
    return {one["name"]: one for one in told} | {"": most}


def test_every_trouble_of_name_servers_is_named_and_ends_in_time(networks: Networks) -> None:
    names = ["good.test", "servfail.test", "nx.test", "slow.test", "wrong.test", "silent.test"]
    told = _ask(networks, names)
    assert told["good.test"]["status"] == 200
    for name in names[1:]:
        assert told[name]["failure"] == "dns", told[name]
        assert name in told[name]["detail"] and not told[name]["ours"]
        assert told[name]["seconds"] < TIMEOUT + 1
    assert "No such host" in told["nx.test"]["detail"]
    for name in ("servfail.test", "slow.test", "wrong.test", "silent.test"):
        assert "name servers did not answer" in told[name]["detail"]


def test_lookups_that_hang_pile_up_no_threads_and_hold_up_no_other_name(
    networks: Networks,
) -> None:
    hanging = [f"silent-{number}.test" for number in range(POOL + 50)]
    told = _ask(networks, ["good.test", *hanging])
    assert told[""] <= POOL
    assert told["good.test"]["status"] == 200
    assert all(told[name]["seconds"] < TIMEOUT + 1 for name in hanging)
    left_out = [name for name in hanging if told[name]["failure"] == "internal"]
    assert 0 < len(left_out) <= 51 and all(told[name]["ours"] for name in left_out)


def test_a_resolver_that_is_gone_is_seen(
    networks: Networks,
) -> None:
    look = (
        "from opsboard.outbound.surroundings import look_around;"
        "print(look_around([]).resolver_answers)"
    )
    command = networks.inside(networks.prober, sys.executable, "-c", look)

    def answers() -> str:
        return subprocess.run(
            command, env=clean_environment(), cwd=PROJECT, capture_output=True, text=True,
            check=True, timeout=30,
        ).stdout.strip()  # fmt: skip

    assert answers() == "True"
    networks.pull()
    assert answers() == "False"
    networks.plug_in()
