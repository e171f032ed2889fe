"""Boards to hurt, with targets and a sink on loopback: as in production, or embedded.

Production refuses loopback; these allow it by OPSBOARD_EGRESS_ALLOW, and every report says so.
"""

import base64
import json
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.faults.postgres import NotHereError, Server
from tests.faults.programs import Program, running
from tests.faults.rig import Rig, Scale, get
from tests.faults.runs import MICRO
from tests.faults.store import Store
from tests.faults.talking import Talker, talker
from tests.running.processes import PROJECT, clean_environment, free_port, until, with_tables

ALL_QUEUES = "probes.default,alerts,housekeeping"
EGRESS_ALLOW = "127.0.0.0/8"
SEEDING_SECONDS = 60


@contextmanager
def production(
    server: Server,
    scale: Scale,
    *,
    beat: Mapping[str, str] | None = None,
    warm: bool = True,
    **extra: str,
) -> Iterator[Rig]:
    """Workers, beat, Redis and a database of its own, warm: each probe was observed once.

    `extra` is for the environment of workers and beat, `beat` for beat's alone.
    """
    with ExitStack() as stack:
        redis_port, url = free_port(), stack.enter_context(server.database())
        environment = production_environment(url, redis_port) | scale.settings()
        rig = _surroundings(stack, scale, Store(url), environment)
        rig.redis_port, rig.redis = redis_port, _redis_server(rig.directory, redis_port)
        stack.enter_context(running(rig.redis))
        wait_for_redis(rig)
        _seed_with_sinks(rig)
        rig.workers = [rig.worker(f"worker{n}", **extra) for n in range(scale.workers)]
        rig.others = [rig.beat("beat", **extra, **(beat or {}))]
        if scale.workers:
            rig.others.insert(0, rig.worker("duties", "alerts,housekeeping", **extra))
        else:
            rig.workers = [rig.worker("worker", ALL_QUEUES, processes=4, **extra)]
        for program in [*rig.workers, *rig.others]:
            stack.enter_context(running(program))
        if warm:
            rig.warm_up()
        yield rig


@contextmanager
def embedded(
    scale: Scale, *, on: Path | None = None, **extra: str
) -> Iterator[tuple[Rig, Program]]:
    """The board as script/up starts it: its data stored, itself not started yet.

    `on` is the directory in which its data directory is made.
    """
    with ExitStack() as stack:
        made = tempfile.TemporaryDirectory(prefix="opsboard-faults-", dir=on)
        data = with_tables(Path(stack.enter_context(made)))
        environment = embedded_environment(data) | scale.settings()
        rig = _surroundings(stack, scale, Store(f"sqlite:///{data}/opsboard.sqlite3"), environment)
        _seed_with_sinks(rig)
        board = rig.program("board", "manage", "up", **extra)
        stack.callback(board.kill)
        yield rig, board


@contextmanager
def alerting(
    server: Server | None, scale: Scale, channels: Mapping[str, tuple[str, str]] | None = None
) -> Iterator[tuple[Rig, Talker]]:
    """A board of which only the alerts run, with who makes its paths fail; senders are to start.

    On a server's PostgreSQL, or on SQLite. In an address, {sink} stands for where the sink is.
    """
    with ExitStack() as stack:
        environment = stack.enter_context(_database(server)) | scale.settings()
        url = environment.pop("URL")
        rig = _surroundings(stack, scale, Store(url), environment)
        sink = f"http://127.0.0.1:{rig.sink_port}"
        placed = {
            name: (kind, address.format(sink=sink))
            for name, (kind, address) in (channels or {}).items()
        }
        rig.mail_port = free_port()
        rig.environment = environment | {"EMAIL_URL": f"smtp://127.0.0.1:{rig.mail_port}"}
        seed(environment, scale, targets=rig.targets_port, sink=rig.sink_port, channels=placed)
        breaker = stack.enter_context(talker("tests.faults.breaker", environment))
        breaker.hear()
        yield rig, breaker


@contextmanager
def _database(server: Server | None) -> Iterator[dict[str, str]]:
    """The environment of a board on a new database, and where that is."""
    with ExitStack() as stack:
        if server is not None:
            url = stack.enter_context(server.database())
            yield production_environment(url, free_port()) | {"URL": url}
            return
        directory = tempfile.TemporaryDirectory(prefix="opsboard-faults-")
        data = with_tables(Path(stack.enter_context(directory)))
        yield embedded_environment(data) | {"URL": f"sqlite:///{data}/opsboard.sqlite3"}


def _seed_with_sinks(rig: Rig) -> None:
    """With more than one team, each has a channel of its own, to a path of the sink's."""
    sink = f"http://127.0.0.1:{rig.sink_port}"
    own = {f"team-{n}": ("webhook", f"{sink}/team-{n}") for n in range(rig.scale.teams)}
    channels = own if rig.scale.teams > 1 else None
    seed(
        rig.environment, rig.scale, targets=rig.targets_port, sink=rig.sink_port, channels=channels
    )


def _surroundings(stack: ExitStack, scale: Scale, store: Store, environment: dict[str, str]) -> Rig:
    directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="opsboard-faults-")))
    rig = Rig(scale, store, directory, environment, free_port(), free_port())
    _start(stack, rig, "targets", rig.targets_port, rig.journal)
    _start(stack, rig, "sink", rig.sink_port, rig.sink)
    return rig


def _start(stack: ExitStack, rig: Rig, name: str, port: int, journal: Path) -> None:
    journal.touch()
    program = rig.program(name, f"tests.faults.{name}", str(port), str(journal))
    stack.enter_context(running(program))
    control = f"http://127.0.0.1:{port}/control?paths=0&do=ok"
    assert until(lambda: _answers(control)), program.said


def _answers(url: str) -> bool:
    try:
        get(url)
    except OSError:
        return False
    return True


def production_environment(database_url: str, redis_port: int) -> dict[str, str]:
    return _environment() | {
        "SECRET_KEY": secrets.token_urlsafe(50),
        "OPSBOARD_FIELD_KEYS": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "ALLOWED_HOSTS": "127.0.0.1",
        "OPSBOARD_URL": f"http://127.0.0.1:{free_port()}",
        "OPSBOARD_EGRESS_ALLOW": EGRESS_ALLOW,
        "DATABASE_URL": database_url,
        "REDIS_URL": f"redis://127.0.0.1:{redis_port}/0",
    }


def embedded_environment(data: Path) -> dict[str, str]:
    return _environment() | {"OPSBOARD_DATA": str(data), "OPSBOARD_PORT": str(free_port())}


def _environment() -> dict[str, str]:
    return clean_environment() | {"PYTHONPATH": str(PROJECT), "PYTHONDONTWRITEBYTECODE": "1"}


def seed(
    environment: Mapping[str, str],
    scale: Scale,
    *,
    targets: int,
    sink: int,
    channels: Mapping[str, tuple[str, str]] | None = None,
) -> None:
    """Store a company whose paths and alerts go to these ports; seed.py reads the order.

    `channels`: the kind and address of each by its name, where there is more than the sink.
    """
    order = {
        "probes": scale.probes,
        "targets": f"http://127.0.0.1:{targets}",
        "channels": channels or {"The sink": ("webhook", f"http://127.0.0.1:{sink}/")},
        "paths_a_service": scale.paths_a_service,
        "teams": scale.teams,
        "interval": round(scale.interval * MICRO),
        "timeout": round(scale.timeout * MICRO),
        "patience": scale.patience,
        "locations": list(scale.locations),
        "expected_result": scale.expected_result,
    }
    run_to_its_end(environment, "tests.faults.seed", json.dumps(order))


def run_to_its_end(environment: Mapping[str, str], *command: str) -> str:
    """What a Python module said, which must end well."""
    done = subprocess.run(
        [sys.executable, "-m", *command],
        env=dict(environment), cwd=PROJECT, capture_output=True, text=True, check=False,
        timeout=SEEDING_SECONDS,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def need_redis_server() -> None:
    if shutil.which("redis-server") is None:
        raise NotHereError("redis-server is not on this machine")


def _redis_server(directory: Path, port: int) -> Program:
    need_redis_server()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    return Program(
        [*command, "--dir", str(directory)], clean_environment(), directory / "redis.log"
    )


def wait_for_redis(rig: Rig) -> None:
    """Until the Redis of this rig answers. A look may find it not there yet, or too busy."""
    assert rig.redis is not None
    program, never = rig.redis, Retry(NoBackoff(), 0)
    with redis.Redis(
        port=rig.redis_port, socket_connect_timeout=1, socket_timeout=1, retry=never
    ) as client:
        assert until(lambda: not program.is_alive() or _pings(client)), program.said
    assert program.is_alive(), program.said


def _pings(client: "redis.Redis") -> bool:
    try:
        return bool(client.ping())
    except (redis.ConnectionError, redis.TimeoutError):
        return False
