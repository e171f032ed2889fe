"""docker-compose.yml: nothing secret has a default, and its commands run a board that probes."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
import yaml
from cryptography.fernet import Fernet
from psycopg import sql

from tests.running.processes import PROJECT, clean_environment, free_port, running, status, until

COMPOSE = yaml.safe_load((PROJECT / "docker-compose.yml").read_text())
DOCKERFILE = (PROJECT / "Dockerfile").read_text()
VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?P<kind>:?[?-])(?P<text>[^}]*)\}")
SECRETS = {"SECRET_KEY", "OPSBOARD_FIELD_KEYS", "POSTGRES_PASSWORD"}
PARTS = ("web", "worker", "alerts", "beat")
STOP_SECONDS = 10

type Environment = dict[str, str]


def filled_in(text: str, values: Mapping[str, str]) -> str:
    """What Compose makes of a text: variables filled in, and $$ a dollar sign."""

    def value(match: re.Match[str]) -> str:
        given = values.get(match["name"], "")
        if not given and match["kind"] == ":?":
            raise KeyError(match["name"])
        return given or (match["text"] if match["kind"].endswith("-") else "")

    return VARIABLE.sub(value, text).replace("$$", "$")


def variables(kind: str) -> set[str]:
    text = (PROJECT / "docker-compose.yml").read_text()
    return {match["name"] for match in VARIABLE.finditer(text) if match["kind"].endswith(kind)}


def test_compose_refuses_to_start_without_the_secrets() -> None:
    assert variables("?") >= SECRETS | {"ALLOWED_HOSTS", "OPSBOARD_URL", "OPSBOARD_EGRESS_ALLOW"}
    assert not variables("-") & SECRETS


def test_the_example_of_an_environment_names_every_variable_and_gives_no_value() -> None:
    lines = (PROJECT / ".env.example").read_text().splitlines()
    names = {line.removesuffix("=") for line in lines if line and not line.startswith("#")}
    assert names == (variables("?") | variables("-")) - {"OPSBOARD_LISTEN"}


def test_every_service_that_stays_has_a_health_check() -> None:
    staying = {name for name in COMPOSE["services"] if name != "prepare"}
    assert staying == {"web", "worker", "alerts", "beat", "postgres", "redis"}
    assert all("healthcheck" in COMPOSE["services"][name] for name in staying)


def test_alerts_have_a_worker_apart_from_the_probes() -> None:
    queues = {
        name: set(_after(COMPOSE["services"][name]["command"], "--queues").split(","))
        for name in ("worker", "alerts")
    }
    assert queues == {"worker": {"probes.default"}, "alerts": {"alerts", "housekeeping"}}


def _after(words: list[str], option: str) -> str:
    return words[words.index(option) + 1]


def test_what_keeps_data_keeps_it_in_a_volume() -> None:
    mounted = {
        COMPOSE["services"][name]["volumes"][0].split(":")[0] for name in ("postgres", "redis")
    }
    assert mounted == COMPOSE["volumes"].keys()


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """The files of the image, as the Dockerfile copies them."""
    root = tmp_path / "image"
    root.mkdir()
    for line in re.findall(r"^COPY (.+)$", DOCKERFILE, re.MULTILINE):
        *sources, target = line.split()
        for source in sources:
            _copy(PROJECT / source, root / (target if not target.endswith("/") else source))
    return root


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    (shutil.copytree if source.is_dir() else shutil.copy)(source, target)


@pytest.fixture
def database_url() -> Iterator[str]:
    """A PostgreSQL database of this test's own, beside the one of the test run."""
    if not {"DATABASE_URL", "REDIS_URL"} <= os.environ.keys():
        pytest.fail("This test needs PostgreSQL and Redis: run it by script/test.")
    server = os.environ["DATABASE_URL"]
    name = f"{urlsplit(server).path.lstrip('/')}_compose"
    identifier = sql.Identifier(name)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(identifier))
        try:
            yield urlsplit(server)._replace(path=f"/{name}").geturl()
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(identifier))


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def values(port: int) -> Environment:
    """An .env that is filled in."""
    return {
        "SECRET_KEY": "x" * 60,
        "OPSBOARD_FIELD_KEYS": Fernet.generate_key().decode(),
        "POSTGRES_PASSWORD": "unused",
        "OPSBOARD_URL": f"http://127.0.0.1:{port}",
        "ALLOWED_HOSTS": "127.0.0.1",
    }


class Composition:
    """The services of docker-compose.yml as processes of this machine."""

    def __init__(self, values: Environment, urls: Environment, port: int, image: Path) -> None:
        self._values, self._urls, self._port, self.image = values, urls, port, image

    def service(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = COMPOSE["services"][name]
        return found

    def environment(self, name: str) -> Environment:
        given = self.service(name)["environment"].items()
        filled = {key: filled_in(str(value), self._values) for key, value in given}
        programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        return clean_environment() | filled | self._urls | {"PATH": programs}

    def here(self, words: list[str]) -> list[str]:
        """The words of a command, with the port of this test and files of its own."""
        text = [filled_in(word, self._values) for word in words]
        text = [
            re.sub(r"(0\.0\.0\.0|127\.0\.0\.1):8000", f"127.0.0.1:{self._port}", w) for w in text
        ]
        return [word.replace("/tmp/", f"{self.image}/") for word in text]  # noqa: S108

    def command(self, name: str) -> list[str]:
        return self.here(self.service(name)["command"])

    def health(self, name: str) -> list[str]:
        kind, *words = self.service(name)["healthcheck"]["test"]
        return self.here(words) if kind == "CMD" else ["/bin/sh", "-c", *self.here(words)]

    def once(self, name: str, command: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            env=self.environment(name),
            cwd=self.image,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )


@pytest.fixture
def composition(values: Environment, database_url: str, port: int, image: Path) -> Composition:
    urls = {"DATABASE_URL": database_url, "REDIS_URL": os.environ["REDIS_URL"]}
    return Composition(values, urls, port, image)


def observations(database_url: str) -> int:
    with psycopg.connect(database_url) as connection:
        (count,) = connection.execute("SELECT count(*) FROM probes_observation").fetchone() or (0,)
        return int(count)


@pytest.mark.servers
def test_the_commands_of_compose_run_a_board_that_answers_and_records_probes(
    composition: Composition, database_url: str, port: int
) -> None:
    collected = composition.once("web", ["python", "manage.py", "collectstatic", "--noinput"])
    assert collected.returncode == 0, collected.stderr
    prepared = composition.once("prepare", composition.command("prepare"))
    assert (prepared.returncode, prepared.stdout) == (0, ""), prepared.stderr
    with ExitStack() as stack:
        started = {
            name: stack.enter_context(
                running(composition.command(name), composition.environment(name), composition.image)
            )
            for name in PARTS
        }
        assert until(lambda: status(f"http://127.0.0.1:{port}/healthz") == 200)
        assert until(lambda: observations(database_url) > 0), started["worker"].errors
        for name in PARTS:
            healthy = composition.once(name, composition.health(name))
            assert healthy.returncode == 0, f"{name}: {healthy.stdout}{healthy.stderr}"
        alive = [sys.executable, "manage.py", "alive"]
        assert until(lambda: composition.once("alerts", alive).returncode == 0)
        assert started["worker"].end() < STOP_SECONDS
