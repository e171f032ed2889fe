"""Releases of one's services that wait, and evidence of theirs that runs out by the clock alone."""

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db.models import FETCH_RAISE, F
from django.urls import reverse

from opsboard.releases.models import Release
from opsboard.releases.reading import read_readiness
from opsboard.releases.rules import Readiness, Whole
from opsboard.web.mine_rows import Act, Row
from opsboard.web.release_words import missing_words
from opsboard.web.words import when

# The weekly look finds it in time.
SOON = timedelta(days=7)
MOST_READ = 50


def mine_releases(services: Collection[int], *, now: datetime) -> tuple[list[Row], list[Row]]:
    """Those that are not ready; and, of all that wait, what runs out within a week."""
    waiting = (
        Release.objects.waiting()
        .filter(service__in=services)
        .select_related("service__team")
        .order_by(F("planned_at").asc(nulls_last=True), "named_at", "pk")
    )
    releases = list(waiting.fetch_mode(FETCH_RAISE)[:MOST_READ])
    known = read_readiness(releases, now=now) if releases else {}
    lacking = [
        _lacking(one, known[one.pk], now=now)
        for one in releases
        if known[one.pk].whole not in (Whole.READY, Whole.OVERRIDDEN)
    ]
    running = [pair for one in releases for pair in _running_out(one, known[one.pk], now=now)]
    return lacking, [row for _, row in sorted(running, key=lambda pair: pair[0])]


def _lacking(release: Release, readiness: Readiness, *, now: datetime) -> Row:
    url = reverse("release", args=[release.service.slug, release.version])
    planned = f"Planned {when(release.planned_at, now)}. " if release.planned_at else ""
    why = planned + missing_words(readiness)
    return Row(str(release), url, "", why, Act("See release", url))


def _running_out(
    release: Release, readiness: Readiness, *, now: datetime
) -> list[tuple[datetime, Row]]:
    url = reverse("release", args=[release.service.slug, release.version])
    return [
        (
            until,
            Row(
                state.name,
                f"{url}#gate-{state.gate}",
                str(release),
                f"Runs out {when(until, now)}.",
                Act("See gate", f"{url}#gate-{state.gate}"),
            ),
        )
        for state in readiness.required
        if state.is_met and (until := state.runs_out_at) is not None and until <= now + SOON
    ]
