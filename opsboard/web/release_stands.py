"""What stands around a release: overrides, freezes and holds, and what runs where."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter, itemgetter

from django.contrib.auth.models import User
from django.db.models import Q

from opsboard.incidents.models import Incident
from opsboard.releases.models import Freeze, Hold, Override, OverrideAct, Release
from opsboard.releases.overriding import may_accept
from opsboard.releases.rules import Readiness
from opsboard.services.models import CriticalPath, Running
from opsboard.services.together import Found, built, columns_of, read_together
from opsboard.web.words import person_name

OVERRIDES_SHOWN = 50
# What is said of who did something.
NAMES = ("first_name", "last_name", "username")


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
    beside: "Beside", readiness: Readiness, person: User, *, now: datetime
) -> list[OverrideRow]:
    names = {one.gate: one.name for one in readiness.gates}
    return [
        _override(one, beside.acts.get(one.pk, ()), names, person, now=now)
        for one in beside.overrides[:OVERRIDES_SHOWN]
    ]


def _override(
    override: Override,
    acts: Sequence[OverrideAct],
    names: Mapping[str, str],
    person: User,
    *,
    now: datetime,
) -> OverrideRow:
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


@dataclass(frozen=True, slots=True)
class Beside:
    """What is around a release."""

    running: list[RunningRow]
    # The newest first.
    overrides: list[Override]
    # What became of each override, the oldest first.
    acts: Mapping[int, Sequence[OverrideAct]]
    # The critical paths it touches, by name, of those that stand.
    paths: list[CriticalPath]


def read_beside(release: Release) -> Beside:
    """One query."""
    places = release.service.environments.filter(removed_at=None)
    running = Running.objects.filter(environment__in=places)
    known = Release.objects.filter(service=release.service_id, commit__in=running.values("commit"))
    found = read_together(
        places=(places, ("id", "slug")),
        running=(running, columns_of(Running)),
        known=(known, ("id", "commit", "version")),
        hurt=(Incident.objects.open().filter(service=release.service_id), columns_of(Incident)),
        acts=(
            OverrideAct.objects.filter(override__release=release),
            (*columns_of(OverrideAct), *names_of("by")),
        ),
        overrides=(release.overrides.all(), (*columns_of(Override), *names_of("asked_by"))),
        paths=(release.paths.filter(removed_at=None), ("id", "slug", "name")),
    )
    acts: dict[int, list[OverrideAct]] = defaultdict(list)
    for row in sorted(found["acts"], key=itemgetter("at", "id")):
        act = built(OverrideAct, row)
        act.by = _person(row, "by")
        acts[act.override_id].append(act)
    overrides = []
    for row in sorted(found["overrides"], key=itemgetter("asked_at", "id"), reverse=True):
        override = built(Override, row)
        override.release, override.asked_by = release, _person(row, "asked_by")
        overrides.append(override)
    paths = [CriticalPath(**row) for row in found["paths"]]
    paths.sort(key=attrgetter("name", "pk"))
    return Beside(_running_rows(release, found), overrides, acts, paths)


def names_of(field: str) -> tuple[str, ...]:
    return tuple(f"{field}__{name}" for name in NAMES)


def _person(row: Found, field: str) -> User | None:
    """With nothing but the name."""
    if row[f"{field}_id"] is None:
        return None
    return User(pk=row[f"{field}_id"], **{name: row[f"{field}__{name}"] for name in NAMES})


def _running_rows(release: Release, found: Mapping[str, Sequence[Found]]) -> list[RunningRow]:
    """What each environment says it runs; without a version address that is unknown."""
    told = {row["environment_id"]: built(Running, row) for row in found["running"]}
    versions = {
        row["commit"]: row["version"] for row in sorted(found["known"], key=itemgetter("id"))
    }
    hurt = {row["environment_id"]: built(Incident, row) for row in found["hurt"]}
    return [
        _running_row(place["slug"], told.get(place["id"]), versions, release, hurt.get(place["id"]))
        for place in sorted(found["places"], key=itemgetter("slug"))
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
