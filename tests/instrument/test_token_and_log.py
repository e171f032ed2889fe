"""Who is told the times of a service, and the line that a service logs for each request."""

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy
from fastapi import APIRouter, FastAPI
from flask import Flask
from sqlalchemy import text
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from opsboard.instrument import asgi, wsgi
from tests.instrument.serving import ask, cheroot_serves, uvicorn_serves

TOKEN = "a token nobody guesses ü"
SECRET = "ada-lovelace-4711"

Options = dict[str, Any]


@contextmanager
def fastapi_serves(**options: Any) -> Iterator[int]:
    threads = {"check_same_thread": False}
    engine = sqlalchemy.create_engine(
        "sqlite://", poolclass=sqlalchemy.StaticPool, connect_args=threads
    )
    asgi.count_sqlalchemy(engine)
    app, router = FastAPI(), APIRouter()

    @router.get("/quotes/{secret}")
    async def quote(secret: str) -> str:
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
        asgi.cache_hit()
        return secret

    @router.get("/broken")
    async def broken() -> None:
        raise ZeroDivisionError

    app.include_router(router, prefix="/v1")
    with uvicorn_serves(asgi.ServerTiming(app, name="pages", **options)) as port:
        yield port
    engine.dispose()


@contextmanager
def flask_serves(**options: Any) -> Iterator[int]:
    app = Flask("sample")
    app.logger.disabled = True

    @app.get("/v1/quotes/<secret>")
    def quote(secret: str) -> str:
        with wsgi.database_call():
            wsgi.cache_hit()
            return secret

    @app.get("/v1/broken")
    def broken() -> None:
        raise ZeroDivisionError

    app.wsgi_app = wsgi.ServerTiming(app.wsgi_app, name="pages", **options)  # type: ignore[method-assign]
    with cheroot_serves(app) as port:
        yield port


SERVES: dict[str, tuple[Callable[..., Any], str]] = {
    "fastapi": (fastapi_serves, "/v1/quotes/{secret}"),
    "flask": (flask_serves, "/v1/quotes/<secret>"),
}
KINDS = pytest.mark.parametrize("kind", SERVES)


def with_header(value: str) -> Mapping[str, Any]:
    return {"X-Opsboard-Probe": value.encode()}


# The token ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "is_told"),
    [
        (with_header(TOKEN), True),
        (with_header(TOKEN + "x"), False),
        (with_header("yes"), False),
        (with_header(""), False),
        ({}, False),
    ],
)
@KINDS
def test_only_who_carries_the_token_is_told(kind, headers, is_told):
    serves, _ = SERVES[kind]
    # What comes over the wire is bytes: WSGI servers read them as Latin-1.
    token = TOKEN if kind == "fastapi" else TOKEN.encode().decode("latin-1")
    with serves(token=token) as port:
        told = ask(port, "/v1/quotes/1", headers)
    assert (told.status, told.timing is not None, told.cache is not None) == (200, is_told, is_told)


@KINDS
def test_without_a_token_whoever_carries_the_header_is_told(kind):
    serves, _ = SERVES[kind]
    with serves() as port:
        assert ask(port, "/v1/quotes/1").timing
        assert ask(port, "/v1/quotes/1", {}).timing is None


@KINDS
def test_a_service_with_a_token_may_still_tell_everybody(kind):
    serves, _ = SERVES[kind]
    with serves(token=TOKEN, tells_everybody=True) as port:
        assert ask(port, "/v1/quotes/1", {}).timing


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("setting", "header", "is_told"),
    [
        ("t" * 32, "t" * 32, True),
        ("t" * 32, "yes", False),
        ("t" * 32, "", False),
        ("t" * 32, "ü", False),
        ("t" * 32, None, False),
        ("", "yes", True),
        ("", None, False),
    ],
)
def test_django_tells_only_who_carries_the_token(client, settings, setting, header, is_told):
    settings.ROOT_URLCONF = "tests.instrument.logged_urls"
    settings.MIDDLEWARE = ["opsboard.instrument.django.ServerTiming"]
    settings.OPSBOARD_PROBE_TOKEN = setting
    headers = {} if header is None else {"X-Opsboard-Probe": header}
    assert ("Server-Timing" in client.get("/v1/quotes/1", headers=headers)) is is_told


# The line of each request --------------------------------------------------------------------


def logged(kind: str, *paths: str, headers: Mapping[str, str] | None = None) -> list[Options]:
    lines: list[str] = []
    serves, _ = SERVES[kind]
    with serves(log=lines.append) as port:
        for path in paths:
            ask(port, path, headers or {})
    assert SECRET not in "".join(lines)
    return [json.loads(line) for line in lines]


@KINDS
def test_a_request_of_a_stranger_is_logged_with_what_it_cost_and_no_id_of_its_path(kind):
    (line,) = logged(kind, f"/v1/quotes/{SECRET}?token={SECRET}")
    at = datetime.fromisoformat(line.pop("time"))
    assert abs(datetime.now(UTC) - at) < timedelta(minutes=1)
    assert line.pop("ms") >= line.pop("db_ms") >= 0
    assert line == {
        "method": "GET",
        "route": SERVES[kind][1],
        "status": 200,
        "cache": "hit",
        "db_calls": 1,
    }


@KINDS
def test_a_page_that_no_route_knows_is_logged_without_its_path(kind):
    (line,) = logged(kind, f"/no-such/{SECRET}")
    assert (line["route"], line["status"], line["cache"]) == (None, 404, "fwd=bypass")


@KINDS
def test_a_page_that_fails_is_logged(kind):
    (line,) = logged(kind, "/v1/broken")
    assert (line["route"], line["status"]) == ("/v1/broken", 500)


@KINDS
def test_a_stranger_whose_request_is_logged_is_told_nothing(kind):
    serves, _ = SERVES[kind]
    with serves(log=lambda _: None) as port:
        told = ask(port, "/v1/quotes/1", {})
    assert (told.timing, told.cache) == (None, None)


@KINDS
def test_the_name_of_a_logger_will_do(kind, caplog):
    serves, pattern = SERVES[kind]
    caplog.set_level(logging.INFO, logger="requests.of.mine")
    with serves(log="requests.of.mine") as port:
        ask(port, f"/v1/quotes/{SECRET}")
    (message,) = [one.getMessage() for one in caplog.records if one.name == "requests.of.mine"]
    assert json.loads(message)["route"] == pattern


def test_an_app_that_raises_is_logged_as_a_500_of_its_server():
    lines: list[str] = []

    def raises(_environ: Any, _start: Any) -> Any:
        raise ZeroDivisionError

    with cheroot_serves(wsgi.ServerTiming(raises, log=lines.append)) as port:
        assert ask(port, "/plain").status == 500
    told = json.loads(lines[0])
    assert (told["status"], told["route"]) == (500, "/plain")


def test_starlette_alone_tells_its_route():
    lines: list[str] = []

    async def quote(request: Request) -> PlainTextResponse:
        return PlainTextResponse(request.path_params["secret"])

    app = Starlette(routes=[Route("/quotes/{secret}", quote)])
    with uvicorn_serves(asgi.ServerTiming(app, log=lines.append)) as port:
        ask(port, f"/quotes/{SECRET}")
    assert json.loads(lines[0])["route"] == "/quotes/{secret}"


@pytest.mark.django_db
@pytest.mark.parametrize("by_name", [True, False])
def test_django_logs_a_line_for_a_request_of_a_stranger(client, settings, caplog, by_name):
    lines: list[str] = []
    settings.ROOT_URLCONF = "tests.instrument.logged_urls"
    settings.MIDDLEWARE = ["opsboard.instrument.django.ServerTiming"]
    settings.OPSBOARD_REQUEST_LOG = "requests.of.mine" if by_name else lines.append
    with caplog.at_level(logging.INFO, logger="requests.of.mine"):
        answer = client.get(f"/v1/quotes/{SECRET}?token={SECRET}")
        client.get(f"/no-such/{SECRET}")
    if by_name:
        lines = [one.getMessage() for one in caplog.records if one.name == "requests.of.mine"]
    assert SECRET not in "".join(lines)
    assert "Server-Timing" not in answer
    found, missing = map(json.loads, lines)
    assert found.pop("ms") >= found.pop("db_ms") >= 0
    assert datetime.fromisoformat(found.pop("time")).tzinfo is not None
    assert found == {
        "method": "GET",
        "route": "/v1/quotes/<str:secret>",
        "status": 200,
        "cache": "hit",
        "db_calls": 1,
    }
    assert (missing["route"], missing["status"], missing["cache"]) == (None, 404, "fwd=bypass")
