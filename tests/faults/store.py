"""Reads and writes the database of a run from outside, past Opsboard's own code."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import psycopg

PATIENCE_SECONDS = 20


@dataclass(frozen=True)
class Store:
    url: str

    @property
    def is_sqlite(self) -> bool:
        return self.url.startswith("sqlite:")

    def rows(self, question: str, *values: Any) -> list[tuple[Any, ...]]:
        """Each %s in the question is a value."""
        with self._connected() as connection:
            return list(connection.execute(*self._in_dialect(question, values)).fetchall())

    def one(self, question: str, *values: Any) -> Any:
        return self.rows(question, *values)[0][0]

    def write(self, statement: str, *values: Any) -> None:
        with self._connected() as connection:
            connection.execute(*self._in_dialect(statement, values))
            connection.commit()

    def _in_dialect(self, statement: str, values: tuple[Any, ...]) -> tuple[Any, ...]:
        # Without values a percent sign is only a percent sign.
        if not values:
            return (statement,)
        return (statement.replace("%s", "?") if self.is_sqlite else statement, values)

    def _connected(self) -> Any:
        if self.is_sqlite:
            path = urlsplit(self.url).path
            return closing(sqlite3.connect(path, timeout=PATIENCE_SECONDS))
        return closing(psycopg.connect(self.url, connect_timeout=PATIENCE_SECONDS))
