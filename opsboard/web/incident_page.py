"""What the page of one incident shows: the way back first, then what hurts and who knows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import FETCH_RAISE

from opsboard.incidents.linking import lowest_below
from opsboard.incidents.models import Incident, IncidentPath
from opsboard.probes.models import Probe, microseconds
from opsboard.services.models import CriticalPath, Environment
from opsboard.services.rota import OnDuty, on_duty
from opsboard.web import measuring, words
from opsboard.web.expected import limits_for
from opsboard.web.incident_notes import notes_of, places_of, ways_of
from opsboard.web.incident_timeline import timeline
from opsboard.web.measurements import Limit, Limits, Measured, severity
from opsboard.web.who_hears import who_hears_of_service

BEFORE = timedelta(hours=1)
NOW = timedelta(minutes=15)
# More are counted: a page of hundreds helps nobody.
ALERTS_SHOWN = 200
ABOVE_SHOWN = 10


@dataclass(frozen=True, slots=True)
class NumberRow:
    name: str
    before: str
    now: str
    expected: str
    # "fail" or "warn" when the number of now is over its limit.
    css: str


@dataclass(frozen=True, slots=True)
class Cause:
    """What was computed when it began; see opsboard.incidents.cause."""

    sentence: str
    # {"name", "url", "at", "kind"}; None: nothing was released in the day before.
    deploy: dict[str, Any] | None
    # What moved with the failure, each a sentence.
    moved: list[str]

    @property
    def url(self) -> str:
        """Where the deploy is read about; "": nowhere, or the sentence does not name it."""
        return str((self.deploy or {}).get("url") or "") if self.name else ""

    @property
    def name(self) -> str:
        """As the sentence names it: a commit is shortened there."""
        name = str((self.deploy or {}).get("name") or "")
        return next((said for said in (name, name[:7]) if said and said in self.sentence), "")

    @property
    def before(self) -> str:
        return self.sentence.partition(self.name)[0]

    @property
    def after(self) -> str:
        return self.sentence.partition(self.name)[2]


def read_incident_page(incident: Incident, *, now: datetime) -> dict[str, Any]:
    places = places_of(incident)
    first = places[0].path if places else None
    cause = cause_of(incident)
    happened = timeline(incident, deploy=cause.deploy if cause else None)
    numbers, of = _numbers(incident, first, now=now)
    context = {
        "incident": incident,
        "service": incident.service,
        "head": head(incident, places),
        "hurts": places,
        "on_duty": _on_duty(incident, now=now),
        "cause": cause,
        "entries": happened.entries,
        "more_entries": happened.more,
        "lasted": words.ago(incident.opened_at, incident.resolved_at or now),
        "numbers": numbers,
        "numbers_of": of,
        "numbers_path": first,
    }
    return (
        context
        | _way_back(incident, places, now=now)
        | _waiting_for(incident)
        | _told(incident, now=now)
    )


def _way_back(
    incident: Incident, places: Sequence[IncidentPath], *, now: datetime
) -> dict[str, Any]:
    """While a service below fails, its way back comes first: the own one would not help."""
    below = lowest_below(incident) if incident.is_open else None
    its_places = places_of(below) if below else places
    ways = ways_of(below or incident, its_places, now=now)
    return {"below": below, "ways": ways, "notes_of": below or incident}


def read_short(incident: Incident) -> dict[str, Any]:
    """What fails and how to go back, in a few lines: for the page behind the link in a message."""
    places = places_of(incident)
    below = lowest_below(incident)
    notes = notes_of(below, places_of(below)) if below else notes_of(incident, places)
    return {"hurts": [place for place in places if place.left_at is None], "notes": notes}


def head(incident: Incident, places: Sequence[IncidentPath]) -> str:
    """ "Price a crossing is failing", "fares-api has recovered"; never of what fails still."""
    if incident.is_open:
        return incident.title
    if incident.is_by_hand or any(place.left_at is None for place in places):
        return f"{incident.title}: resolved"
    return f"{incident.service.name} has recovered"


def cause_of(incident: Incident) -> Cause | None:
    """None: not computed yet."""
    kept = incident.cause
    if not kept:
        return None
    return Cause(
        words.sentence(kept.get("sentence", "")), kept.get("deploy"), list(kept.get("moved") or ())
    )


def _on_duty(incident: Incident, *, now: datetime) -> OnDuty | None:
    """Asked only where nobody has it."""
    is_free = incident.is_open and incident.acknowledged_at is None
    return on_duty(incident.service.team, now) if is_free else None


def _waiting_for(incident: Incident) -> dict[str, Any]:
    """The open incidents of services above, which offer this one's way back."""
    above = Incident.objects.open().standing().filter(below=incident).order_by("pk")
    shown = list(above.select_related("service").fetch_mode(FETCH_RAISE)[: ABOVE_SHOWN + 1])
    more = above.count() - ABOVE_SHOWN if len(shown) > ABOVE_SHOWN else 0
    return {"above": shown[:ABOVE_SHOWN], "more_above": more}


def _told(incident: Incident, *, now: datetime) -> dict[str, Any]:
    """Every alert with what became of it, newest first; without one, why nobody would hear."""
    told = incident.deliveries.select_related("channel", "message").order_by("-created_at", "-pk")
    deliveries = list(told.fetch_mode(FETCH_RAISE)[:ALERTS_SHOWN])
    if deliveries:
        return {"deliveries": deliveries}
    hears = who_hears_of_service(incident.service, incident.environment.slug, now=now)
    return {"deliveries": [], "unheard": hears.why}


def fails_still(incident: Incident) -> list[CriticalPath]:
    """The paths in it that have not recovered."""
    return [place.path for place in places_of(incident) if place.left_at is None]


def _numbers(
    incident: Incident, path: CriticalPath | None, *, now: datetime
) -> tuple[list[NumberRow], tuple[int, int]]:
    """The first failing path before the incident and now, or during it once it is over.

    With them how many probes they are of, on each side.
    """
    if path is None:
        return [], (0, 0)
    ids = _probe_ids(path, incident.environment)
    opened = microseconds(incident.opened_at)
    # Patience: what led to the incident is not of the time before it.
    calm_until = opened - path.patience * path.interval
    before = measuring.whole(ids, since=calm_until - microseconds_of(BEFORE), until=calm_until)
    end = microseconds(incident.resolved_at or now)
    since = opened if incident.resolved_at else max(opened, end - microseconds_of(NOW))
    during = measuring.whole(ids, since=since, until=end + 1)
    return number_rows(before, during, limits_for(path)), (before.probes, during.probes)


def microseconds_of(span: timedelta) -> int:
    return span // timedelta(microseconds=1)


def _probe_ids(path: CriticalPath, environment: Environment) -> list[int]:
    probes = Probe.objects.filter(path=path, environment=environment)
    return list(probes.values_list("pk", flat=True))


def number_rows(before: Measured, now: Measured, limits: Limits) -> list[NumberRow]:
    return [
        _row("p95", before.p95_words, now.p95_words, limits.time, now.p95),
        _row("Errors", before.errors_words, now.errors_words, limits.errors, now.error_percent),
        _row("Cache hits", before.hits_words, now.hits_words, limits.hits, now.hit_percent),
        _row("DB calls", before.calls_words, now.calls_words, limits.calls, now.calls),
    ]


def _row(name: str, before: str, now: str, limit: Limit | None, value: float | None) -> NumberRow:
    expected = limit.words if limit else "no limit"
    return NumberRow(name, before, now, expected, severity(limit, value, is_failing=True))
