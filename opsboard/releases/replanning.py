"""Changing the plan of a release that waits: all but what it is, its version and its commit."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from opsboard.people.audit import Actor, record
from opsboard.releases.models import Release
from opsboard.releases.naming import check_environment, subject_of
from opsboard.releases.refusing import Refused
from opsboard.services.models import CriticalPath


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The whole plan: None and "" mean that there is none, not that it stays as it was."""

    tag: str
    environment_slug: str
    planned_at: datetime | None
    summary: str
    migrations: Sequence[str]
    paths: Sequence[CriticalPath]


@transaction.atomic
def replan(release: Release, plan: Plan, *, by: Actor, now: datetime) -> Release:
    """Raises Refused when it is not waiting any more."""
    held = Release.objects.select_for_update(of=("self",)).select_related("service")
    kept = held.get(pk=release.pk)
    if kept.released_at or kept.withdrawn_at:
        gone = "is released" if kept.released_at else "is withdrawn"
        raise Refused(f"{kept} {gone}: its plan is history. Plan another version.")
    check_environment(kept.service, plan.environment_slug)
    before = facts(kept)
    for name in ("tag", "environment_slug", "planned_at", "summary"):
        setattr(kept, name, getattr(plan, name))
    kept.migrations = list(plan.migrations)
    kept.save()
    kept.paths.set(plan.paths)
    record(by, "changed", "release", subject_of(kept), now=now, before=before, after=facts(kept))
    return kept


def facts(release: Release) -> dict[str, object]:
    """What the audit log keeps of a plan."""
    planned = release.planned_at
    return {
        "tag": release.tag,
        "environment": release.environment_slug,
        "planned": f"{planned:%Y-%m-%d %H:%M} UTC" if planned else "",
        "summary": release.summary,
        "migrations": release.migrations,
        "paths": list(release.paths.order_by("slug").values_list("slug", flat=True)),
    }
