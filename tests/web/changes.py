"""Changes to look at, made in the database by hand: declared, collecting, judged."""

from datetime import UTC, datetime, timedelta
from typing import Any

from opsboard.changes.models import Change, Comparison, Window
from opsboard.services.models import CriticalPath

HOUR = timedelta(hours=1)


def now() -> datetime:
    return datetime.now(UTC)


def a_change(path: CriticalPath, **fields: object) -> Change:
    values: dict[str, object] = {
        "title": "Index fare rules by route",
        "variables": ["index"],
        "declared_at": now() - 3 * HOUR,
    }
    place = path.service.environments.get(slug="production")
    return Change.objects.create(
        service=path.service, path=path, environment=place, **(values | fields)
    )


def an_attempt(change: Change, number: int = 1, **fields: object) -> Comparison:
    return Comparison.objects.create(
        change=change, number=number, **({"began_at": now() - 2 * HOUR} | fields)
    )


def a_window(comparison: Comparison, side: str = "before", **fields: object) -> Window:
    began = now() - 2 * HOUR
    values: dict[str, Any] = {
        "opened_at": began, "starts_at": began, "closes_at": began + 24 * HOUR,
    }  # fmt: skip
    return Window.objects.create(comparison=comparison, side=side, **(values | fields))


def judged(change: Change, verdict: str, number: int = 1, **fields: object) -> Comparison:
    """Judged, with an effect of 34 % less."""
    values: dict[str, object] = {
        "applied_at": now() - HOUR,
        "judged_at": now() - HOUR / 2,
        "verdict": verdict,
        "result": {"verdict": verdict, "adjusted": [-0.4155, -0.494, -0.322]},
    }
    return an_attempt(change, number, **(values | fields))
