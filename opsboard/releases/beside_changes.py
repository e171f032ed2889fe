"""What a comparison of before and after is told of releases and of reported configuration."""

import itertools
from collections.abc import Iterator, Sequence

from django.db.models import Exists, OuterRef

from opsboard.changes.differences import CONFIGURATION, Above, Difference, Span
from opsboard.releases.models import ConfigReport, Decision, Release
from opsboard.services.models import Deploy


def commit_of(deploy: Deploy) -> str:
    """The commit of a release that went out; "": its release is gone."""
    service = deploy.environment.service_id
    releases = Release.objects.filter(service=service, version=deploy.name)
    return releases.values_list("commit", flat=True).first() or ""


def seen_otherwise(span: Span) -> Sequence[Difference]:
    return [*_rolled_back(span), *_reported(span)]


def _rolled_back(span: Span) -> Iterator[Difference]:
    """Of a release before which none is known: else that one went out again, and is found so."""
    place = span.change.environment
    decided = Decision.objects.filter(
        release__service=place.service_id,
        environment_slug=place.slug,
        kind=Decision.Kind.ROLLED_BACK,
        at__gt=span.since,
        at__lte=span.until,
    )
    told = Deploy.objects.filter(environment=place, kind=Deploy.Kind.RELEASE, at=OuterRef("at"))
    for one in decided.exclude(Exists(told)).select_related("release").order_by("at", "pk"):
        name = f"rollback of {one.release.version}"
        yield Difference(name, f"{one.release.version} was rolled back at {one.at:%F %H:%M} UTC.")


def _reported(span: Span) -> Sequence[Difference]:
    """Reports of another configuration than the one before, made with the same key."""
    reports = ConfigReport.objects.filter(environment=span.change.environment_id)
    newest = reports.filter(at__lte=span.since).order_by("-at", "-pk").first()
    told = [*([newest] if newest else [])]
    told += reports.filter(at__gt=span.since, at__lte=span.until).order_by("at", "pk")
    moves = [
        later
        for earlier, later in itertools.pairwise(told)
        if later.root != earlier.root and later.made_with == earlier.made_with
    ]
    if span.changes_config and len(moves) == 1 and moves[0].at > span.sealed_at:
        return ()
    return [
        Difference(CONFIGURATION, f"Another configuration was reported at {one.at:%F %H:%M} UTC.")
        for one in moves[:1]
    ]


ABOVE = Above(commit_of=commit_of, also=seen_otherwise)
