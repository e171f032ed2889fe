"""What is planned and frozen, day by day: the past week and the next month, or one month."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db.models import FETCH_RAISE, Q

from opsboard.alerts.silencing import reach_words
from opsboard.releases.models import Freeze, Release

PAST, NEXT = timedelta(days=7), timedelta(days=30)
DAY = timedelta(days=1)
MOST_SHOWN = 1000
FIRST_YEAR, LAST_YEAR = 2000, 2200


@dataclass(slots=True)
class Day:
    """A day, or several on end on which there is nothing."""

    day: date
    last: date
    is_today: bool
    # Those planned for it, and those that went out on it.
    releases: list[Release] = field(default_factory=list)
    # (freeze, what it is about, "begins", "ends", "all day").
    freezes: list[tuple[Freeze, str, str]] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return not self.releases and not self.freezes

    @property
    def is_quiet(self) -> bool:
        return self.is_empty and not self.is_today


def read_days(month: str, *, now: datetime) -> dict[str, Any]:
    """`month`: "2026-12"; anything else: around today. Two queries."""
    chosen = _month(month)
    first, last = _range(chosen, now.date())
    days = {day: Day(day, day, day == now.date()) for day in _days(first, last)}
    begin, end = _start(first), _start(last + DAY)
    for release in _releases(begin, end):
        days[(release.released_at or release.planned_at or begin).date()].releases.append(release)
    for freeze in _freezes(begin, end):
        _put(freeze, days, begin, end)
    anchor = chosen or now.date().replace(day=1)
    return {
        "now": now,
        "days": _folded(days.values()),
        "head": _head(days.values(), now.date()),
        "month": chosen,
        "anchor": anchor,
        "before": (anchor - DAY).replace(day=1),
        "after": (anchor + timedelta(days=31)).replace(day=1),
        "first": first,
        "last": last,
    }


def _month(text: str) -> date | None:
    try:
        found = datetime.strptime(text, "%Y-%m").replace(tzinfo=UTC).date()
    except ValueError:
        return None
    return found if FIRST_YEAR <= found.year <= LAST_YEAR else None


def _range(month: date | None, today: date) -> tuple[date, date]:
    if month is None:
        return today - PAST, today + NEXT
    return month, (month + timedelta(days=31)).replace(day=1) - DAY


def _days(first: date, last: date) -> Iterator[date]:
    return (first + DAY * number for number in range((last - first).days + 1))


def _start(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _releases(begin: datetime, end: datetime) -> list[Release]:
    """One that went out stands on the day it did, else on the day it is planned for."""
    went = Q(released_at__gte=begin, released_at__lt=end)
    planned = Q(released_at=None, withdrawn_at=None, planned_at__gte=begin, planned_at__lt=end)
    rows = Release.objects.standing().filter(went | planned).select_related("service")
    found = list(rows.order_by("planned_at", "pk").fetch_mode(FETCH_RAISE)[:MOST_SHOWN])
    return sorted(found, key=lambda one: one.released_at or one.planned_at or begin)


def _freezes(begin: datetime, end: datetime) -> list[Freeze]:
    rows = Freeze.objects.filter(starts_at__lt=end, ends_at__gt=begin)
    ended_early = Q(removed_at=None) | Q(removed_at__gt=begin)
    return list(
        rows.filter(ended_early)
        .select_related("team", "service")
        .order_by("starts_at", "pk")
        .fetch_mode(FETCH_RAISE)[:MOST_SHOWN]
    )


def _put(freeze: Freeze, days: dict[date, Day], begin: datetime, end: datetime) -> None:
    """On each day that it stands; one that was ended early stood until then."""
    until = min(freeze.ends_at, freeze.removed_at or freeze.ends_at)
    if until <= freeze.starts_at:
        return
    first = max(freeze.starts_at, begin).date()
    last = (min(until, end) - timedelta(microseconds=1)).date()
    for day in _days(first, last):
        days[day].freezes.append((freeze, about(freeze), _part(freeze.starts_at, until, day)))


def about(freeze: Freeze) -> str:
    """What is frozen: "Fares API in production"."""
    return reach_words(freeze.team, freeze.service, freeze.environment_slug)


def _folded(days: Iterable[Day]) -> list[Day]:
    """Days without anything are one row; today stands alone."""
    rows: list[Day] = []
    for day in days:
        before = rows[-1] if rows else None
        if before and before.is_quiet and day.is_quiet:
            before.last = day.day
        else:
            rows.append(day)
    return rows


def _part(begin: datetime, end: datetime, day: date) -> str:
    begins, ends = begin.date() == day, end <= _start(day + DAY)
    if begins and ends:
        return f"from {begin:%H:%M} to {end:%H:%M}"
    if begins:
        return f"from {begin:%H:%M}"
    return f"until {end:%H:%M}" if ends and end < _start(day + DAY) else "all day"


def _head(days: Iterable[Day], today: date) -> str:
    coming = [one for day in days if day.day >= today for one in day.releases]
    planned = sum(one.released_at is None for one in coming)
    if not planned:
        return "No release is planned"
    return f"{planned} release{' is' if planned == 1 else 's are'} planned"
