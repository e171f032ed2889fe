"""The services of opsboard.demo.harbour as a Flask app with SQLAlchemy, served by cheroot."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from cheroot.wsgi import Server
from flask import Flask, Response, jsonify, redirect, request

from opsboard.demo import stores, switches
from opsboard.demo.harbour import KINDS, PAGES
from opsboard.demo.house import Answer, Ask, House, Page
from opsboard.demo.kept_in_process import KeptInProcess
from opsboard.demo.probe_token import probe_token
from opsboard.demo.sqlalchemy_store import ask_on, engine_on
from opsboard.demo.switches import UnknownSwitch
from opsboard.instrument.wsgi import ServerTiming, cache_hit, cache_miss, count_sqlalchemy

# More than may hang at a time: the switch page always answers.
THREADS = 8


def serve(directory: Path, port: int, sites: Mapping[str, str]) -> None:
    Server(("127.0.0.1", port), make_app(directory, sites), numthreads=THREADS).start()


def make_app(directory: Path, sites: Mapping[str, str]) -> Flask:
    store = directory / "flask.sqlite3"
    stores.make_store(store, KINDS)
    house = House("flask", PAGES, KeptInProcess(), store)
    app = Flask("opsboard.demo.flask_services")
    ask = ask_on(engine_on(store, count_sqlalchemy))
    for page in PAGES:
        app.add_url_rule(page.path, page.path, _answering(house, page, ask), methods=[page.method])
    _add_switches(app, house, sites)
    token = probe_token(directory)
    app.wsgi_app = ServerTiming(app.wsgi_app, name="flask", token=token)  # type: ignore[method-assign]
    return app


def _answering(house: House, page: Page, ask: Ask) -> Callable[[], tuple[Any, int]]:
    def answer() -> tuple[Any, int]:
        given = dict(request.args) | (request.get_json(silent=True) or {})
        return _reply(house.answer(page, given, ask))

    return answer


def _reply(answer: Answer) -> tuple[Any, int]:
    if answer.cache:
        (cache_hit if answer.cache == "hit" else cache_miss)()
    body = answer.body
    return (body if isinstance(body, str) else jsonify(body)), answer.status


def _wants_page() -> bool:
    return "text/html" in request.headers.get("Accept", "")


def _add_switches(app: Flask, house: House, sites: Mapping[str, str]) -> None:
    @app.get(switches.ADDRESS)
    def shown() -> Response:
        if not _wants_page():
            return Response(switches.state_of(house.switches), mimetype="application/json")
        return Response(switches.page_of(house.switches, here=house.name, sites=sites))

    @app.post(switches.ADDRESS + "<name>")
    def turned(name: str) -> Any:
        headers = {key.lower(): value for key, value in request.headers.items()}
        if not switches.is_from_here(headers):
            return "Only pages of this address may turn switches.\n", 403
        try:
            house.turn(name, request.query_string.decode("ascii", "replace"), request.get_data())
        except UnknownSwitch as unknown:
            return f"{unknown}\n", 404
        if _wants_page():
            return redirect(switches.ADDRESS, 303)
        return Response(switches.state_of(house.switches), mimetype="application/json")
