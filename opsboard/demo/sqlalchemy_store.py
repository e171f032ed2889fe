"""The database of the FastAPI and the Flask process: SQLAlchemy on an SQLite file."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event, text

from opsboard.demo.house import Ask


def engine_on(file: Path, count: Callable[[Engine], None]) -> Engine:
    engine = create_engine(f"sqlite:///{file}", connect_args={"timeout": 10})
    event.listen(engine, "connect", _without_automatic_index)
    count(engine)
    return engine


def _without_automatic_index(connection: Any, _: Any) -> None:
    # SQLite would build the dropped index for each query, and hide what is shown here.
    connection.execute("PRAGMA automatic_index=OFF")


def ask_on(engine: Engine) -> Ask:
    def ask(statement: str, values: Mapping[str, object]) -> Sequence[Sequence[Any]]:
        with engine.begin() as connection:
            result = connection.execute(text(statement), dict(values))
            return result.all() if result.returns_rows else []

    return ask
