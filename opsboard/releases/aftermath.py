"""What became of releases: the first failing observation after each, and what it led to."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from opsboard.alerts.items import span
from opsboard.incidents.models import Incident
from opsboard.probes.models import Probe, moment
from opsboard.probes.rules import State, path_state, worst
from opsboard.releases.models import Release
from opsboard.releases.stretches import (
    Shown,
    Stretch,
    Where,
    first_failing,
    probes_of,
    read_shown,
    stretches_of,
)
from opsboard.services.zones import zone_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Aftermath:
    # "Failing 3 min later", "Passing", "Passing until 14:11 today", "Rolled back 12 min later".
    words: str
    state: State
    # The first incident that began after it, before the next release there. None: there was none.
    incident: Incident | None = None
    # The first failing observation after it. None: there was none.
    failing_at: datetime | None = None


def read_aftermath(releases: Sequence[Release], *, now: datetime) -> dict[int, Aftermath]:
    """By the release's id, of those released. A few queries, however many releases there are.

    `service.team` is read of each for its zone: select it.
    """
    stretches = stretches_of(releases)
    if not stretches:
        return {}
    probes = probes_of(stretches)
    shown = read_shown(stretches, probes, now=now)
    failing = first_failing([one for rows in shown.values() for one in rows])
    incidents = _incidents(stretches)
    return {
        one.release.pk: _aftermath(
            one,
            shown[one.release.pk],
            incidents.get(one.release.pk),
            _failing_at(one, shown[one.release.pk], failing.get(one.release.pk)),
            now,
        )
        for one in stretches
    }


def _incidents(stretches: Sequence[Stretch]) -> dict[int, Incident]:
    """The first that began in each stretch. One query."""
    found = Incident.objects.filter(
        service__in={one.release.service_id for one in stretches},
        environment__slug__in={one.release.environment_slug for one in stretches},
        opened_at__gte=min(one.start for one in stretches),
    ).select_related("environment")
    there: dict[Where, list[Incident]] = defaultdict(list)
    for incident in found.order_by("opened_at", "pk"):
        there[incident.service_id, incident.environment.slug].append(incident)
    first: dict[int, Incident] = {}
    for one in stretches:
        for incident in there[one.release.service_id, one.release.environment_slug]:
            if incident.opened_at >= one.start and (
                one.end is None or incident.opened_at < one.end
            ):
                first[one.release.pk] = incident
                break
    return first


def _failing_at(stretch: Stretch, shown: Iterable[Shown], seen: int | None) -> datetime | None:
    """By the observation; where those are pruned, by when it was confirmed."""
    confirmed = [one.failing_at for one in shown if one.failing_at is not None]
    if not confirmed:
        return None
    at = moment(min(confirmed) if seen is None else min(seen, *confirmed))
    return max(at, stretch.start)


def _aftermath(
    stretch: Stretch,
    shown: Sequence[Shown],
    incident: Incident | None,
    failing_at: datetime | None,
    now: datetime,
) -> Aftermath:
    words, state = _words(stretch, shown, incident, failing_at, now)
    return Aftermath(words=words, state=state, incident=incident, failing_at=failing_at)


def _words(
    stretch: Stretch,
    shown: Sequence[Shown],
    incident: Incident | None,
    failing_at: datetime | None,
    now: datetime,
) -> tuple[str, State]:
    times = [failing_at, incident.opened_at if incident else None]
    trouble = min((at for at in times if at), default=None)
    if stretch.is_rolled_back and stretch.end:
        state = State.FAILING if trouble else State.WARNING
        return f"Rolled back {_later(stretch, stretch.end)}", state
    if trouble:
        what = "Failing" if failing_at else "Incident"
        return f"{what} {_later(stretch, trouble)}", State.FAILING
    if any(one.before is State.FAILING for one in shown):
        return "Failing since before it", State.FAILING
    if stretch.end is None:
        return _running(stretch, shown, now)
    return _ended(stretch, stretch.end, shown, now)


def _later(stretch: Stretch, at: datetime) -> str:
    return f"{span((at - stretch.start).total_seconds())} later"


def _running(stretch: Stretch, shown: Sequence[Shown], now: datetime) -> tuple[str, State]:
    """As its paths stand now: nothing has failed since."""
    standings: Mapping[int, list[State]] = defaultdict(list)
    for one in shown:
        heard = one.probe.state_at(now) if _is_heard_since(one.probe, stretch) else State.NO_DATA
        standings[one.probe.path_id].append(heard)
    state = worst(path_state(states) for states in standings.values())
    if state is State.NO_DATA:
        return f"No data since {_said(_silent_since(stretch, shown, now), stretch, now)}", state
    return state.words.capitalize(), state


def _is_heard_since(probe: Probe, stretch: Stretch) -> bool:
    return probe.observed_at is not None and moment(probe.observed_at) >= stretch.start


def _silent_since(stretch: Stretch, shown: Sequence[Shown], now: datetime) -> datetime:
    """When the first of those that are silent was heard last; at the latest when it went out."""
    silent = [one.probe for one in shown if one.probe.state_at(now) is State.NO_DATA]
    heard = [moment(probe.observed_at) for probe in silent if probe.observed_at is not None]
    return max(stretch.start, min(heard, default=stretch.start))


def _ended(
    stretch: Stretch, end: datetime, shown: Sequence[Shown], now: datetime
) -> tuple[str, State]:
    """Until the next one there: nothing failed in between."""
    until = _said(end, stretch, now)
    if not shown or not all(one.is_heard for one in shown):
        return f"No data until {until}", State.NO_DATA
    if any(one.has_warned or one.before is State.WARNING for one in shown):
        return f"Warning until {until}", State.WARNING
    return f"Passing until {until}", State.PASSING


def _said(at: datetime, stretch: Stretch, now: datetime) -> str:
    """ "14:11 today", "Wed 14:11", "23 Nov 14:11", in the zone of the team."""
    zone = zone_of(stretch.release.service.team.zone)
    local, today = at.astimezone(zone), now.astimezone(zone)
    if local.date() == today.date():
        return f"{local:%H:%M} today"
    if today.date() - local.date() < timedelta(days=7):
        return f"{local:%a %H:%M}"
    year = "" if local.year == today.year else f"{local:%Y} "
    return f"{local.day} {local:%b} {year}{local:%H:%M}"
