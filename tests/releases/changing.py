"""Changes of a release, as far as they were measured."""

from datetime import datetime, timedelta
from typing import Any

from opsboard.changes.models import Change, Comparison, Window
from opsboard.services.models import Service
from tests.changes.verdicts import judged
from tests.company import NOON

HOUR = timedelta(hours=1)


def a_change(service: Service, **fields: Any) -> Change:
    """Of the service's first path, which is made where there is none."""
    path = service.paths.first() or service.paths.create(
        slug="price", name="Price a crossing", route="/price"
    )
    place = service.environments.filter(slug="production").first() or service.environments.create(
        slug="production", base_url="http://127.0.0.1:9"
    )
    values = {
        "title": "Index fare rules", "service": service, "path": path, "environment": place,
        "variables": ["index"], "version": "2026.11.4", "declared_at": NOON - 9 * HOUR,
    }  # fmt: skip
    return Change.objects.create(**(values | fields))


def an_attempt(change: Change, number: int = 1, **fields: Any) -> Comparison:
    values: dict[str, Any] = {"began_at": NOON - 8 * HOUR}
    return change.comparisons.create(number=number, **(values | fields))


def a_window(attempt: Comparison, side: str = "before", **fields: Any) -> Window:
    at = NOON - (7 if side == "before" else 3) * HOUR
    values = {"opened_at": at, "starts_at": at, "closes_at": at + 24 * HOUR}
    return attempt.windows.create(side=side, **(values | fields))


def a_verdict(
    change: Change, verdict: str = "improved", reason: str = "", number: int = 1, **figures: Any
) -> Comparison:
    """An attempt that was judged, with both of its windows sealed."""
    attempt = an_attempt(
        change,
        number,
        applied_at=NOON - 4 * HOUR,
        judged_at=NOON - HOUR,
        verdict=verdict,
        reason=reason,
        result=judged(verdict, reason, **figures),
    )
    for side, at in (("before", NOON - 5 * HOUR), ("after", NOON - 2 * HOUR)):
        a_window(attempt, side, **sealed(at))
    return attempt


def sealed(at: datetime) -> dict[str, Any]:
    return {"sealed_at": at, "ended_at": at, "count": 200, "sha256": "ab" * 32}
