"""A backup is also the way from the embedded board to production, and back."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from tests.far_side import FarSide
from tests.running.backups import (
    FAILING_DELIVERY,
    Machine,
    but_for_the_restore,
    counts_in,
    counts_of,
    manage,
    prepared,
    seed,
)
from tests.running.processes import ask, board, until


@contextmanager
def a_database() -> Iterator[str]:
    """An address of a PostgreSQL database for this test alone."""
    server, name = os.environ["DATABASE_URL"], f"opsboard_{os.getpid()}_backup"
    base = server.rpartition("/")[0]
    with psycopg.connect(f"{base}/postgres", autocommit=True) as connection:
        drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        connection.execute(drop)
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield f"{base}/{name}"
        finally:
            connection.execute(drop)


def postgres_counts(address: str, tables: list[str]) -> dict[str, int]:
    with psycopg.connect(address) as connection:
        return {
            table: connection.execute(
                sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))
            ).fetchall()[0][0]
            for table in tables
        }


@pytest.mark.servers
def test_an_embedded_board_moves_to_postgresql_and_back(data: Path, port: int) -> None:
    there, back = data.parent / "there.gz", data.parent / "back.gz"
    with FarSide(Machine()) as far_side, a_database() as address:
        seed(data, far_side.url(""), far_side.url("/hook"))
        with board(data, port):
            assert until(lambda: ask(data, FAILING_DELIVERY))
            assert manage(data, "backup", str(there)).returncode == 0
        keys = {"OPSBOARD_FIELD_KEYS": (data / "field_keys").read_text()}
        assert manage(data, "prepare", **keys, DATABASE_URL=address).returncode == 0
        restore = manage(data, "restore", str(there), **keys, DATABASE_URL=address)
        assert restore.returncode == 0, restore.stderr
        counts = counts_in(there)
        assert postgres_counts(address, list(counts)) == but_for_the_restore(counts)

        assert manage(data, "backup", str(back), **keys, DATABASE_URL=address).returncode == 0
        elsewhere = prepared(data.parent / "elsewhere", **keys)
        assert manage(elsewhere, "restore", str(back), **keys).returncode == 0
        twice = but_for_the_restore(but_for_the_restore(counts))
        assert counts_of(elsewhere, list(counts)) == twice
