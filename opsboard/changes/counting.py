"""How many samples each of many windows has: for lists, in three queries whatever their number."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db.models import Count, Model, Q, QuerySet

from opsboard.changes.collecting import (
    SCHEDULED,
    USABLE,
    Sampling,
    location_of,
    since_of,
    warm_up_of,
)
from opsboard.changes.models import Change, Sample, Window
from opsboard.probes import narrow
from opsboard.probes.models import Observation, Probe, microseconds


def counts_of(windows: Iterable[Window], *, now: datetime) -> dict[int, int]:
    """By window, as opsboard.changes.collecting.progress counts it, at most what is wanted.

    Comparison, change and path of the windows are read: fetch them before.
    """
    every = list(windows)
    counts = {window.pk: window.count for window in every if window.sealed_at}
    going = [window for window in every if window.pk not in counts]
    seen = [one for one in going if one.comparison.change.sampling == Sampling.PROBES]
    told = [one for one in going if one not in seen]
    counts |= _counted(seen, *_of_probes(seen), at="slot_at", now=now) if seen else {}
    counts |= _counted(told, *_of_samples(told), at="at", now=now) if told else {}
    return counts


def _of_probes(windows: Sequence[Window]) -> tuple[QuerySet[Observation], dict[int, Q]]:
    """What the probes of the windows saw, and the condition that it is of a window's."""
    places = {window.pk: _place(window.comparison.change) for window in windows}
    probes = Probe.objects.filter(path__in={path for path, _, _ in places.values()})
    by_place = {
        (path, environment, location): pk
        for path, environment, location, pk in probes.values_list(
            "path", "environment", "location", "pk"
        )
    }
    ids = {pk: by_place[place] for pk, place in places.items() if place in by_place}
    observations = Observation.objects.alias(
        why=narrow.KIND.value, said=narrow.VERDICT.value, waited=narrow.IS_DELAYED.value
    ).filter(SCHEDULED, USABLE, probe_id__in=set(ids.values()))
    return observations, {pk: Q(probe_id=probe) for pk, probe in ids.items()}


def _place(change: Change) -> tuple[int, int, str]:
    return change.path_id, change.environment_id, location_of(change, change.path)


def _of_samples(windows: Sequence[Window]) -> tuple[QuerySet[Sample], dict[int, Q]]:
    samples = Sample.objects.filter(is_control=False, window__in=windows)
    return samples, {window.pk: Q(window=window.pk) for window in windows}


def _counted[Row: Model](
    windows: Sequence[Window],
    rows: QuerySet[Row],
    whose: dict[int, Q],
    *,
    at: str,
    now: datetime,
) -> dict[int, int]:
    asked: dict[str, Count] = {}
    first = now
    for window in (one for one in windows if one.pk in whose):
        since = since_of(window, window.comparison.change)
        until = microseconds(min(now, window.closes_at))
        own = whose[window.pk] & Q(**{f"{at}__gte": microseconds(since), f"{at}__lte": until})
        warm = own & Q(**{f"{at}__lt": microseconds(window.starts_at)})
        asked |= {f"all_{window.pk}": Count(at, filter=own)}
        asked |= {f"warm_{window.pk}": Count(at, filter=warm)}
        first = min(first, since)
    found = rows.filter(**{f"{at}__gte": microseconds(first)}).aggregate(**asked) if asked else {}
    return {window.pk: _taken(window, found) for window in windows}


def _taken(window: Window, found: dict[str, int]) -> int:
    change = window.comparison.change
    usable, warm = found.get(f"all_{window.pk}", 0), found.get(f"warm_{window.pk}", 0)
    return min(usable - warm_up_of(window, change, usable, warm), change.samples)
