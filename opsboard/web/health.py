"""Whether this process lives, and whether Opsboard does its work. Open to everybody."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db import Error as DatabaseError
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from opsboard.alerts.unsent import part_of_channels, unsent_of
from opsboard.incidents.models import Incident
from opsboard.probes.wellness import banner_of, parts_of_signs, signs_of, trouble_now
from opsboard.services.together import Part, kept
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


@dataclass(frozen=True, slots=True)
class Around:
    """What every page shows around its own."""

    # The sentence at the top; None when all is well.
    banner: str | None
    open_incidents: int


def banner() -> str | None:
    return _or_no_database(lambda now: look_around(now).banner)


def look_around(now: datetime) -> Around:
    """One query. Raises what the database raises when it is away."""
    found = kept(_parts).read()
    said = [banner_of(signs_of(found), now), unsent_of(found["channels"], now)]
    return Around(
        banner=" ".join(filter(None, said)) or None,
        open_incidents=sum(row["count"] for row in found["incidents"]),
    )


def _parts() -> dict[str, Part]:
    standing = Incident.objects.open().standing().values("resolved_at")
    return {
        **parts_of_signs(),
        "channels": part_of_channels(),
        "incidents": (standing.annotate(count=Count("pk")), ("count",)),
    }


def _or_no_database(look: Callable[[datetime], str | None]) -> str | None:
    try:
        return look(timezone.now())
    except DatabaseError:
        return NO_DATABASE
