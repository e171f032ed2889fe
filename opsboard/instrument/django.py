"""What a Django service adds so that a probe sees its database calls: one middleware.

Copy this file into your service and name the class in MIDDLEWARE, above everything that asks the
database. It answers `Server-Timing: db;dur=23.1;desc="12", app;dur=48.0` (milliseconds; `desc` is
the number of database calls) and `Cache-Status: django; fwd=bypass`: the page was made, not kept.

Timing tells a stranger things (whether a name exists, say), so it is answered only to requests that
carry the header X-Opsboard-Probe. These Django settings change that:

    OPSBOARD_PROBE_TOKEN   a secret of your choice: the header must hold it. Give the environment on
                           the board a secret variable of the same name, and its probes send it.
    OPSBOARD_TIMING        "all": every request is told
    OPSBOARD_REQUEST_LOG   the name of a logger, or a function of one text: one line of JSON for
                           every request, told or not; with the route's pattern, never its path
"""

import hmac
import json
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db import connections
from django.http import HttpRequest
from django.http.response import HttpResponseBase

PROBE_HEADER = "X-Opsboard-Probe"


class DatabaseCalls:
    """Counts what one request asks of all databases. One per request, so no thread shares it."""

    def __init__(self) -> None:
        self.count = 0
        self.seconds = 0.0

    def __call__(
        self, execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any
    ) -> Any:
        started = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            self.count += 1
            self.seconds += time.perf_counter() - started

    @contextmanager
    def counted(self) -> Iterator[None]:
        with ExitStack() as stack:
            for connection in connections.all():
                stack.enter_context(connection.execute_wrapper(self))
            yield


class ServerTiming:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        log, is_told = getattr(settings, "OPSBOARD_REQUEST_LOG", None), _is_told(request)
        if not (is_told or log):
            return self.get_response(request)
        calls = DatabaseCalls()
        started = time.perf_counter()
        with calls.counted():
            response = self.get_response(request)
        spent = time.perf_counter() - started
        if log:
            write = log if callable(log) else logging.getLogger(log).info
            write(_line(request, response, calls, spent))
        if is_told:
            _tell(response, calls, spent)
        return response


def _is_told(request: HttpRequest) -> bool:
    if getattr(settings, "OPSBOARD_TIMING", "probes") == "all":
        return True
    sent, token = request.headers.get(PROBE_HEADER), getattr(settings, "OPSBOARD_PROBE_TOKEN", "")
    return sent is not None and (not token or hmac.compare_digest(sent.encode(), token.encode()))


def _line(
    request: HttpRequest, response: HttpResponseBase, calls: DatabaseCalls, spent: float
) -> str:
    """Without the path: it may hold ids and secrets, also where no route knows it."""
    match = request.resolver_match
    told = {
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "method": request.method,
        "route": f"/{match.route}" if match else None,
        "status": response.status_code,
        "ms": round(spent * 1000, 1),
        "cache": _cache_word(response),
        "db_calls": calls.count,
        "db_ms": round(calls.seconds * 1000, 1),
    }
    return json.dumps(told)


def _cache_word(response: HttpResponseBase) -> str:
    """Of the cache nearest to who asks: "hit", or why it was not, as in "fwd=miss"."""
    made = "" if response.status_code == 304 else "; fwd=bypass"
    said = response.get("Cache-Status", made).rpartition(",")[2]
    words = (word.strip() for word in said.split(";")[1:])
    return next((word for word in words if word == "hit" or word.startswith("fwd=")), "unknown")


def _tell(response: HttpResponseBase, calls: DatabaseCalls, spent: float) -> None:
    database = calls.seconds * 1000
    application = max(spent * 1000 - database, 0.0)
    response["Server-Timing"] = (
        f'db;dur={database:.1f};desc="{calls.count}", app;dur={application:.1f}'
    )
    # A 304 is answered from what the asker kept: saying "made" would be false.
    if response.status_code != 304 and "Cache-Status" not in response:
        response["Cache-Status"] = "django; fwd=bypass"
