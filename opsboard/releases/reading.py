"""The readiness of releases, computed when read: loaded in a few queries, then judged.

What belongs to services is read once for all of them. None of it is written.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery, Window
from django.db.models.functions import RowNumber

from opsboard.releases.assessing import assess
from opsboard.releases.facts import Ages, EvidenceSeen, Facts, ReleaseSeen
from opsboard.releases.models import Evidence, Override, OverrideAct, Release
from opsboard.releases.of_changes import Named, changes_of, parts_of_changes
from opsboard.releases.of_services import OfServices
from opsboard.releases.persons import person_in
from opsboard.releases.rules import TAG, OverrideSeen, Readiness
from opsboard.rollbacks.rules import Ages as NoteAges
from opsboard.services.together import NOW, Found, Moment, Part, kept

# So many reports of a tag are looked back through for where it pointed.
TAGS_LOOKED_AT = 20
_EVIDENCE = (
    *("pk", "release_id", "gate", "outcome", "commit", "environment_slug", "started_at"),
    *("finished_at", "received_at", "command", "exit_code", "counts", "tool", "url", "facts"),
    *("by_name", "person"),
)
_OVERRIDE = (
    *("pk", "release_id", "gates", "reason", "asked_at", "ends_at", "is_alone"),
    *("person", "accepted_by", "is_taken_back"),
)
GONE = "somebody who has gone"


def read_readiness(releases: Sequence[Release], *, now: datetime) -> dict[int, Readiness]:
    """By the release's id. Two queries, however many releases there are.

    One more where a team wants its owner on duty.
    """
    if not releases:
        return {}
    ages = ages_of_settings()
    named = tuple(Named.of(one) for one in releases)
    found = kept(_parts, named).read(now=now)
    known = OfServices.read(found, ages=ages, now=now)
    changes = changes_of(named, found)
    evidence, overrides = _evidence(found["evidence"]), _overrides(found["overrides"])
    return {
        one.pk: assess(
            replace(
                _facts(one, known, ages, evidence[one.pk], overrides[one.pk]),
                changes=changes.get(one.pk, ()),
            ),
            now=now,
        )
        for one in releases
    }


def _parts(releases: Sequence[Named]) -> dict[str, Part]:
    ids = [one.pk for one in releases]
    return {
        **OfServices.parts({one.service_id for one in releases}, now=NOW),
        "evidence": (_evidence_rows(ids), _EVIDENCE),
        "overrides": (_override_rows(ids, now=NOW), _OVERRIDE),
        **parts_of_changes(releases),
    }


def readiness_of(release: Release, *, now: datetime) -> Readiness:
    return read_readiness([release], now=now)[release.pk]


def ages_of_settings() -> Ages:
    return Ages(
        integration=timedelta(seconds=settings.INTEGRATION_LASTS_SECONDS),
        config=timedelta(seconds=settings.CONFIG_LASTS_SECONDS),
        green_for=timedelta(seconds=settings.GREEN_FOR_SECONDS),
        rehearsal=timedelta(days=settings.REHEARSAL_LASTS_DAYS),
        running=timedelta(seconds=settings.RUNNING_KNOWN_FOR_SECONDS),
        note=NoteAges(
            tier_1=timedelta(days=settings.NOTE_LASTS_DAYS_TIER_1),
            others=timedelta(days=settings.NOTE_LASTS_DAYS),
        ),
    )


def _facts(
    release: Release,
    known: OfServices,
    ages: Ages,
    evidence: Sequence[EvidenceSeen],
    overrides: Sequence[OverrideSeen],
) -> Facts:
    service_id = release.service_id
    return Facts(
        release=ReleaseSeen(
            version=release.version,
            commit=release.commit,
            tag=release.tag,
            migrations=tuple(release.migrations),
        ),
        service=known.rows[service_id].seen,
        choices=known.choices_of(service_id),
        places=known.rows[service_id].places,
        evidence=evidence,
        paths=known.paths.get(service_id, ()),
        note=known.notes.get(service_id),
        rehearsals=known.rehearsals.get(service_id, ()),
        duty=known.duty_of(service_id),
        overrides=overrides,
        stops=known.stops_of(service_id, release.environment_slug),
        ages=ages,
    )


def _evidence_rows(releases: Sequence[int]) -> QuerySet[Any, Any]:
    """The newest of each gate, and of the tag those before it too. Without logs and metrics."""
    nth = Window(
        RowNumber(),
        partition_by=[F("release_id"), F("gate")],
        order_by=[F("started_at").desc(), F("pk").desc()],
    )
    rows = Evidence.objects.filter(release__in=releases).annotate(nth=nth, person=person_in("by"))
    return rows.filter(Q(nth=1) | Q(gate=TAG, nth__lte=TAGS_LOOKED_AT))


def _evidence(rows: Iterable[Found]) -> dict[int, list[EvidenceSeen]]:
    found: dict[int, list[EvidenceSeen]] = defaultdict(list)
    for row in rows:
        found[row["release_id"]].append(
            EvidenceSeen(
                evidence_id=row["pk"],
                gate=row["gate"],
                outcome=row["outcome"],
                commit=row["commit"],
                environment=row["environment_slug"],
                started_at=row["started_at"],
                finished_at=row["finished_at"],
                received_at=row["received_at"],
                command=row["command"],
                exit_code=row["exit_code"],
                counts=row["counts"],
                tool=row["tool"],
                url=row["url"],
                by=row["by_name"] or row["person"] or "",
                facts=row["facts"],
            )
        )
    return found


def _override_rows(releases: Sequence[int], *, now: Moment) -> QuerySet[Any, Any]:
    acts = OverrideAct.objects.filter(override=OuterRef("pk")).order_by("at", "pk")
    accepted = acts.filter(act=OverrideAct.Act.ACCEPTED).annotate(person=person_in("by"))
    back = acts.filter(act=OverrideAct.Act.TAKEN_BACK)
    return Override.objects.filter(release__in=releases, ends_at__gt=now).annotate(
        person=person_in("asked_by"),
        accepted_by=Subquery(accepted.values("person")[:1]),
        is_taken_back=Exists(back),
    )


def _overrides(rows: Iterable[Found]) -> dict[int, list[OverrideSeen]]:
    found: dict[int, list[OverrideSeen]] = defaultdict(list)
    for row in rows:
        accepted_by = row["accepted_by"]
        found[row["release_id"]].append(
            OverrideSeen(
                override_id=row["pk"],
                gates=tuple(row["gates"]),
                by=row["person"] or GONE,
                # An empty name is somebody who has gone since; None is nobody.
                accepted_by=GONE if accepted_by == "" else accepted_by or "",
                is_alone=row["is_alone"],
                reason=row["reason"],
                at=row["asked_at"],
                ends_at=row["ends_at"],
                covers_not_met=accepted_by is not None or row["is_alone"],
                is_taken_back=row["is_taken_back"],
            )
        )
    return found
