"""Databases of the bench's own: made, migrated, copied for each run, and dropped."""

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

MANAGE = str(Path(__file__).resolve().parent.parent / "manage.py")


class Place:
    """One kind of database. `fresh` gives the environment of a run with a migrated one."""

    name = ""
    version = ""

    @contextlib.contextmanager
    def fresh(self) -> Iterator[dict[str, str]]:
        raise NotImplementedError


class OnSQLite(Place):
    name = "SQLite"

    def __init__(self, folder: Path) -> None:
        import sqlite3

        self.version = sqlite3.sqlite_version
        self.folder = folder
        self.made = folder / "made"

    @contextlib.contextmanager
    def fresh(self) -> Iterator[dict[str, str]]:
        if not self.made.exists():
            self.made.mkdir()
            migrate({"OPSBOARD_DATA": str(self.made), "DATABASE_URL": ""})
        data = self.folder / "run"
        shutil.rmtree(data, ignore_errors=True)
        shutil.copytree(self.made, data)
        yield {"OPSBOARD_DATA": str(data)}


class OnPostgreSQL(Place):
    """On the server of a DATABASE_URL, beside the database it names, which is not touched."""

    name = "PostgreSQL"

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.data = folder / "data"
        self.data.mkdir(parents=True)
        self.made = f"opsboard_bench_{os.getpid()}"
        self.is_made = False
        with self._server() as server:
            row = server.execute("SHOW server_version").fetchone()
            self.version = str(row[0]).split()[0] if row else ""

    def _server(self) -> "psycopg.Connection[tuple[object, ...]]":
        url = self.url.replace("postgresql://", "postgres://", 1)
        return psycopg.connect(url, autocommit=True, connect_timeout=5)

    def _url(self, database: str) -> str:
        return urlunsplit(urlsplit(self.url)._replace(path=f"/{database}"))

    def _say(self, statement: str, *names: str) -> None:
        with self._server() as server:
            server.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

    def _environment(self, database: str) -> dict[str, str]:
        return {"OPSBOARD_DATA": str(self.data), "DATABASE_URL": self._url(database)}

    @contextlib.contextmanager
    def fresh(self) -> Iterator[dict[str, str]]:
        run = f"{self.made}_run"
        if not self.is_made:
            self._say("CREATE DATABASE {}", self.made)
            self.is_made = True
            migrate(self._environment(self.made))
        self._say("CREATE DATABASE {} TEMPLATE {}", run, self.made)
        try:
            yield self._environment(run)
        finally:
            self._say("DROP DATABASE IF EXISTS {} WITH (FORCE)", run)

    def drop(self) -> None:
        if self.is_made:
            self._say("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.made)


def migrate(settings: dict[str, str]) -> None:
    environment = {**os.environ, **settings}
    if not environment.get("DATABASE_URL"):
        environment.pop("DATABASE_URL", None)
    subprocess.run([sys.executable, MANAGE, "migrate", "-v", "0"], env=environment, check=True)


@contextlib.contextmanager
def places(folder: Path, url: str) -> Iterator[dict[str, Place]]:
    """By name. PostgreSQL only where a DATABASE_URL is given."""
    found: dict[str, Place] = {"SQLite": OnSQLite(folder / "sqlite")}
    (folder / "sqlite").mkdir()
    on_server = OnPostgreSQL(url, folder / "postgresql") if url else None
    if on_server:
        found[on_server.name] = on_server
    try:
        yield found
    finally:
        if on_server:
            on_server.drop()
