"""What the page of a critical path reads in one query, see opsboard.services.together.

The statement is written once for all paths: it is long, and writing it takes longer than answering.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import BigIntegerField, CharField, DateField, DateTimeField, QuerySet

from opsboard.alerts.hearing import Audience
from opsboard.alerts.holding import Overlays
from opsboard.board import things
from opsboard.board.declarations import kept_of
from opsboard.probes.models import Exchange, microseconds, moment
from opsboard.probes.path_states import PathNow
from opsboard.releases.before_after import deploys_of
from opsboard.services import windows
from opsboard.services.models import CriticalPath
from opsboard.services.rota import parts_of_rotas
from opsboard.services.together import NOW, Given, Part, kept, one_of, whole
from opsboard.web import chart_marks, path_history
from opsboard.web.broken import open_places
from opsboard.web.path_history import Seen
from opsboard.web.path_place import Place
from opsboard.web.series import Range, span_of
from opsboard.web.uptime import changes_since, known_since

EXCHANGES_SHOWN = 5

type Parts = dict[str, QuerySet[Any]]
type Found = Mapping[str, list[Any]]


def _number(name: str) -> Given:
    return Given(name, BigIntegerField())


PATH, SERVICE, ENVIRONMENT, TEAM = map(_number, ("path", "service", "environment", "team"))
SLUG = Given("slug", CharField())
# The range of the chart.
SINCE, UNTIL = Given("since", DateTimeField()), Given("until", DateTimeField())
FIRST_DAY, LAST_DAY = Given("first_day", DateField()), Given("last_day", DateField())
# In microseconds since 1970.
KNOWN_SINCE, GAPS_SINCE = map(_number, ("known_since", "gaps_since"))


class _Shape(NamedTuple):
    """All in which the statement of one page differs from that of another."""

    # Its probes, one for each location, and the places of those that saw trouble.
    probes: int
    troubled: tuple[int, ...]
    is_poll: bool
    may_edit: bool
    has_chart: bool


def thing_of(path: CriticalPath) -> things.Thing:
    """As a board file names it."""
    return ("path", path.service.slug, path.slug)


def read_found(
    place: Place,
    standing: PathNow,
    seen: Seen,
    chosen: Range,
    *,
    is_poll: bool,
    may_edit: bool,
    now: datetime,
) -> Found:
    """One query."""
    path, troubled = place.path, path_history.troubled(place.probes, seen)
    since, until = span_of(standing, chosen, now=now)
    # With the windows that are open now.
    days = windows.days_around(moment(since), now + timedelta(microseconds=1))
    shape = _Shape(
        probes=len(place.probes),
        troubled=tuple(troubled),
        is_poll=is_poll,
        may_edit=may_edit,
        has_chart=not (is_poll and chosen.is_rolled),
    )
    return kept(_parts, shape, now.date()).read(
        now=now,
        path=path.pk,
        service=path.service_id,
        environment=place.environment.pk,
        team=path.owning_team.pk,
        slug=path.service.slug,
        since=moment(since),
        until=moment(until),
        first_day=days[0],
        last_day=days[1],
        known_since=known_since(since, now=now),
        gaps_since=microseconds(now - path_history.GAPS_OF),
        **{f"probe_{number}": probe.pk for number, probe in enumerate(place.probes)},
        **{f"seen_since_{number}": at for number, at in troubled.items()},
    )


def _parts(shape: _Shape, today: date) -> dict[str, Part]:
    probes = [_number(f"probe_{place}") for place in range(shape.probes)]
    parts: Parts = {
        **Audience.parts(),
        **Overlays.parts(NOW, today),
        **path_history.parts(
            PATH,
            SERVICE,
            ENVIRONMENT,
            probes,
            seen_since={place: _number(f"seen_since_{place}") for place in shape.troubled},
            gaps_since=GAPS_SINCE,
        ),
        "incidents": open_places().filter(path=PATH, incident__environment=ENVIRONMENT),
        "declarations": kept_of(things.SERVICE, SLUG),
    }
    if shape.may_edit:
        newest = Exchange.objects.filter(one_of("probe", probes)).order_by("-slot_at", "-pk")
        few = newest.values("pk")[:EXCHANGES_SHOWN]
        parts["exchanges"] = Exchange.objects.filter(pk__in=few)
    if not shape.is_poll:
        parts["windows"] = windows.of_days(FIRST_DAY, LAST_DAY, SINCE)
        parts["deploys"] = deploys_of(ENVIRONMENT, now=NOW)
    if shape.has_chart:
        parts["stood"] = changes_since(probes, KNOWN_SINCE)
        parts |= chart_marks.parts(PATH, ENVIRONMENT, since=SINCE, until=UNTIL)
    return whole(parts) | parts_of_rotas(TEAM, since=NOW)
