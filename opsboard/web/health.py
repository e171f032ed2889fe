"""Whether this process lives, and whether Opsboard does its work. Open to everybody."""

from collections.abc import Callable
from datetime import datetime

from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from opsboard.alerts.unsent import unsent
from opsboard.probes.wellness import banner_now, trouble_now
from opsboard.web.access import requires

NO_DATABASE = "The database does not answer. Look at it, and at DATABASE_URL."


@requires("nobody")
@require_safe
@never_cache
def healthz(_request: HttpRequest) -> HttpResponse:
    """200 while the process answers. Asks no database: a restart would not mend that one."""
    return HttpResponse("ok\n", content_type="text/plain")


@requires("nobody")
@require_safe
@never_cache
def readyz(_request: HttpRequest) -> HttpResponse:
    """200, or 503 with the reason in one sentence, which is the banner on every page too."""
    reason = why_not_ready()
    return HttpResponse(
        f"{reason or 'ready'}\n", status=503 if reason else 200, content_type="text/plain"
    )


def why_not_ready() -> str | None:
    return _or_no_database(trouble_now)


def banner() -> str | None:
    """The sentence at the top of every page; None when all is well."""
    return _or_no_database(_all_to_know)


def _all_to_know(now: datetime) -> str | None:
    return " ".join(filter(None, [banner_now(now), unsent(now)])) or None


def _or_no_database(look: Callable[[datetime], str | None]) -> str | None:
    try:
        return look(timezone.now())
    except DatabaseError:
        return NO_DATABASE
