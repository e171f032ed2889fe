"""What a Django service adds so that a probe sees its database calls: one middleware.

Copy this file into your service and name the class in MIDDLEWARE, above everything that asks the
database. It answers `Server-Timing: db;dur=23.1;desc="12", app;dur=48.0` (milliseconds; `desc` is
the number of database calls) and `Cache-Status: django; fwd=bypass`: the page was made, not kept.

Timing tells a stranger things (whether a name exists, say), so it is answered only to requests that
carry the header X-Opsboard-Probe, unless the Django setting OPSBOARD_TIMING is "all".
"""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
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
        if not _is_told(request):
            return self.get_response(request)
        calls = DatabaseCalls()
        started = time.perf_counter()
        with calls.counted():
            response = self.get_response(request)
        spent = time.perf_counter() - started
        _tell(response, calls, spent)
        return response


def _is_told(request: HttpRequest) -> bool:
    return (
        PROBE_HEADER in request.headers or getattr(settings, "OPSBOARD_TIMING", "probes") == "all"
    )


def _tell(response: HttpResponseBase, calls: DatabaseCalls, spent: float) -> None:
    database = calls.seconds * 1000
    application = max(spent * 1000 - database, 0.0)
    response["Server-Timing"] = (
        f'db;dur={database:.1f};desc="{calls.count}", app;dur={application:.1f}'
    )
    # A 304 is answered from what the asker kept: saying "made" would be false.
    if response.status_code != 304 and "Cache-Status" not in response:
        response["Cache-Status"] = "django; fwd=bypass"
