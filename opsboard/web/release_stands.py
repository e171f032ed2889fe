"""What stands around a release: overrides, freezes and holds, and what runs where."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.db.models import Q

from opsboard.incidents.models import Incident
from opsboard.releases.models import Freeze, Hold, Override, Release
from opsboard.releases.overriding import may_accept
from opsboard.releases.rules import Readiness
from opsboard.services.models import Running
from opsboard.web.words import person_name

OVERRIDES_SHOWN = 50


@dataclass(frozen=True, slots=True)
class OverrideRow:
    override: Override
    gates: str
    by: str
    # "Accepted by Ingrid Solheim, 14:20", "waits for a second person", "ended", …
    stands: str
    may_accept: bool
    may_take_back: bool


@dataclass(frozen=True, slots=True)
class RunningRow:
    environment: str
    # The version when a release of this commit is known, else the commit, shortened; "": unknown.
    words: str
    is_this: bool
    told_at: datetime | None
    incident: Incident | None


def override_rows(
    release: Release, readiness: Readiness, person: User, *, now: datetime
) -> list[OverrideRow]:
    rows = (
        release.overrides.select_related("asked_by")
        .prefetch_related("acts__by")
        .order_by("-asked_at", "-pk")
    )
    names = {one.gate: one.name for one in readiness.gates}
    return [_override(one, names, person, now=now) for one in rows[:OVERRIDES_SHOWN]]


def _override(
    override: Override, names: Mapping[str, str], person: User, *, now: datetime
) -> OverrideRow:
    acts = sorted(override.acts.all(), key=lambda act: (act.at, act.pk))
    accepted = next((act for act in acts if act.act == act.Act.ACCEPTED), None)
    taken = next((act for act in acts if act.act == act.Act.TAKEN_BACK), None)
    is_over = taken is not None or override.ends_at <= now
    if taken:
        stands = f"Taken back by {person_name(taken.by)}."
    elif override.ends_at <= now:
        stands = "Ended: it covers nothing any more."
    elif accepted:
        stands = f"Accepted by {person_name(accepted.by)}."
    elif override.needs_second:
        stands = "Waits for a second person: it covers nothing until somebody else accepts it."
    else:
        stands = "Alone: there is only one editor." if override.is_alone else "It stands."
    waits = override.needs_second and accepted is None and not is_over
    return OverrideRow(
        override,
        ", ".join(names.get(gate, gate) for gate in override.gates),
        person_name(override.asked_by),
        stands,
        waits and may_accept(override, person),
        not is_over,
    )


@dataclass(frozen=True, slots=True)
class StopRow:
    # The words of the readiness; `freeze` or `hold` is the row it can be ended by.
    kind: str
    reason: str
    by: str
    since: datetime
    until: datetime | None
    freeze: Freeze | None
    hold: Hold | None


def stop_rows(release: Release, readiness: Readiness, *, now: datetime) -> list[StopRow]:
    """What stands now, each with what ends it."""
    if not readiness.stops:
        return []
    hold = release.service.holds.open().select_related("by").first()
    rows = [
        StopRow(
            "freeze", one.reason, person_name(one.planned_by), one.starts_at, one.ends_at, one, None
        )
        for one in freezes_of(release, now=now)
    ]
    if hold:
        by = hold.by_name or person_name(hold.by)
        rows.append(StopRow("hold", hold.reason, by, hold.at, None, None, hold))
    return rows


def freezes_of(release: Release, *, now: datetime) -> Iterable[Freeze]:
    service = release.service
    return (
        Freeze.objects.open(now)
        .filter(
            Q(team=None) | Q(team=service.team_id),
            Q(service=None) | Q(service=service),
            environment_slug__in=["", release.environment_slug],
        )
        .select_related("planned_by")
        .order_by("ends_at", "pk")
    )


def running_rows(release: Release) -> list[RunningRow]:
    """What each environment says it runs; without a version address that is unknown."""
    places = list(release.service.environments.filter(removed_at=None).order_by("slug"))
    told = {one.environment_id: one for one in Running.objects.filter(environment__in=places)}
    versions = dict(
        Release.objects.filter(
            service=release.service_id, commit__in=[one.commit for one in told.values()]
        ).values_list("commit", "version")
    )
    hurt = {
        one.environment_id: one
        for one in Incident.objects.open().filter(service=release.service_id)
    }
    return [
        _running_row(place.slug, told.get(place.pk), versions, release, hurt.get(place.pk))
        for place in places
    ]


def _running_row(
    slug: str,
    running: Running | None,
    versions: Mapping[str, str],
    release: Release,
    incident: Incident | None,
) -> RunningRow:
    if running is None:
        return RunningRow(slug, "", False, None, incident)
    known = versions.get(running.commit, f"commit {running.commit[:12]}")
    return RunningRow(slug, known, running.commit == release.commit, running.told_at, incident)
