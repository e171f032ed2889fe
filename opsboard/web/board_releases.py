"""What goes out next, beside what is broken: the releases planned soonest, and why they may not."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, QuerySet

from opsboard.releases.models import Release
from opsboard.releases.reading import read_readiness
from opsboard.web.release_words import Glance, glance_now, missing_words

SHOWN = 5


@dataclass(frozen=True, slots=True)
class Next:
    release: Release
    glance: Glance
    # What is missing; of one that lacks nothing, what it is about.
    what: str


def soonest() -> QuerySet[Release]:
    """Planned ones first. For opsboard.services.together: the order is made again by `next_of`."""
    waiting = Release.objects.waiting()
    order = (F("planned_at").asc(nulls_last=True), "named_at", "pk")
    few = waiting.order_by(*order).values("pk")[:SHOWN]
    return Release.objects.filter(pk__in=few).select_related("service__team")


def next_of(releases: Iterable[Release], *, now: datetime) -> list[Next]:
    """Three queries, and none where nothing waits."""
    ordered = sorted(
        releases,
        key=lambda one: (
            one.planned_at is None,
            one.planned_at or one.named_at,
            one.named_at,
            one.pk,
        ),
    )
    known = read_readiness(ordered, now=now)
    return [
        Next(one, glance_now(known[one.pk]), _what(one, missing_words(known[one.pk])))
        for one in ordered
    ]


def _what(release: Release, missing: str) -> str:
    return release.summary if missing == "Nothing" else missing
