"""One day of the 90-day strip: what the list of incidents says of it, whatever it was."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import FETCH_RAISE, Q
from django.urls import reverse

from opsboard.incidents.models import IncidentQuerySet
from opsboard.probes.models import StateChange, microseconds, moment
from opsboard.probes.rules import State
from opsboard.web import words

CHANGES_SHOWN = 100
NOT_A_DAY = "is not a day. Write it as 2026-11-28."


@dataclass(frozen=True, slots=True)
class Day:
    """A day of UTC; of one service and environment, or of all that the filters leave."""

    on: date
    service: str
    environment: str

    @property
    def start(self) -> datetime:
        return datetime.combine(self.on, time(), UTC)

    @property
    def end(self) -> datetime:
        return self.start + timedelta(days=1)

    def narrow(self, incidents: IncidentQuerySet) -> IncidentQuerySet:
        """Those that were open at some time of the day."""
        ended_later = Q(resolved_at=None) | Q(resolved_at__gte=self.start)
        return incidents.filter(ended_later, opened_at__lt=self.end)


def day_of(chosen: Mapping[str, str]) -> Day | None:
    """None when no day is chosen. Raises ValueError for what is none."""
    if not chosen["day"]:
        return None
    on = datetime.strptime(chosen["day"], "%Y-%m-%d").replace(tzinfo=UTC).date()
    if not date(2000, 1, 1) <= on <= date(2100, 1, 1):
        raise ValueError(chosen["day"])
    return Day(on, chosen["service"], chosen["environment"])


@dataclass(frozen=True, slots=True)
class Changed:
    """A confirmed change of a path on the day."""

    at: datetime
    state: str
    text: str
    name: str
    url: str


def read_day(
    day: Day, names: Mapping[str, str], *, incidents: int, now: datetime
) -> dict[str, Any]:
    """`names`: of the services, by slug. One query for the changes of a service, else none."""
    name = names.get(day.service, "")
    of = f" of {name}" if name else ""
    place = f" in {day.environment}" if day.environment else ""
    count = words.counted(incidents, "incident") if incidents else "No incident"
    query = {"environment": day.environment} if day.environment else {}
    back = reverse("service", args=[day.service]) if name else ""
    return {
        "head": f"{count}{of}{place} on {day.on:%a} {words.day(day.start, now)}",
        "day": day,
        "back": f"{back}?{urlencode(query)}" if query and back else back,
        "back_to": name,
        "changes": _changes(day) if name else [],
    }


def _changes(day: Day) -> list[Changed]:
    """The oldest first."""
    of_day = StateChange.objects.filter(
        probe__path__service__slug=day.service,
        at__gte=microseconds(day.start),
        at__lt=microseconds(day.end),
    ).select_related("probe__path", "probe__environment")
    if day.environment:
        of_day = of_day.filter(probe__environment__slug=day.environment)
    found = of_day.order_by("at", "pk").fetch_mode(FETCH_RAISE)[:CHANGES_SHOWN]
    return [_changed(change, day.service) for change in found]


def _changed(change: StateChange, service: str) -> Changed:
    path, environment = change.probe.path, change.probe.environment.slug
    state, before = State(change.after), State(change.before)
    said = f"{state.words.capitalize()}, before that {before.words}."
    query = urlencode({"environment": environment})
    return Changed(
        at=moment(change.at),
        state=state,
        text=f"{said} {words.reason_sentence(change.reason)}".strip(),
        name=path.name,
        url=f"{reverse('path', args=[service, path.slug])}?{query}",
    )
