"""What a FastAPI or Starlette service adds so that a probe sees its database and its cache.

Copy this file into your service and serve `ServerTiming(app, name="fares-api")` instead of `app`
(added as a middleware it would miss the pages that fail). It answers
`Server-Timing: db;dur=23.1;desc="12", app;dur=48.0` (milliseconds; `desc` is the number of database
calls) and `Cache-Status: fares-api; hit`. `count_sqlalchemy(engine)` counts what an engine is asked
(of an async engine give its `sync_engine`); the service itself calls `cache_hit()` or
`cache_miss()` where it looks something up: a page with a miss is a miss, one without any look-up
was made, not kept, and says `fwd=bypass`.

Timing tells a stranger things (whether a name exists, say), so it is answered only to requests that
carry the header X-Opsboard-Probe; with `token="..."`, a secret of your choice, only where the
header holds it. Give the environment on the board a secret variable OPSBOARD_PROBE_TOKEN, and its
probes send it. `tells_everybody=True` tells every request.

`log` is the name of a logger, or a function of one text: it gets one line of JSON for every
request, told or not, with the route's pattern and never its path.
"""

import hmac
import json
import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

type Message = MutableMapping[str, Any]
type Send = Callable[[Message], Awaitable[None]]

PROBE_HEADER = b"x-opsboard-probe"


class Counted:
    """What one request asked of its databases and its cache. Seen by the threads it uses too."""

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


def count_sqlalchemy(engine: Any) -> None:
    """Count every call of this engine; one that fails is a call, and so is a batch."""
    from sqlalchemy import event

    def begin(connection: Any, *_: Any) -> None:
        connection.info["opsboard_began"] = time.perf_counter()

    def end(connection: Any, *_: Any) -> None:
        began = connection.info.pop("opsboard_began", None)
        if began is not None and (counted := _counted.get()):
            counted.calls += 1
            counted.seconds += time.perf_counter() - began

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

    async def __call__(self, scope: Message, receive: Any, send: Send) -> None:
        is_told = scope["type"] == "http" and self._is_told(scope)
        if scope["type"] != "http" or not (is_told or self.log):
            await self.app(scope, receive, send)
            return
        counted, began = Counted(), time.perf_counter()
        # Of an answer that never begins the server makes a 500.
        status, cache = 500, b""

        async def telling(message: Message) -> None:
            nonlocal status, cache
            if message["type"] == "http.response.start":
                spent = time.perf_counter() - began
                told = self._told(counted, message, spent)
                status, headers = message["status"], [*message.get("headers", []), *told]
                cache = dict(headers).get(b"cache-status", b"")
                message["headers"] = headers if is_told else message.get("headers", [])
            await send(message)

        token = _counted.set(counted)
        try:
            await self.app(scope, receive, telling)
        finally:
            _counted.reset(token)
            if callable(self.log):
                spent = time.perf_counter() - began
                self.log(_line(scope, status, cache.decode("latin-1"), counted, spent))

    def _is_told(self, scope: Message) -> bool:
        return self.tells_everybody or any(
            name == PROBE_HEADER and (not self.token or hmac.compare_digest(sent, self.token))
            for name, sent in scope["headers"]
        )

    def _told(self, counted: Counted, message: Message, spent: float) -> list[tuple[bytes, bytes]]:
        database = counted.seconds * 1000
        application = max(spent * 1000 - database, 0.0)
        timing = f'db;dur={database:.1f};desc="{counted.calls}", app;dur={application:.1f}'
        told = [(b"server-timing", timing.encode())]
        names = {name.lower() for name, _ in message.get("headers", [])}
        # A 304 is answered from what the asker kept: saying "made" would be false.
        if message["status"] != 304 and b"cache-status" not in names:
            told.append((b"cache-status", f"{self.name}; {_cache_word(counted)}".encode()))
        return told


def _cache_word(counted: Counted) -> str:
    if counted.misses:
        return "fwd=miss"
    return "hit" if counted.hits else "fwd=bypass"


def _line(scope: Message, status: int, cache: str, counted: Counted, spent: float) -> str:
    """Without the path, where a router knows the route: it may hold ids and secrets."""
    # Of a router that was included elsewhere the route alone lacks what stands before it.
    included = scope.get("fastapi", {}).get("effective_route_context")
    known = getattr(included or scope.get("route"), "path", None)
    told = {
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "method": scope["method"],
        "route": known if known or "router" in scope else scope["path"],
        "status": status,
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
