"""What a Flask or other WSGI service adds so that a probe sees its database and its cache.

Copy this file into your service. `app.wsgi_app = ServerTiming(app.wsgi_app, name="gates")` answers
`Server-Timing: db;dur=23.1;desc="12", app;dur=48.0` (milliseconds; `desc` is the number of database
calls) and `Cache-Status: gates; hit`. `count_sqlalchemy(engine)` counts what an engine is asked;
without SQLAlchemy put each call into `with database_call():`. The service itself calls
`cache_hit()` or `cache_miss()` where it looks something up: a page with a miss is a miss, one
without any look-up was made, not kept, and says `fwd=bypass`.

Timing tells a stranger things (whether a name exists, say), so it is answered only to requests that
carry the header X-Opsboard-Probe; with `token="..."`, a secret of your choice, only where the
header holds it. Give the environment on the board a secret variable OPSBOARD_PROBE_TOKEN, and its
probes send it. `tells_everybody=True` tells every request.

`log` is the name of a logger, or a function of one text: it gets one line of JSON for every
request, told or not, with the route's pattern and never its path. A page
that is streamed is told and logged as it begins: what its parts ask later is not in it.
"""

import hmac
import json
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

PROBE_VARIABLE = "HTTP_X_OPSBOARD_PROBE"


class Counted:
    """What one request asked of its databases and its cache."""

    def __init__(self) -> None:
        self.calls, self.seconds = 0, 0.0
        self.hits, self.misses = 0, 0


_counted: ContextVar[Counted | None] = ContextVar("opsboard_counted", default=None)


def cache_hit() -> None:
    if counted := _counted.get():
        counted.hits += 1


def cache_miss() -> None:
    if counted := _counted.get():
        counted.misses += 1


@contextmanager
def database_call() -> Iterator[None]:
    began = time.perf_counter()
    try:
        yield
    finally:
        _add(began)


def _add(began: float) -> None:
    if counted := _counted.get():
        counted.calls += 1
        counted.seconds += time.perf_counter() - began


def count_sqlalchemy(engine: Any) -> None:
    """Count every call of this engine; one that fails is a call, and so is a batch."""
    from sqlalchemy import event

    def begin(connection: Any, *_: Any) -> None:
        connection.info["opsboard_began"] = time.perf_counter()

    def end(connection: Any, *_: Any) -> None:
        began = connection.info.pop("opsboard_began", None)
        if began is not None:
            _add(began)

    def fail(context: Any) -> None:
        # No connection: it could not be made, so nothing was asked.
        if context.connection is not None:
            end(context.connection)

    event.listen(engine, "before_cursor_execute", begin)
    event.listen(engine, "after_cursor_execute", end)
    event.listen(engine, "handle_error", fail)


class ServerTiming:
    def __init__(
        self,
        app: Any,
        *,
        name: str = "app",
        token: str = "",
        tells_everybody: bool = False,
        log: str | Callable[[str], object] = "",
    ) -> None:
        self.app, self.name = app, name
        self.token, self.tells_everybody = token.encode(), tells_everybody
        self.log = logging.getLogger(log).info if log and isinstance(log, str) else log

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        is_told = self._is_told(environ)
        if not (is_told or self.log):
            answer: Iterable[bytes] = self.app(environ, start_response)
            return answer
        counted, began = Counted(), time.perf_counter()

        def telling(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            spent = time.perf_counter() - began
            all_headers = [*headers, *self._told(counted, status, headers, spent)]
            if callable(self.log):
                self.log(_line(environ, status, all_headers, counted, spent))
            return start_response(status, all_headers if is_told else headers, *error)

        token = _counted.set(counted)
        try:
            answer = self.app(environ, telling)
        except Exception:
            if callable(self.log):
                self.log(_line(environ, "500", [], counted, time.perf_counter() - began))
            raise
        finally:
            _counted.reset(token)
        return answer

    def _is_told(self, environ: dict[str, Any]) -> bool:
        sent = environ.get(PROBE_VARIABLE)
        return self.tells_everybody or (
            sent is not None and (not self.token or hmac.compare_digest(sent.encode(), self.token))
        )

    def _told(
        self, counted: Counted, status: str, headers: list[tuple[str, str]], spent: float
    ) -> list[tuple[str, str]]:
        database = counted.seconds * 1000
        application = max(spent * 1000 - database, 0.0)
        timing = f'db;dur={database:.1f};desc="{counted.calls}", app;dur={application:.1f}'
        told = [("Server-Timing", timing)]
        names = {name.lower() for name, _ in headers}
        # A 304 is answered from what the asker kept: saying "made" would be false.
        if not status.startswith("304") and "cache-status" not in names:
            told.append(("Cache-Status", f"{self.name}; {_cache_word(counted)}"))
        return told


def _cache_word(counted: Counted) -> str:
    if counted.misses:
        return "fwd=miss"
    return "hit" if counted.hits else "fwd=bypass"


def _line(
    environ: dict[str, Any],
    status: str,
    headers: list[tuple[str, str]],
    counted: Counted,
    spent: float,
) -> str:
    """Without the path, where Flask knows the route: it may hold ids and secrets."""
    request = environ.get("werkzeug.request")
    rule = getattr(request, "url_rule", None)
    cache = next((value for name, value in headers if name.lower() == "cache-status"), "")
    told = {
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "method": environ["REQUEST_METHOD"],
        "route": environ.get("PATH_INFO", "") if request is None else rule and rule.rule,
        "status": int(status.split()[0]),
        "ms": round(spent * 1000, 1),
        "cache": _nearest(cache),
        "db_calls": counted.calls,
        "db_ms": round(counted.seconds * 1000, 1),
    }
    return json.dumps(told)


def _nearest(cache: str) -> str:
    """What the cache nearest to who asks said: "hit", or why it was not, as in "fwd=miss"."""
    words = (word.strip() for word in cache.rpartition(",")[2].split(";")[1:])
    return next((word for word in words if word == "hit" or word.startswith("fwd=")), "unknown")
