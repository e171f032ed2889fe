"""The SQLite files of the sample services: the same on every machine, and mended at a start."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path

# Raised whenever what is stored changes: an older file is made anew.
VERSION = 2
# As many as a page lists; with one query for each of them it takes that many calls more.
RECORDS = 140
# What a query has to read when no index serves it.
ARCHIVED = 50_000
FARE_RULES = 150_000
SEASONS = 120
WRITTEN_KEPT = 200
# For each service the kinds of record it has.
type Kinds = Mapping[str, Sequence[str]]

ROUTES = ("LEI-STN", "STN-LEI", "HUL-STN", "STN-HUL", "LEI-HUL", "HUL-LEI")

_TABLES = """
CREATE TABLE record (
    id INTEGER PRIMARY KEY, service TEXT NOT NULL, kind TEXT NOT NULL,
    code TEXT NOT NULL, name TEXT NOT NULL, amount INTEGER NOT NULL
);
CREATE TABLE fare_season (id INTEGER PRIMARY KEY, route TEXT NOT NULL, name TEXT NOT NULL);
CREATE TABLE fare_rule (
    id INTEGER PRIMARY KEY, route TEXT NOT NULL, season TEXT NOT NULL, amount INTEGER NOT NULL
);
CREATE TABLE written (
    id INTEGER PRIMARY KEY, service TEXT NOT NULL, kind TEXT NOT NULL, code TEXT NOT NULL
);
"""
_INDEXES = """
CREATE INDEX IF NOT EXISTS record_by_kind ON record (service, kind);
CREATE INDEX IF NOT EXISTS fare_season_by_route ON fare_season (route);
"""
_FARE_INDEX = "CREATE INDEX IF NOT EXISTS fare_rule_by_route ON fare_rule (route, season, amount)"


def make_store(file: Path, kinds: Kinds, *, fare_rules: int = 0) -> None:
    """A database with the records of these services. Mends an index that a switch has dropped."""
    with closing(sqlite3.connect(file, timeout=10)) as database:
        database.execute("PRAGMA journal_mode=WAL")
        with database:
            if database.execute("PRAGMA user_version").fetchone()[0] != VERSION:
                _fill(database, kinds, fare_rules)
            database.executescript(_INDEXES + _FARE_INDEX)


def _fill(database: sqlite3.Connection, kinds: Kinds, fare_rules: int) -> None:
    for table in ("record", "fare_season", "fare_rule", "written"):
        database.execute(f"DROP TABLE IF EXISTS {table}")
    database.executescript(_TABLES)
    insert = "INSERT INTO record (service, kind, code, name, amount) VALUES (?, ?, ?, ?, ?)"
    database.executemany(insert, _records(kinds))
    database.executemany(insert, _archived())
    database.executemany("INSERT INTO fare_season (route, name) VALUES (?, ?)", _seasons())
    database.executemany(
        "INSERT INTO fare_rule (route, season, amount) VALUES (?, ?, ?)", _fare_rules(fare_rules)
    )
    database.execute(f"PRAGMA user_version = {VERSION}")


def _records(kinds: Kinds) -> Iterator[tuple[str, str, str, str, int]]:
    for service, of_service in kinds.items():
        for kind in of_service:
            for number in range(RECORDS):
                yield service, kind, f"{kind[:2].upper()}{number:03}", f"{kind} {number}", number


def _archived() -> Iterator[tuple[str, str, str, str, int]]:
    for number in range(ARCHIVED):
        yield "archive", "crossing", f"AR{number:06}", "kept for seven years", number % 500


def _seasons() -> Iterator[tuple[str, str]]:
    for route in ROUTES:
        for number in range(SEASONS):
            yield route, f"week {number:03}"


def _fare_rules(count: int) -> Iterator[tuple[str, str, int]]:
    """In cents, for one adult: 48.20 at most between Leith and Stromness."""
    for number in range(count):
        route = number % len(ROUTES)
        week = number // len(ROUTES) % SEASONS
        yield ROUTES[route], f"week {week:03}", 4820 - number % 700 if route < 2 else 3900


def drop_fare_index(file: Path) -> None:
    """From now on a price is found by reading every fare rule, once for each season."""
    _write(file, "DROP INDEX IF EXISTS fare_rule_by_route")


def make_fare_index(file: Path) -> None:
    _write(file, _FARE_INDEX)


def _write(file: Path, statement: str) -> None:
    with closing(sqlite3.connect(file, timeout=10)) as database, database:
        database.execute(statement)
