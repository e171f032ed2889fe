"""What became of releases: the first failing observation after each, and what it led to."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from opsboard.alerts.items import span
from opsboard.incidents.models import Incident
from opsboard.probes.models import Probe, moment
from opsboard.probes.rules import State, path_state, worst
from opsboard.releases.happened import Happened, read_happened
from opsboard.releases.models import Release
from opsboard.releases.stretches import (
    Shown,
    Stretch,
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
    """By the release's id, of those released. Three queries, however many releases there are.

    `service.team` is read of each for its zone: select it.
    """
    gone = [one for one in releases if one.released_at is not None]
    if not gone:
        return {}
    happened = read_happened(gone)
    stretches = stretches_of(gone, happened)
    shown = read_shown(stretches, probes_of(stretches), now=now)
    return {
        one.release.pk: _aftermath(
            one,
            shown[one.release.pk],
            _first_incident(one, happened),
            _failing_at(one, shown[one.release.pk]),
            now,
        )
        for one in stretches
    }


def _first_incident(stretch: Stretch, happened: Happened) -> Incident | None:
    """The first that began in it."""
    where = stretch.release.service_id, stretch.release.environment_slug
    for incident in happened.incidents.get(where, ()):
        if incident.opened_at >= stretch.start:
            is_within = stretch.end is None or incident.opened_at < stretch.end
            return incident if is_within else None
    return None


def _failing_at(stretch: Stretch, shown: Iterable[Shown]) -> datetime | None:
    """By the observation; where those are pruned, by when it was confirmed."""
    seen = [at for one in shown for at in (one.failing_at, one.first_failing_at) if at is not None]
    return max(moment(min(seen)), stretch.start) if seen else None


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
    """ "14:11 today", "Wed 14:11 CET", "23 Nov 14:11": in the team's zone, which it names."""
    zone = zone_of(stretch.release.service.team.zone)
    local, today = at.astimezone(zone), now.astimezone(zone)
    # The page around it says that its times are UTC.
    clock = f"{local:%H:%M}" if local.tzname() == "UTC" else f"{local:%H:%M %Z}"
    if local.date() == today.date():
        return f"{clock} today"
    if today.date() - local.date() < timedelta(days=7):
        return f"{local:%a} {clock}"
    year = "" if local.year == today.year else f"{local:%Y} "
    return f"{local.day} {local:%b} {year}{clock}"
