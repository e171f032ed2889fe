"""What the words of a rollback note stand for on the page of one release."""

from datetime import datetime

from opsboard.releases.models import Decision, Release
from opsboard.rollbacks.known import Released
from opsboard.rollbacks.words import Filled, Known, fill_steps, words_of
from opsboard.services.models import Environment


def known_of_release(release: Release, *, now: datetime) -> Known:
    """Its own version and tag, and the version that ran where it goes before it went out."""
    places = Environment.objects.filter(
        service=release.service_id, slug=release.environment_slug, removed_at=None
    )
    place = places.first()
    until = release.released_at or now
    previous = Released([place.pk]).before(place.pk, release.version, until=until) if place else ""
    return Known(
        previous_version=previous or _decided_before(release, until=until),
        version=release.version,
        tag=release.tag,
    )


def steps_for(release: Release, steps: list[dict[str, str]], *, now: datetime) -> Filled:
    """The steps of a note as they are to be gone to go back from this release.

    Nothing is read for steps that have no words to fill in.
    """
    if not words_of(steps):
        return Filled(steps)
    return fill_steps(steps, known_of_release(release, now=now))


def _decided_before(release: Release, *, until: datetime) -> str:
    """The newest release there before it that was not gone back from, as decisions tell it."""
    others = Release.objects.filter(
        service=release.service_id,
        environment_slug=release.environment_slug,
        released_at__lt=until,
    ).exclude(pk=release.pk)
    rolled = Decision.objects.filter(kind=Decision.Kind.ROLLED_BACK, at__lt=until)
    kept = others.exclude(pk__in=rolled.values("release"))
    return kept.order_by("-released_at").values_list("version", flat=True).first() or ""
