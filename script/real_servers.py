"""Finds PostgreSQL, Redis and Chromium for script/test, and makes databases of its own there."""

import getpass
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import redis
from playwright.sync_api import sync_playwright
from psycopg import sql

FIRST_REDIS_NUMBER, REDIS_NUMBERS = 9, 16
CLAIM, CLAIM_SECONDS = "opsboard-tests", 2 * 3600


class NotThereError(Exception):
    """A server or browser is missing; the message says which, where it was looked for, and why."""


@contextmanager
def own_databases() -> Iterator[dict[str, str]]:
    """DATABASE_URL and REDIS_URL of databases made for this run, and gone after it."""
    with _own_postgres() as database_url, _own_redis() as redis_url:
        yield {"DATABASE_URL": database_url, "REDIS_URL": redis_url}


@contextmanager
def _own_postgres() -> Iterator[str]:
    server = _postgres_server()
    name = f"opsboard_{os.getpid()}"
    with psycopg.connect(server, autocommit=True) as connection:
        try:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        except psycopg.errors.InsufficientPrivilege:
            raise NotThereError(f"{_place(server)}: this user may not create databases") from None
    try:
        yield urlsplit(server)._replace(path=f"/{name}").geturl()
    finally:
        _drop_all(server, name)


def _postgres_server() -> str:
    """The first address that lets us in."""
    given = os.environ.get("DATABASE_URL", "")
    users = dict.fromkeys(["postgres", getpass.getuser()])
    defaults = [f"postgresql://{user}@localhost:5432/postgres" for user in users]
    candidates = [given, urlsplit(given)._replace(path="/postgres").geturl()] if given else defaults
    refusals = []
    for candidate in candidates:
        try:
            psycopg.connect(candidate, connect_timeout=3).close()
        except psycopg.OperationalError as error:
            refusals.append(" ".join(str(error).split()))
        else:
            return candidate
    raise NotThereError(_why_no_postgres(candidates[0], refusals))


def _why_no_postgres(candidate: str, refusals: list[str]) -> str:
    if all("refused" in refusal or "timeout" in refusal for refusal in refusals):
        return f"no PostgreSQL answers at {_place(candidate)}"
    return f"PostgreSQL at {_place(candidate)} lets nobody in ({refusals[-1]}); set DATABASE_URL"


def _place(address: str, port: int = 5432) -> str:
    parts = urlsplit(address)
    return f"{parts.hostname or 'localhost'}:{parts.port or port}"


def _drop_all(server: str, name: str) -> None:
    """Drop the database, the one pytest-django made beside it, and any that a test left."""
    with psycopg.connect(server, autocommit=True) as connection:
        left = connection.execute(
            "SELECT datname FROM pg_database WHERE datname ~ %s", [f"^(test_)?{name}(_|$)"]
        ).fetchall()
        for (database,) in left:
            drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
            connection.execute(drop.format(sql.Identifier(database)))


@contextmanager
def _own_redis() -> Iterator[str]:
    server = os.environ.get("REDIS_URL") or "redis://localhost:6379"
    for number in range(FIRST_REDIS_NUMBER, REDIS_NUMBERS):
        address = urlsplit(server)._replace(path=f"/{number}").geturl()
        with redis.Redis.from_url(address, socket_connect_timeout=3) as client:
            if not _claim(client, server):
                continue
            try:
                yield address
            finally:
                client.flushdb()
            return
    raise NotThereError(
        f"Redis at {_place(server, 6379)} has no empty database from {FIRST_REDIS_NUMBER} on"
    )


def _claim(client: redis.Redis, server: str) -> bool:
    """Take a database that holds nothing, so that two runs never share one."""
    try:
        ours = client.set(CLAIM, os.getpid(), nx=True, ex=CLAIM_SECONDS)
        if ours and client.dbsize() > 1:
            client.delete(CLAIM)
            return False
        return bool(ours)
    except redis.ConnectionError:
        raise NotThereError(f"no Redis answers at {_place(server, 6379)}") from None
    except redis.ResponseError as error:
        raise NotThereError(f"Redis at {_place(server, 6379)} refuses: {error}") from None


def chromium() -> str:
    """Path of a Chromium that runs: this machine's, or the one Playwright downloaded."""
    installed = [shutil.which(n) for n in ("chromium", "chromium-browser", "google-chrome")]
    with sync_playwright() as playwright:
        candidates = [*installed, playwright.chromium.executable_path]
    for path in candidates:
        if path and Path(path).exists() and _runs(path):
            return path
    raise NotThereError("no Chromium is installed (chromium, chromium-browser, google-chrome)")


def _runs(path: str) -> bool:
    asked = subprocess.run([path, "--version"], capture_output=True, check=False, timeout=30)
    return asked.returncode == 0
