"""The services of opsboard.demo.fares as a FastAPI app with SQLAlchemy, served by uvicorn."""

import json
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse
from starlette.concurrency import run_in_threadpool

from opsboard.demo import stores, switches
from opsboard.demo.fares import KINDS, PAGES
from opsboard.demo.house import Answer, Ask, House, Page
from opsboard.demo.kept_in_process import KeptInProcess
from opsboard.demo.probe_token import probe_token
from opsboard.demo.sqlalchemy_store import ask_on, engine_on
from opsboard.demo.switches import UnknownSwitch
from opsboard.instrument.asgi import ServerTiming, cache_hit, cache_miss, count_sqlalchemy

STAGING = "/staging"


def serve(directory: Path, port: int, sites: Mapping[str, str]) -> None:
    app = make_app(directory, sites)
    uvicorn.run(
        app, host="127.0.0.1", port=port, log_level="warning", access_log=False, lifespan="off"
    )


def make_app(directory: Path, sites: Mapping[str, str]) -> ServerTiming:
    store, staging = directory / "fastapi.sqlite3", directory / "fastapi-staging.sqlite3"
    stores.make_store(store, KINDS, fare_rules=stores.FARE_RULES)
    stores.make_store(staging, KINDS, fare_rules=stores.FARE_RULES // 10)
    house = House("fastapi", PAGES, KeptInProcess(), store)
    app = FastAPI(title="Sample services", openapi_url=None)
    ask, ask_staging = (ask_on(engine_on(file, count_sqlalchemy)) for file in (store, staging))
    for page in PAGES:
        _add(app, page.path, page, _answering(house, page, ask))
        _add(app, STAGING + page.path, page, _answering(house, page, ask_staging, is_staging=True))
    _add_switches(app, house, sites)
    return ServerTiming(app, name="fastapi", token=probe_token(directory))


def _add(app: FastAPI, path: str, page: Page, answer: Any) -> None:
    app.add_api_route(path, answer, methods=[page.method], response_class=Response)


def _answering(
    house: House, page: Page, ask: Ask, *, is_staging: bool = False
) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        given: dict[str, Any] = dict(request.query_params)
        if body := await request.body():
            try:
                given |= json.loads(body)
            except (ValueError, TypeError):
                return JSONResponse({"error": "The body is not a JSON object."}, 422)
        made = partial(house.answer, page, given, ask, is_staging=is_staging)
        return _reply(await run_in_threadpool(made))

    return answer


def _reply(answer: Answer) -> Response:
    if answer.cache:
        (cache_hit if answer.cache == "hit" else cache_miss)()
    if isinstance(answer.body, str):
        return HTMLResponse(answer.body, answer.status)
    return JSONResponse(answer.body, answer.status)


def _add_switches(app: FastAPI, house: House, sites: Mapping[str, str]) -> None:
    @app.get(switches.ADDRESS)
    def shown(request: Request) -> Response:
        if "text/html" not in request.headers.get("accept", ""):
            return PlainTextResponse(
                switches.state_of(house.switches), media_type="application/json"
            )
        return HTMLResponse(switches.page_of(house.switches, here=house.name, sites=sites))

    @app.post(switches.ADDRESS + "{name}")
    async def turned(request: Request, name: str) -> Response:
        if not switches.is_from_here(request.headers):
            return PlainTextResponse("Only pages of this address may turn switches.\n", 403)
        try:
            await run_in_threadpool(house.turn, name, request.url.query, await request.body())
        except UnknownSwitch as unknown:
            return PlainTextResponse(f"{unknown}\n", 404)
        if "text/html" in request.headers.get("accept", ""):
            return RedirectResponse(switches.ADDRESS, 303)
        return PlainTextResponse(switches.state_of(house.switches), media_type="application/json")

    @app.post(switches.CACHE_ADDRESS + "{service}")
    async def cleared(request: Request, service: str) -> Response:
        if not switches.is_from_here(request.headers):
            return PlainTextResponse("Only this machine may clear a cache.\n", 403)
        try:
            return JSONResponse({"cleared": await run_in_threadpool(house.clear, service)})
        except UnknownSwitch as unknown:
            return PlainTextResponse(f"{unknown}\n", 404)
