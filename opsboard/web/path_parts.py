"""What the page of a critical path reads in one query, see opsboard.services.together."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet

from opsboard.alerts.hearing import Audience
from opsboard.alerts.holding import Overlays
from opsboard.board.declarations import kept_of
from opsboard.board.things import Thing
from opsboard.probes.models import Exchange, moment
from opsboard.probes.path_states import PathNow
from opsboard.releases.before_after import deploys_of
from opsboard.services import windows
from opsboard.services.models import CriticalPath
from opsboard.web import chart_marks, path_history
from opsboard.web.broken import open_places
from opsboard.web.path_history import Seen
from opsboard.web.path_place import Place
from opsboard.web.series import Range, changes_in, span_of

EXCHANGES_SHOWN = 5

type Parts = dict[str, QuerySet[Any]]
type Found = Mapping[str, list[Any]]


def thing_of(path: CriticalPath) -> Thing:
    """As a board file names it."""
    return ("path", path.service.slug, path.slug)


def parts_of(
    place: Place,
    standing: PathNow,
    seen: Seen,
    chosen: Range,
    *,
    is_poll: bool,
    may_edit: bool,
    now: datetime,
) -> Parts:
    path, environment = place.path, place.environment
    parts: Parts = {
        **Audience.parts(),
        **Overlays.parts(now, now.date()),
        **path_history.parts(path, place.probes, seen, now=now),
        "incidents": open_places().filter(path=path, incident__environment=environment),
        "declarations": kept_of(thing_of(path)),
    }
    if may_edit:
        parts["exchanges"] = _exchanges(place)
    if not is_poll:
        # With those that are open now.
        since, soon = moment(span_of(standing, chosen, now=now)[0]), timedelta(microseconds=1)
        parts["windows"] = windows.touching(since, now + soon)
        parts["deploys"] = deploys_of(environment, now=now)
    if not (is_poll and chosen.is_rolled):
        parts |= _of_chart(place, standing, chosen, now=now)
    return parts


def _of_chart(place: Place, standing: PathNow, chosen: Range, *, now: datetime) -> Parts:
    since, until = span_of(standing, chosen, now=now)
    return {
        "stood": changes_in(standing, chosen, now=now),
        **chart_marks.parts(place.path, place.environment, since=since, until=until),
    }


def _exchanges(place: Place) -> QuerySet[Exchange]:
    newest = Exchange.objects.filter(probe__in=place.probes).order_by("-slot_at", "-pk")
    return Exchange.objects.filter(pk__in=newest.values("pk")[:EXCHANGES_SHOWN])
