"""How far a window has come, of samples of the path's own probes, of bursts, or sent by a program.

A window before a change takes its newest samples, one after it the first after the warm-up.
Left out and counted: what our own loop delayed, errors of our own, and the warm-up.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count, Max, Q, QuerySet

from opsboard.changes.models import Change, Sample, Window
from opsboard.probes import narrow
from opsboard.probes.models import Kind, Observation, Probe, microseconds, moment
from opsboard.probes.rules import Verdict
from opsboard.services.models import CriticalPath

Sampling = Change.Sampling
# So far back a window of probes may reach, and so old a baseline may be.
LONGEST_BACK = timedelta(days=7)
# A guardrail that is a path begins so.
OF_A_PATH = "path:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a window has come. `count` is of samples that may be compared, at most `of`."""

    count: int
    of: int
    since: datetime
    closes_at: datetime
    is_full: bool
    # By "delayed", "errors", "warm_up".
    left_out: dict[str, int]
    newest_at: datetime | None
    # Samples an hour, as far as it can be told; None: it cannot.
    per_hour: float | None
    # Why nothing comes, in a sentence; "": something does.
    trouble: str = ""

    @property
    def words(self) -> str:
        return f"collecting, {self.count} of {self.of}"


def location_of(change: Change, path: CriticalPath) -> str:
    """Where a path is asked from for a change, also for one that names no place."""
    return change.location or next(iter(path.locations), settings.HOME_LOCATION)


def probe_of(change: Change, path: CriticalPath) -> Probe | None:
    """The standing order that asks a path where the change is measured; None: nothing asks it."""
    where = location_of(change, path)
    probes = Probe.objects.filter(path=path, environment=change.environment_id, location=where)
    return (
        probes.select_related("path", "environment__service")
        .prefetch_related("environment__variables")
        .first()
    )


# Counting, for pages -------------------------------------------------------------------------


def progress(window: Window, *, now: datetime) -> Progress:
    """Two queries at most, whatever the size."""
    change = window.comparison.change
    if window.sealed_at is not None:
        return _of_sealed(window, change)
    probe = probe_of(change, change.path) if change.sampling == Sampling.PROBES else None
    counted = _count(window, change, probe, now=now)
    count = min(counted.count, change.samples)
    return Progress(
        count=count,
        of=change.samples,
        since=window.starts_at,
        closes_at=window.closes_at,
        is_full=counted.count >= change.samples,
        left_out={name: n for name, n in counted.left_out.items() if n},
        newest_at=counted.newest_at,
        per_hour=_per_hour(window, counted, probe, now=now),
        trouble=_trouble(change, probe, now=now),
    )


def _of_sealed(window: Window, change: Change) -> Progress:
    return Progress(
        count=window.count,
        of=change.samples,
        since=window.starts_at,
        closes_at=window.closes_at,
        is_full=window.count >= change.samples,
        left_out=window.left_out,
        newest_at=window.ended_at,
        per_hour=None,
    )


@dataclass(frozen=True, slots=True)
class _Counted:
    count: int
    left_out: dict[str, int]
    newest_at: datetime | None


def _count(window: Window, change: Change, probe: Probe | None, *, now: datetime) -> _Counted:
    """What came since the window's beginning, without fetching it."""
    found: dict[str, int | None]
    if change.sampling == Sampling.PROBES:
        if probe is None:
            return _Counted(0, {}, None)
        found = seen_by(probe, window, now=now).aggregate(
            count=Count("slot_at", filter=USABLE),
            warm=Count("slot_at", filter=USABLE & Q(slot_at__lt=microseconds(window.starts_at))),
            delayed=Count("slot_at", filter=_DELAYED),
            errors=Count("slot_at", filter=_OURS),
            newest=Max("slot_at"),
        )
    else:
        rows = collected_in(window, now=now)
        found = rows.aggregate(
            count=Count("pk"),
            warm=Count("pk", filter=Q(at__lt=microseconds(window.starts_at))),
            newest=Max("at"),
        )
    usable, warm = found["count"] or 0, found["warm"] or 0
    dropped = warm_up_of(window, change, usable, warm)
    newest = found["newest"]
    return _Counted(
        usable - dropped,
        {
            "delayed": found.get("delayed") or 0,
            "errors": found.get("errors") or 0,
            "warm_up": dropped,
        },
        None if newest is None else moment(newest),
    )


def warm_up_of(window: Window, change: Change, usable: int, warm: int) -> int:
    """How many of the first are the warm-up: those of its time, or of its number if that is more.

    Of `usable`, `warm` lie before the window's beginning.
    """
    if window.side == Window.Side.BEFORE:
        return 0
    return min(usable, max(warm, change.warm_up_samples))


def since_of(window: Window, change: Change) -> datetime:
    """From when on samples are looked at: after a change, the warm-up is counted too."""
    if window.side == Window.Side.BEFORE:
        return window.starts_at
    return window.starts_at - timedelta(seconds=change.warm_up_seconds)


SCHEDULED = Q(why=Kind.SCHEDULED)
_OURS = Q(said=Verdict.ERROR)
_DELAYED = ~_OURS & Q(waited=1)
USABLE = ~_OURS & Q(waited=0)


def seen_by(probe: Probe, window: Window, *, now: datetime) -> QuerySet[Observation]:
    """Scheduled observations of a probe from where the window looks."""
    since = since_of(window, window.comparison.change)
    return Observation.objects.alias(
        why=narrow.KIND.value, said=narrow.VERDICT.value, waited=narrow.IS_DELAYED.value
    ).filter(
        SCHEDULED,
        probe_id=probe.pk,
        slot_at__gte=microseconds(since),
        slot_at__lte=microseconds(min(now, window.closes_at)),
    )


def first_of_newest(window: Window, *, now: datetime) -> datetime:
    """Where a window before a change begins that is full already: at the first of its newest
    samples; where there are fewer, as far back as it may."""
    change = window.comparison.change
    if change.sampling != Sampling.PROBES or (probe := probe_of(change, change.path)) is None:
        return window.starts_at
    newest = seen_by(probe, window, now=now).filter(USABLE).order_by("-slot_at")
    nth = change.samples - 1
    first = list(newest.values_list("slot_at", flat=True)[nth : nth + 1])
    return moment(first[0]) if first else window.starts_at


def collected_in(window: Window, *, now: datetime, is_control: bool = False) -> QuerySet[Sample]:
    since = since_of(window, window.comparison.change)
    return Sample.objects.filter(
        window=window,
        is_control=is_control,
        at__gte=microseconds(since),
        at__lte=microseconds(min(now, window.closes_at)),
    )


def _per_hour(
    window: Window, counted: _Counted, probe: Probe | None, *, now: datetime
) -> float | None:
    if probe is not None:
        return None if probe.ended_at else 3600e6 / probe.interval
    hours = (now - window.opened_at) / timedelta(hours=1)
    return counted.count / hours if hours > 0 and counted.count else None


def _trouble(change: Change, probe: Probe | None, *, now: datetime) -> str:
    if change.sampling != Sampling.PROBES:
        if change.sampling == Sampling.BURST and change.path.paused_at:
            return f"{change.path.name} is paused: no burst asks it until it is resumed."
        return ""
    if probe is None:
        return f"Nothing asks {change.path.name} there any more: see where it is asked from."
    if change.path.paused_at:
        return f"{change.path.name} is paused: no samples come until it is resumed."
    if probe.ended_at:
        return f"{change.path.name} is not asked there any more: no samples come."
    if probe.is_set_aside:
        return f"{change.path.name} ended its workers too often and is not asked: edit its sheet."
    if microseconds(now) > probe.silent_at:
        return f"{change.path.name} was not asked for some time: see whether the workers run."
    return ""
