"""The middlewares that a FastAPI and a Flask service copy: real apps, over real sockets."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from fastapi import FastAPI
from fastapi.responses import PlainTextResponse
from flask import Flask
from sqlalchemy import Engine, text
from starlette.concurrency import run_in_threadpool

from opsboard.instrument import asgi, wsgi
from tests.instrument.serving import Told, ask, cheroot_serves, uvicorn_serves

SLOW = (
    "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 300000)"
    " SELECT count(*) FROM n"
)


class Views:
    """What both apps do, each with the functions of its own middleware."""

    def __init__(self, engine: Engine, hit: Callable[[], None], miss: Callable[[], None]) -> None:
        self.engine, self.hit, self.miss = engine, hit, miss
        self.both_started = threading.Barrier(2, timeout=10)

    def _asks(self, *statements: str) -> None:
        with self.engine.connect() as connection:
            for statement in statements:
                connection.execute(text(statement))

    def three(self) -> None:
        self._asks(*["SELECT 1"] * 3)

    def slow(self) -> None:
        self._asks(SLOW)

    def batch(self) -> None:
        with self.engine.begin() as connection:
            connection.execute(text("CREATE TABLE IF NOT EXISTS port (name TEXT)"))
            connection.execute(
                text("INSERT INTO port VALUES (:name)"), [{"name": "LEI"}, {"name": "STN"}]
            )

    def wrong(self) -> None:
        with pytest.raises(sqlalchemy.exc.OperationalError):
            self._asks("SELECT * FROM no_such_table")
        self._asks("SELECT 1")

    def kept(self) -> None:
        self.hit()

    def made(self) -> None:
        self.hit()
        self.miss()

    def quiet(self) -> None:
        pass

    def two_at_once(self) -> None:
        self.both_started.wait()
        self.three()
        self.both_started.wait()

    def raises(self) -> None:
        self.three()
        raise ZeroDivisionError


NAMES = [name for name in vars(Views) if not name.startswith("_")]


def fastapi_app(engine: Engine, **options: bool) -> asgi.ServerTiming:
    asgi.count_sqlalchemy(engine)
    views, app = Views(engine, asgi.cache_hit, asgi.cache_miss), FastAPI()
    for name in NAMES:
        # A function that is not async runs in a thread of its own.
        app.add_api_route(f"/{name}", getattr(views, name))

    @app.get("/unchanged")
    async def unchanged() -> PlainTextResponse:
        return PlainTextResponse(status_code=304)

    @app.get("/nearer")
    async def nearer() -> PlainTextResponse:
        return PlainTextResponse("", headers={"Cache-Status": "pages; hit"})

    @app.get("/threads")
    async def threads() -> None:
        await asyncio.gather(run_in_threadpool(views.three), run_in_threadpool(views.three))

    return asgi.ServerTiming(app, name="sample", **options)


def flask_app(engine: Engine, **options: bool) -> Flask:
    wsgi.count_sqlalchemy(engine)
    views, app = Views(engine, wsgi.cache_hit, wsgi.cache_miss), Flask("sample")
    app.logger.disabled = True
    app.wsgi_app = wsgi.ServerTiming(app.wsgi_app, name="sample", **options)  # type: ignore[method-assign]
    for name in NAMES:
        app.add_url_rule(f"/{name}", name, _answered(getattr(views, name)))
    app.add_url_rule("/unchanged", "unchanged", lambda: ("", 304))
    app.add_url_rule("/nearer", "nearer", lambda: ("", 200, {"Cache-Status": "pages; hit"}))

    @app.get("/by-hand")
    def by_hand() -> str:
        with wsgi.database_call():
            return ""

    return app


def _answered(view: Callable[[], None]) -> Callable[[], str]:
    def answered() -> str:
        view()
        return ""

    return answered


KINDS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "asgi": (fastapi_app, uvicorn_serves),
    "wsgi": (flask_app, cheroot_serves),
}


@pytest.fixture(params=KINDS, scope="module")
def port(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    file: Path = tmp_path_factory.mktemp("sample") / "sample.sqlite3"
    engine = sqlalchemy.create_engine(f"sqlite:///{file}")
    app, serves = KINDS[request.param]
    with serves(app(engine)) as listening:
        yield listening
    engine.dispose()


def test_the_calls_are_told(port):
    assert ask(port, "/three").calls == 3


def test_the_time_of_the_database_is_told_once_and_left_out_of_the_applications(port):
    ask(port, "/slow")
    database, application = ask(port, "/slow").milliseconds
    assert database > 10 > application


def test_a_batch_is_one_call(port):
    assert ask(port, "/batch").calls == 2


def test_a_call_that_fails_is_counted_and_the_next_one_too(port):
    assert ask(port, "/wrong").calls == 2


@pytest.mark.parametrize(
    ("page", "cache"),
    [
        ("/kept", "sample; hit"),
        ("/made", "sample; fwd=miss"),
        ("/quiet", "sample; fwd=bypass"),
        ("/nearer", "pages; hit"),
        ("/unchanged", None),
        ("/no-such-page", "sample; fwd=bypass"),
    ],
)
def test_the_cache_is_told(port, page, cache):
    assert ask(port, page).cache == cache


def test_a_stranger_is_told_nothing(port):
    told = ask(port, "/three", headers={})
    assert told == Told(200, None, None)


def test_two_requests_at_once_are_counted_apart(port):
    with ThreadPoolExecutor(2) as pool:
        told = list(pool.map(lambda _: ask(port, "/two_at_once").calls, range(2)))
    assert told == [3, 3]


@pytest.mark.parametrize("kind", KINDS)
def test_everybody_is_told_when_the_service_says_so(kind):
    app, serves = KINDS[kind]
    with serves(app(sqlalchemy.create_engine("sqlite://"), tells_everybody=True)) as port:
        assert ask(port, "/quiet", headers={}).timing


def test_a_page_that_fails_is_told_as_well(port):
    told = ask(port, "/raises")
    assert (told.status, told.calls) == (500, 3)


def test_the_threads_of_one_request_are_counted_together(tmp_path):
    engine = sqlalchemy.create_engine(f"sqlite:///{tmp_path / 'sample.sqlite3'}")
    with uvicorn_serves(fastapi_app(engine)) as port:
        assert ask(port, "/threads").calls == 6
    engine.dispose()


def test_a_database_without_sqlalchemy_is_counted_by_hand():
    with cheroot_serves(flask_app(sqlalchemy.create_engine("sqlite://"))) as port:
        assert ask(port, "/by-hand").calls == 1
