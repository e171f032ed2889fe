"""A change on its way, and observations by hand for its windows."""

import random
from collections.abc import Iterable
from datetime import datetime, timedelta

from opsboard.changes.applying import Told, mark_applied
from opsboard.changes.baselines import open_baseline, seal
from opsboard.changes.declaring import Wanted, declare
from opsboard.changes.models import Change, Comparison
from opsboard.people.audit import Actor, Via
from opsboard.probes.models import Kind, Observation, Probe, microseconds, stand_up
from opsboard.probes.narrow import flags_of
from opsboard.probes.rules import Verdict
from opsboard.probes.stored import CACHE
from opsboard.services.models import CriticalPath
from tests.company import NOON, a_path, a_service, production

# When the sheets were written, long before anything is measured.
LONG_AGO = NOON - timedelta(days=30)
CI = Actor(None, Via.API, who="CI (3f2b8c1e…)")


def minutes(count: float) -> datetime:
    """NOON and so many minutes."""
    return NOON + timedelta(minutes=count)


def a_measured_path(**fields: object) -> CriticalPath:
    """With its probe, asked as it is for a month."""
    path = a_path(a_service(), **fields)
    stand_up(path.service, now=LONG_AGO, location="default")
    return path


def wanted(path: CriticalPath, **more: object) -> Wanted:
    values: dict[str, object] = {
        "title": "Ask for all fares at once",
        "service": path.service,
        "path": path,
        "environment": production(path.service),
        "variables": ["query"],
        "samples": 60,
    }
    return Wanted(**(values | more))  # type: ignore[arg-type]


def a_change(path: CriticalPath | None = None, **more: object) -> Change:
    path = path or a_measured_path()
    return declare(wanted(path, **more), by=CI, now=NOON - timedelta(days=10))


def observe(
    path: CriticalPath,
    times: Iterable[datetime],
    *,
    milliseconds: float = 20,
    cache: str = "hit",
    db_calls: int | None = 12,
    kind: int = Kind.SCHEDULED,
    verdict: int = Verdict.PASSING,
    is_wrong: bool = False,
    is_delayed: bool = False,
) -> None:
    """What the path's probe saw at those times, a little different each time."""
    probe = Probe.objects.get(path=path)
    chance = random.Random(1)
    flags = flags_of(
        kind=kind, verdict=verdict, cache=CACHE.index(cache), is_wrong=is_wrong,
        is_delayed=is_delayed,
    )  # fmt: skip
    rest = dict.fromkeys(("dns", "connect", "tls", "first_byte", "transfer", "lateness"), 0)
    Observation.objects.bulk_create(
        Observation(
            probe=probe,
            slot_at=microseconds(at),
            total=round(milliseconds * 1000 * chance.lognormvariate(0, 0.3)),
            size=100,
            db_calls=db_calls,
            status=200,
            flags=flags,
            **rest,
        )
        for at in times
    )


def every_half_minute(start: datetime, count: int) -> list[datetime]:
    return [start + timedelta(seconds=30 * nth) for nth in range(count)]


def before(count: int, end: datetime = NOON) -> list[datetime]:
    """So many times, the last half a minute before `end`."""
    return every_half_minute(end - timedelta(seconds=30 * count), count)


def a_baseline(change: Change, count: int = 60) -> Comparison:
    """An attempt that was opened at NOON, with so many samples before."""
    observe(change.path, before(count))
    return open_baseline(change, by=CI, now=NOON)


def a_sealed_baseline(change: Change) -> Comparison:
    comparison = a_baseline(change)
    seal(comparison, by=None, now=minutes(1))
    return comparison


def an_applied_change(change: Change) -> Comparison:
    """Applied two minutes after NOON."""
    comparison = a_sealed_baseline(change)
    mark_applied(comparison, Told(), by=CI, now=minutes(2))
    return comparison
