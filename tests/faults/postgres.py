"""PostgreSQL for fault runs: databases of their own on the server that is there, or a whole server.

Nothing that anybody else keeps on a server is touched, and nothing is left behind.
"""

import atexit
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, cached_property
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from tests.running.processes import free_port, make_tables

STANDARD = "postgres://postgres@127.0.0.1:5432/postgres"
PG_CTL_SECONDS = 30

_numbers = count(1)


class NotHereError(Exception):
    """What a row needs is not on this machine; the message says what."""


class Server:
    """A running PostgreSQL, and the address of a database there from which others are made."""

    def __init__(self, url: str) -> None:
        self.url = url

    @contextmanager
    def database(self) -> Iterator[str]:
        """The address of a database with all tables, made for one run, and gone after it."""
        name = self._new_name()
        self._execute("CREATE DATABASE {} TEMPLATE {}", name, self._with_tables)
        try:
            yield self.url_of(name)
        finally:
            self._drop(name)

    @cached_property
    def _with_tables(self) -> str:
        """The name of the database that is copied: making the tables outlasts many a row."""
        name = self._new_name()
        self._execute("CREATE DATABASE {} TEMPLATE template0", name)
        atexit.register(self._drop, name)
        with tempfile.TemporaryDirectory(prefix="opsboard-faults-") as data:
            make_tables(Path(data), DATABASE_URL=self.url_of(name))
        return name

    def _drop(self, name: str) -> None:
        self._execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)

    def url_of(self, name: str) -> str:
        return urlsplit(self.url)._replace(path=f"/{name}").geturl()

    def _new_name(self) -> str:
        """Named after the test run's own database where there is one: its end drops ours too."""
        given = urlsplit(self.url).path.strip("/")
        base = given if given.startswith("opsboard") else f"opsboard_{os.getpid()}"
        return f"{base}_faults_{next(_numbers)}"

    def _execute(self, statement: str, *names: str) -> None:
        with psycopg.connect(self.url, autocommit=True, connect_timeout=5) as connection:
            whole = sql.SQL(statement).format(*map(sql.Identifier, names))
            connection.execute(whole)


@cache
def shared_server() -> Server:
    """The server that DATABASE_URL names, else the one on the standard port."""
    url = os.environ.get("DATABASE_URL", STANDARD)
    try:
        psycopg.connect(url, connect_timeout=3).close()
    except psycopg.OperationalError as error:
        raise NotHereError(
            f"PostgreSQL does not let us in: {' '.join(str(error).split())}"
        ) from None
    return Server(url)


class Cluster(Server):
    """A PostgreSQL server of our own, to be restarted as we like."""

    def __init__(self, directory: Path, port: int) -> None:
        super().__init__(f"postgres://postgres@127.0.0.1:{port}/postgres")
        self._directory = directory

    def _drop(self, name: str) -> None:
        """All its databases end with it."""

    def control(self, *order: str) -> None:
        """pg_ctl with the order, which waits until it is done."""
        _run_as_postgres(
            str(_binaries() / "pg_ctl"), "-w", "-D", str(self._directory / "data"),
            "-l", str(self._directory / "log"), *order,
        )  # fmt: skip

    def process(self) -> int:
        """The id of the server's first process."""
        return int((self._directory / "data" / "postmaster.pid").read_text().split()[0])


@contextmanager
def own_cluster() -> Iterator[Cluster]:
    binaries = _binaries()
    directory = Path(tempfile.mkdtemp(prefix="opsboard-faults-postgres-"))
    if os.geteuid() == 0:
        shutil.chown(directory, "postgres")
    cluster = Cluster(directory, free_port())
    try:
        data = str(directory / "data")
        _run_as_postgres(str(binaries / "initdb"), "-D", data, "-A", "trust", "-U", "postgres")
        port = urlsplit(cluster.url).port
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={directory}"
        cluster.control("-o", options, "start")
        try:
            yield cluster
        finally:
            cluster.control("-m", "immediate", "stop")
    finally:
        shutil.rmtree(directory)


def _binaries() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=_version)
    on_path = shutil.which("initdb")
    if not found and not on_path:
        raise NotHereError("PostgreSQL's own programs (initdb, pg_ctl) are not on this machine")
    return found[-1].parent if found else Path(str(on_path)).parent


def _version(program: Path) -> float:
    return float(program.parts[4])


def _run_as_postgres(*command: str) -> None:
    """PostgreSQL refuses to run as root; in a directory that its user may enter."""
    become = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    # Into no pipe: the server would keep it open, and nobody would see its end.
    with tempfile.TemporaryFile() as said:
        done = subprocess.run(
            [*become, *command],
            cwd="/", stdin=subprocess.DEVNULL, stdout=said, stderr=said,
            check=False, timeout=PG_CTL_SECONDS,
        )  # fmt: skip
        said.seek(0)
        assert done.returncode == 0, said.read().decode()
