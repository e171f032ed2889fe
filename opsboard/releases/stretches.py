"""How long each release ran where it went, and what its paths showed meanwhile, in few queries.

A stretch begins with a release and ends with the next one there, or when it was rolled back.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import F

from opsboard.incidents.beginnings import SPARE
from opsboard.probes import narrow
from opsboard.probes.models import HourlyRollup, Observation, Probe, StateChange, microseconds
from opsboard.probes.rules import State, Verdict
from opsboard.releases.happened import Happened, Where
from opsboard.releases.models import Decision, Release

HOUR = 3_600_000_000
# What is looked at here. The rest is long, and there may be hundreds of probes.
_PROBE = (
    *("path_id", "began_at", "ended_at", "interval", "timeout", "state", "state_since"),
    "observed_at",
)
# The number of the pair, the state before, when failing, whether warned, whether heard, and the
# first failing observation of those that confirmed it.
type Row = tuple[int, str | None, int | None, bool, bool, int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    release: Release
    start: datetime
    # None: it runs there still.
    end: datetime | None
    is_rolled_back: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What one probe showed in one stretch."""

    stretch: Stretch
    probe: Probe
    # How it stood when the stretch began.
    before: State
    # When it was confirmed to fail, the first time in the stretch.
    failing_at: int | None
    # The first failing observation of the streak that confirmed it. None: it is pruned.
    first_failing_at: int | None
    has_warned: bool
    # Whether anything was observed at all. Nothing heard is not passing.
    is_heard: bool


def stretches_of(gone: Sequence[Release], happened: Happened) -> list[Stretch]:
    """Of releases that went out, in their order."""
    there = happened.decisions
    return [
        _stretch(one, one.released_at, there.get((one.service_id, one.environment_slug), ()))
        for one in gone
        if one.released_at
    ]


def _stretch(
    release: Release, start: datetime, decisions: Iterable[tuple[datetime, str, int]]
) -> Stretch:
    for at, kind, of in decisions:
        is_back = kind == Decision.Kind.ROLLED_BACK
        if at >= start and is_back == (of == release.pk):
            return Stretch(release=release, start=start, end=at, is_rolled_back=is_back)
    return Stretch(release=release, start=start, end=None, is_rolled_back=False)


def probes_of(stretches: Sequence[Stretch]) -> dict[Where, list[Probe]]:
    """By service and environment: those that are asked, or were in one of the stretches."""
    found: Any = Probe.objects.filter(
        environment__service__in={one.release.service_id for one in stretches},
        environment__slug__in={one.release.environment_slug for one in stretches},
        environment__removed_at=None,
    ).annotate(
        service_id=F("environment__service_id"),
        slug=F("environment__slug"),
        patience=F("path__patience"),
    )
    there: dict[Where, list[Probe]] = defaultdict(list)
    for probe in found.only(*_PROBE):
        there[probe.service_id, probe.slug].append(probe)
    return there


def read_shown(
    stretches: Sequence[Stretch], probes: dict[Where, list[Probe]], *, now: datetime
) -> dict[int, list[Shown]]:
    """By the release's id. One query."""
    pairs = [
        (stretch, probe)
        for stretch in stretches
        for probe in probes[stretch.release.service_id, stretch.release.environment_slug]
        if _was_asked(probe, stretch)
    ]
    shown: dict[int, list[Shown]] = defaultdict(list)
    if pairs:
        for number, before, failing_at, has_warned, is_heard, first in _rows(pairs, now):
            stretch, probe = pairs[number]
            shown[stretch.release.pk].append(
                Shown(
                    stretch=stretch,
                    probe=probe,
                    before=State(before or probe.state),
                    failing_at=failing_at,
                    first_failing_at=first,
                    has_warned=bool(has_warned),
                    is_heard=bool(is_heard),
                )
            )
    return shown


def _was_asked(probe: Probe, stretch: Stretch) -> bool:
    is_begun = stretch.end is None or probe.began_at < microseconds(stretch.end)
    return is_begun and (probe.ended_at is None or probe.ended_at > stretch.start)


def _rows(pairs: Sequence[tuple[Stretch, Probe]], now: datetime) -> list[Row]:
    """Whole numbers only are written into the statement: there may be thousands of pairs."""
    values = ", ".join(
        f"({number:d}, {probe.pk:d}, {microseconds(stretch.start):d},"
        f" {microseconds(stretch.end or now):d}, {_streak(probe):d})"
        for number, (stretch, probe) in enumerate(pairs)
    )
    changes, seen, hours = (
        model._meta.db_table for model in (StateChange, Observation, HourlyRollup)
    )
    within = "c.probe_id = w.probe AND c.at >= w.start AND c.at < w.finish"
    with connection.cursor() as cursor:
        cursor.execute(
            f"""WITH w (number, probe, start, finish, streak) AS (VALUES {values}),
            f AS MATERIALIZED (SELECT w.*, (SELECT min(c.at) FROM {changes} c
                WHERE {within} AND c.after = %s) AS failing_at FROM w)
            SELECT w.number,
                (SELECT c.before FROM {changes} c WHERE c.probe_id = w.probe AND c.at >= w.start
                    ORDER BY c.at, c.id LIMIT 1),
                w.failing_at,
                EXISTS (SELECT 1 FROM {changes} c WHERE {within} AND c.after = %s),
                EXISTS (SELECT 1 FROM {seen} o WHERE o.probe_id = w.probe
                    AND o.slot_at >= w.start AND o.slot_at < w.finish)
                OR EXISTS (SELECT 1 FROM {hours} h WHERE h.probe_id = w.probe
                    AND h.hour_at >= w.start AND h.hour_at < w.finish - {HOUR}
                    AND h.observations > 0),
                (SELECT min(o.slot_at + o.lateness) FROM {seen} o
                    WHERE w.failing_at IS NOT NULL AND o.probe_id = w.probe
                    AND o.slot_at >= w.start AND o.slot_at >= w.failing_at - w.streak
                    AND o.slot_at <= w.failing_at
                    AND {narrow.VERDICT.sql("o.flags", Verdict.FAILING)})
            FROM f w""",  # noqa: S608
            [State.FAILING.value, State.WARNING.value],
        )
        rows: list[Row] = cursor.fetchall()
    return rows


def _streak(probe: Any) -> int:
    """How long before it was confirmed a failure began at the earliest, in microseconds."""
    streak: int = (probe.patience + SPARE) * probe.interval
    return streak
