"""The changes that go out with releases, and the newest attempt to measure each."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from operator import itemgetter
from typing import NamedTuple, cast

from django.db.models import Count, Exists, FilteredRelation, OuterRef, Q, Subquery

from opsboard.changes.models import Change, ChangeQuerySet, Comparison, Sample, Window
from opsboard.changes.rules.judged import Judged
from opsboard.changes.words import WORDS, About, say
from opsboard.releases.facts import ChangeSeen
from opsboard.releases.models import Release
from opsboard.services.commits import forms_of, is_same
from opsboard.services.together import Found, Part

_CHANGE = (
    *("pk", "service_id", "version", "commit", "aim", "samples", "metric", "goal", "margin"),
    *("variables", "sampling", "path__name", "environment__slug", "control__name"),
    *("withdrawn_at", "path__removed_at"),
)
_ATTEMPT = (
    *("change_id", "number", "applied_at", "judged_at", "given_up_at", "verdict", "result"),
    *("before__ended_at", "before__sealed_at", "after__sealed_at", "collected"),
)


class Named(NamedTuple):
    """What never changes of a release."""

    pk: int
    service_id: int
    version: str
    commit: str

    @classmethod
    def of(cls, release: Release) -> "Named":
        return cls(release.pk, release.service_id, release.version, release.commit)


def of_release(release: Release) -> ChangeQuerySet:
    """Those of its service that were declared for its version or its commit, and not let go."""
    return _of([Named.of(release)])


def _of(releases: Sequence[Named]) -> ChangeQuerySet:
    """Of any of them; which is whose, `_is_of` says.

    What was applied may be in it still: it counts, though it was withdrawn or its path removed.
    """
    named = Q(version__in={one.version for one in releases})
    for one in releases:
        named |= Q(commit__in=forms_of(one.commit)) | Q(commit__startswith=one.commit)
    applied = Comparison.objects.filter(change=OuterRef("pk"), applied_at__isnull=False)
    changes = Change.objects.filter(named, service__in={one.service_id for one in releases})
    return changes.filter(
        Q(withdrawn_at=None, service__removed_at=None, path__removed_at=None) | Exists(applied)
    )


def _is_of(row: Found, release: Named) -> bool:
    return row["service_id"] == release.service_id and (
        row["version"] == release.version or is_same(row["commit"], release.commit)
    )


def parts_of_changes(releases: Sequence[Named]) -> dict[str, Part]:
    """What `changes_of` needs, to be read in one query."""
    changes = _of(releases)
    newest = Comparison.objects.filter(change=OuterRef("change")).order_by("-number")
    samples = Sample.objects.filter(
        window__comparison=OuterRef("pk"), window__sealed_at=None, is_control=False
    )
    counts = samples.order_by().values("window__comparison").annotate(n=Count("pk"))
    attempts = Comparison.objects.filter(
        change__in=changes.values("pk"), pk=Subquery(newest.values("pk")[:1])
    ).annotate(
        before=FilteredRelation("windows", condition=Q(windows__side=Window.Side.BEFORE)),
        after=FilteredRelation("windows", condition=Q(windows__side=Window.Side.AFTER)),
        collected=Subquery(counts.values("n")[:1]),
    )
    return {"changes": (changes, _CHANGE), "attempts": (attempts, _ATTEMPT)}


def changes_of(
    releases: Iterable[Named], found: Mapping[str, Sequence[Found]]
) -> dict[int, tuple[ChangeSeen, ...]]:
    """By the release's id, in the order they were declared."""
    attempts = {row["change_id"]: row for row in found["attempts"]}
    rows = sorted(found["changes"], key=itemgetter("pk"))
    seen: dict[int, list[ChangeSeen]] = defaultdict(list)
    for release in releases:
        for row in rows:
            if _is_of(row, release):
                seen[release.pk].append(_seen(row, attempts.get(row["pk"])))
    return {pk: tuple(changes) for pk, changes in seen.items()}


def _seen(row: Found, attempt: Found | None) -> ChangeSeen:
    change = ChangeSeen(
        number=row["pk"],
        aim=row["aim"],
        samples=row["samples"],
        is_standing=row["withdrawn_at"] is None and row["path__removed_at"] is None,
    )
    if attempt is None:
        return change
    return replace(
        change,
        attempt=attempt["number"],
        measured_at=attempt["before__ended_at"],
        sealed_at=attempt["before__sealed_at"],
        applied_at=attempt["applied_at"],
        collected_at=attempt["after__sealed_at"],
        judged_at=attempt["judged_at"],
        is_given_up=attempt["given_up_at"] is not None,
        collected=attempt["collected"],
        verdict=attempt["verdict"],
        because=_because(row, attempt),
    )


def _because(row: Found, attempt: Found) -> str:
    judged = attempt["result"]
    if not isinstance(judged, dict) or judged.get("verdict") not in WORDS:
        return ""
    about = About(
        path=row["path__name"],
        environment=row["environment__slug"],
        control=row["control__name"] or "",
        metric=row["metric"],
        aim=row["aim"],
        goal=row["goal"],
        margin=row["margin"],
        variables=tuple(row["variables"]),
        sampling=row["sampling"],
    )
    return say(cast("Judged", judged), about).sentences[0]
