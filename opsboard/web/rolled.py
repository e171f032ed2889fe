"""Reading hours that were counted: a year of them is summed by the database, not row by row."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace

from django.db.models import F, Max, Q, Sum

from opsboard.expectations.histogram import Histogram
from opsboard.probes.models import HourlyRollup
from opsboard.web.measurements import NOTHING, Measured
from opsboard.web.measuring import PERCENTS
from opsboard.web.words import HOUR

_PERCENTILES = tuple(f"p{percent}" for percent in PERCENTS)
# What of a stretch is the sum of its parts: all but the percentiles.
_SUMS = tuple(one.name for one in fields(Measured) if one.name not in _PERCENTILES)
# `probes` is the observations without the errors of our own.
_COLUMNS = ("observations", "errors_of_ours", *(name for name in _SUMS if name != "probes"))


@dataclass(frozen=True, slots=True)
class Hours:
    """What was counted of a path in each step of a range, by the number of the step since 1970."""

    step: int
    sums: Mapping[int, Measured]
    times: Mapping[int, Histogram]
    # The end of the newest hour that was counted, and of the newest that is an example.
    # None: there is none.
    until: int | None
    examples_until: int | None

    def by_step(self, step: int) -> dict[int, Measured]:
        """In steps that are a multiple of its own. Percentiles are of all answers of the step."""
        by_number: dict[int, list[int]] = defaultdict(list)
        for number in self.sums:
            by_number[number * self.step // step].append(number)
        return {number: self._together(parts) for number, parts in by_number.items()}

    def _together(self, numbers: Sequence[int]) -> Measured:
        times = self.times[numbers[0]]
        for number in numbers[1:]:
            times = times.merge(self.times[number])
        p50, p95, p99 = times.percentiles(*PERCENTS)
        together = _sum(self.sums[number] for number in numbers)
        return replace(together, p50=p50, p95=p95, p99=p99)


def _sum(parts: Iterable[Measured]) -> Measured:
    kept = list(parts)
    if len(kept) == 1:
        return kept[0]
    return replace(NOTHING, **{name: sum(getattr(one, name) for one in kept) for name in _SUMS})


def read_hours(probe_ids: Sequence[int], *, since: int, step: int) -> Hours:
    """Two queries, however many hours. `step` is whole hours."""
    rollups = HourlyRollup.objects.filter(probe_id__in=probe_ids, hour_at__gte=since)
    found = list(
        rollups.values_list(F("hour_at") / step)
        .annotate(newest=Max("hour_at"), example=Max("hour_at", filter=Q(is_example=True)))
        .annotate(**{f"all_{name}": Sum(name) for name in _COLUMNS})
    )
    stored: dict[int, list[bytes]] = defaultdict(list)
    for hour_at, times in rollups.values_list("hour_at", "times"):
        stored[hour_at // step].append(bytes(times))
    return Hours(
        step=step,
        sums={row[0]: _measured(row[3:]) for row in found},
        times={number: Histogram.merged(parts) for number, parts in stored.items()},
        until=_end(row[1] for row in found),
        examples_until=_end(row[2] for row in found),
    )


def _measured(row: Sequence[int]) -> Measured:
    sums = dict(zip(_COLUMNS, map(int, row), strict=True))
    probes = sums.pop("observations") - sums.pop("errors_of_ours")
    return Measured(probes=probes, **sums)


def _end(newest: Iterable[int | None]) -> int | None:
    known = [hour_at for hour_at in newest if hour_at is not None]
    return max(known) + HOUR if known else None
