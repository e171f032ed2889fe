"""What the page of one change shows: what was declared, where it stands, its verdict and proof."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from django.db.models import FETCH_RAISE, OuterRef, Prefetch, Subquery

from opsboard.changes.clears import clear_answers
from opsboard.changes.models import Act, Change, Comparison, Window
from opsboard.changes.rules.judged import Judged
from opsboard.changes.stages import Stage, stage_of
from opsboard.changes.telling import said_of
from opsboard.services.models import CriticalPath
from opsboard.web.change_again import other_settings, settle_of
from opsboard.web.change_collecting import Collecting, collecting_of
from opsboard.web.change_figures import Figures, figures_of
from opsboard.web.change_numbers import effect_on_misses
from opsboard.web.change_proof import act_rows, declared_rows, source_words, window_rows
from opsboard.web.change_words import VERDICTS
from opsboard.web.notes_for import Notes, WayBack
from opsboard.web.release_words import Verdict
from opsboard.web.words import kept_together, person_name

OTHERS_SHOWN = 5
ATTEMPTS_SHOWN = 50
# In these an attempt is under way: it can be given up.
OPEN = {Stage.BASELINE, Stage.SEALED, Stage.COLLECTING}
# In these another attempt can be begun.
OVER = {Stage.JUDGED, Stage.GIVEN_UP}


@dataclass(frozen=True, slots=True)
class AttemptRow:
    comparison: Comparison
    # None: it is not judged, and `stands` says where it is.
    verdict: Verdict | None
    stands: str
    is_shown: bool


@dataclass(frozen=True, slots=True)
class OtherRow:
    change: Change
    verdict: Verdict
    # "": it cannot be told.
    effect: str
    live_at: datetime | None


def read_change_page(change: Change, number: int | None, *, now: datetime) -> dict[str, Any] | None:
    """Of the attempt of that number, or of the latest. None: there is no such attempt."""
    attempts = _attempts(change)
    shown = _shown(change, number)
    if number is not None and shown is None:
        return None
    is_latest = shown is None or shown.number == attempts[0].number
    stage = stage_of(change, shown)
    windows: list[Window] = list(shown.windows.all()) if shown else []
    bursts = [burst for window in windows for burst in window.bursts.all()]
    paths = _guarded_names(change)
    return {
        "change": change,
        "service": change.service,
        "path": change.path,
        "comparison": shown,
        "is_latest": is_latest,
        "stage": stage.name.lower(),
        "stands": stage.words.capitalize(),
        "meant": meant_words(change),
        "declared_by": change.declared_as or person_name(change.declared_by),
        "collecting": _collecting(windows, stage, now=now),
        "figures": _figures(change, shown, paths),
        **_sentences(shown),
        "is_set_otherwise": bool(other_settings(change, settle_of(shown))),
        "windows": window_rows(change, windows),
        "source": source_words(change, bursts),
        "declared": declared_rows(change, paths),
        "may_give_up": is_latest and stage in OPEN,
        "may_repeat": is_latest and stage in OVER and change.withdrawn_at is None,
        "is_withdrawn": change.withdrawn_at is not None,
        "attempts": _attempt_rows(change, attempts, shown),
        "way_back": _way_back(change, shown),
        **_acts(shown),
        **_others(change),
    }


def meant_words(change: Change) -> str:
    """ "Meant: prices appear sooner when the cache misses.", as whoever declared it put it."""
    purpose = change.purpose.strip().rstrip(".")
    if purpose:
        # Of a name in capitals the first letter stays.
        first = purpose[0] if purpose[1:2].isupper() else purpose[0].lower()
        return f"Meant: {first}{purpose[1:]}."
    if change.aim == Change.Aim.KEEP:
        return {
            Change.Metric.TIME: "Not meant to make responses slower.",
            Change.Metric.DB_CALLS: "Not meant to make more database calls.",
        }[Change.Metric(change.metric)]
    return {
        Change.Metric.TIME: "Meant to make responses faster.",
        Change.Metric.DB_CALLS: "Meant to make fewer database calls.",
    }[Change.Metric(change.metric)]


# The attempts


def _attempts(change: Change) -> list[Comparison]:
    """Newest first, as far as they are listed, without their figures."""
    rows = change.comparisons.defer("result").order_by("-number")
    return list(rows.fetch_mode(FETCH_RAISE)[:ATTEMPTS_SHOWN])


def _shown(change: Change, number: int | None) -> Comparison | None:
    windows = Window.objects.defer("content", "beside").select_related("sealed_by")
    rows = change.comparisons.prefetch_related(
        Prefetch("windows", queryset=windows.prefetch_related("bursts")),
        Prefetch("acts", queryset=Act.objects.select_related("by").order_by("at", "pk")),
    )
    if number is not None:
        rows = rows.filter(number=number)
    return rows.order_by("-number").first()


def _attempt_rows(
    change: Change, attempts: Sequence[Comparison], shown: Comparison | None
) -> list[AttemptRow]:
    rows = []
    for attempt in attempts:
        is_shown = shown is not None and attempt.pk == shown.pk
        # Only of one that is under way are windows looked at, and of the shown one they are there.
        stage = stage_of(change, shown if is_shown else attempt)
        verdict = VERDICTS[attempt.verdict] if attempt.verdict else None
        rows.append(AttemptRow(attempt, verdict, stage.words.capitalize(), is_shown))
    return rows


# Where it stands


def _collecting(windows: Sequence[Window], stage: Stage, *, now: datetime) -> Collecting | None:
    side = {Stage.BASELINE: "before", Stage.COLLECTING: "after"}.get(stage)
    window = next((one for one in windows if one.side == side), None)
    return collecting_of(window, now=now) if window else None


def _judged(comparison: Comparison | None) -> Judged | None:
    if comparison is None or comparison.judged_at is None:
        return None
    return cast(Judged, comparison.result)


def _figures(change: Change, shown: Comparison | None, paths: dict[str, str]) -> Figures | None:
    judged = _judged(shown)
    control = change.control.name if change.control else ""
    return figures_of(judged, control=control, paths=paths) if judged else None


def _sentences(shown: Comparison | None) -> dict[str, Any]:
    said = said_of(shown) if shown else None
    if said is None:
        return {"sentences": (), "settle": ""}
    return {
        "sentences": [kept_together(one) for one in said.sentences],
        "settle": kept_together(said.settle),
    }


def _acts(shown: Comparison | None) -> dict[str, Any]:
    acts = list(shown.acts.all()) if shown else []
    cleared = any(act.kind == Act.Kind.CLEARED for act in acts)
    answers = {one.act.pk: one for one in clear_answers(shown)} if shown and cleared else {}
    rows = act_rows(acts, answers)
    applied = [one for one in rows if one.act.kind == Act.Kind.APPLIED]
    return {"acts": rows, "applied": applied[0] if applied else None}


# What lies around it


def _guarded_names(change: Change) -> dict[str, str]:
    slugs = [one.removeprefix("path:") for one in change.guardrails if one.startswith("path:")]
    if not slugs:
        return {}
    paths = CriticalPath.objects.filter(service=change.service_id, slug__in=slugs)
    return dict(paths.values_list("slug", "name"))


def _way_back(change: Change, shown: Comparison | None) -> WayBack | None:
    if shown is None or shown.verdict != Comparison.Verdict.REGRESSED:
        return None
    return Notes([change.service_id]).of_path(change.path)


def _others(change: Change) -> dict[str, Any]:
    """The newest judged ones of the path, each with its latest verdict."""
    judged = Comparison.objects.judged().filter(change=OuterRef("pk")).order_by("-number")
    others = (
        Change.objects.standing()
        .filter(path=change.path, environment=change.environment)
        .exclude(pk=change.pk)
        .annotate(judged_by=Subquery(judged.values("pk")[:1]))
        .filter(judged_by__isnull=False)
    )
    newest = Comparison.objects.filter(
        pk__in=others.order_by("-pk").values("judged_by")[:OTHERS_SHOWN]
    )
    rows = newest.select_related("change").order_by("-change_id").fetch_mode(FETCH_RAISE)
    return {"others": [_other(one) for one in rows]}


def _other(comparison: Comparison) -> OtherRow:
    return OtherRow(
        comparison.change,
        VERDICTS[comparison.verdict],
        effect_on_misses(cast(Judged, comparison.result)),
        comparison.applied_at,
    )
