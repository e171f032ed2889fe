"""A change whose path is on a real far side, with windows that collect now."""

from datetime import UTC, datetime, timedelta

from django.conf import settings

from opsboard.changes.applying import Told, mark_applied
from opsboard.changes.baselines import open_baseline, seal
from opsboard.changes.models import FEWEST_SAMPLES, Change, Comparison, Sample, Window
from opsboard.probes.models import microseconds, stand_up
from opsboard.services.models import CriticalPath
from tests.company import BY, SECOND, a_path, a_service


def a_change(url: str = "http://127.0.0.1:9", **fields: object) -> Change:
    """`control` is True for one with a control path at /control; `of` are the path's own fields."""
    of, control = dict(fields.pop("of", {})), fields.pop("control", False)
    service = a_service()
    place = service.environments.get()
    place.base_url = url.rstrip("/")
    place.save()
    path = a_path(service, **({"route": "/price"} | of))
    if control:
        fields["control"] = a_path(service, route="/control")
    stand_up(service, now=ago(30), location=settings.HOME_LOCATION)
    values = {"title": "Add an index", "variables": ["index"], "sampling": "burst", "rate": 10.0}
    return Change.objects.create(
        service=service,
        path=path,
        environment=place,
        declared_at=ago(25),
        **(values | {"samples": FEWEST_SAMPLES} | fields),
    )


def opened(change: Change) -> Comparison:
    """An attempt whose baseline collects, since a minute ago."""
    return open_baseline(change, by=BY, now=ago(1))


def applied(change: Change) -> Comparison:
    """An attempt whose after window collects, since a minute ago."""
    comparison = open_baseline(change, by=BY, now=ago(20))
    have(collecting(comparison), FEWEST_SAMPLES)
    seal(comparison, by=BY, now=ago(10))
    mark_applied(comparison, Told(), by=BY, now=ago(1))
    comparison.refresh_from_db()
    return comparison


def collecting(comparison: Comparison) -> Window:
    return comparison.windows.get(sealed_at=None)


def have(window: Window, count: int, *, since: datetime | None = None) -> None:
    """So many samples of the path, a thousandth of a second apart."""
    at = microseconds(since or window.opened_at)
    Sample.objects.bulk_create(
        Sample(window=window, at=at + one * SECOND // 1000, latency=9) for one in range(count)
    )


def pause(path: CriticalPath) -> None:
    path.paused_at = now()
    path.save()


def now() -> datetime:
    return datetime.now(UTC)


def ago(minutes: float) -> datetime:
    return now() - timedelta(minutes=minutes)
