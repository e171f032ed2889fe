"""What goes on by itself: windows that are full are closed, and an attempt is judged, once."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import DatabaseError, transaction
from django.db.models import F, Q

from opsboard.changes import apart, closing, sealing
from opsboard.changes.baselines import give_up, seal
from opsboard.changes.clears import clear_answers
from opsboard.changes.collecting import OF_A_PATH, progress
from opsboard.changes.differences import NOTHING_ABOVE, Above, found
from opsboard.changes.holding import gone_of, hold
from opsboard.changes.models import (
    FEWEST_SAMPLES,
    WITHOUT_CONTENT,
    Comparison,
    ComparisonQuerySet,
    Window,
)
from opsboard.changes.refusing import Refused
from opsboard.changes.rows import csv_of
from opsboard.changes.rules.judged import Judged
from opsboard.changes.stages import Stage, stage_of

log = logging.getLogger(__name__)

# Longer than it may take.
LEASE = timedelta(seconds=apart.WITHIN_SECONDS + 60)
MOST_TRIES = 3
AGAIN_AFTER = timedelta(seconds=30)
NOT_COMPUTED = (
    f"Opsboard could not compute it, {MOST_TRIES} times: the log of its workers says why. "
    "The samples are kept; repeat the attempt when that is mended."
)


def advance(
    *,
    now: datetime,
    differences: Above = NOTHING_ABOVE,
    is_stopping: Callable[[], bool] = lambda: False,
    compute: Callable[..., Judged] = apart.compute,
) -> int:
    """Bring every open attempt on as far as it goes. Returns how many verdicts were written."""
    attempts = Comparison.objects.open().select_related(
        "change__service", "change__path", "change__environment", "change__control"
    )
    written = 0
    for comparison in attempts.prefetch_related(WITHOUT_CONTENT).order_by("began_at", "pk"):
        if is_stopping():
            break
        try:
            stage = _go_on(comparison, now=now)
            if stage is Stage.JUDGING:
                written += _judge(
                    comparison, now=now, above=differences, is_stopping=is_stopping, compute=compute
                )
            written += stage is Stage.JUDGED
        except DatabaseError:
            # Nothing goes on without it: the next bell tries again.
            raise
        except Exception:
            # A bug of ours in one attempt is not to hold up all others.
            log.exception("%s could not go on", comparison)
    return written


def _go_on(comparison: Comparison, *, now: datetime) -> Stage:
    """Returns where it stands then."""
    stage = stage_of(comparison.change, comparison)
    windows = {window.side: window for window in comparison.windows.all()}
    for window in windows.values():
        window.comparison = comparison
    try:
        if gone := gone_of(comparison.change):
            give_up(comparison, gone, by=None, now=now)
            return Stage.GIVEN_UP
        if stage is Stage.BASELINE:
            return _end_baseline(comparison, windows[Window.Side.BEFORE], now=now)
        if stage is Stage.COLLECTING:
            return _end_after(comparison, windows[Window.Side.AFTER], now=now)
    except Refused as refused:
        # Somebody else was faster.
        log.info("%s was left as it is: %s", comparison, refused)
    return stage


def _end_baseline(comparison: Comparison, before: Window, *, now: datetime) -> Stage:
    if sentence := sealing.why_not_the_same(comparison):
        give_up(comparison, sentence, by=None, now=now)
        return Stage.GIVEN_UP
    seen = progress(before, now=now)
    is_late = now >= before.closes_at
    if seen.is_full or (is_late and seen.count >= FEWEST_SAMPLES):
        seal(comparison, by=None, now=now)
        return Stage.SEALED
    if is_late:
        give_up(
            comparison,
            f"The baseline had {seen.count} samples when its time ended, "
            f"and says nothing below {FEWEST_SAMPLES}.",
            by=None,
            now=now,
        )
        return Stage.GIVEN_UP
    return Stage.BASELINE


def _end_after(comparison: Comparison, after: Window, *, now: datetime) -> Stage:
    """What is asked otherwise from now on is no use to go on with."""
    is_over = (
        now >= after.closes_at
        or progress(after, now=now).is_full
        or sealing.why_not_the_same(comparison)
    )
    if not is_over:
        return Stage.COLLECTING
    closing.close(comparison, now=now)
    comparison.refresh_from_db()
    return Stage.JUDGED if comparison.judged_at else Stage.JUDGING


# Judging ------------------------------------------------------------------------------------


def _judge(
    comparison: Comparison,
    *,
    now: datetime,
    above: Above,
    is_stopping: Callable[[], bool],
    compute: Callable[..., Judged],
) -> bool:
    """Computed outside any transaction, under a lease. Returns whether the verdict was written."""
    if not _take(comparison, now=now):
        return False
    held = Comparison.objects.select_related("change__control").get(pk=comparison.pk)
    if held.tries > MOST_TRIES:
        give_up(held, NOT_COMPUTED, by=None, now=now)
        return False
    others = found(held, above=above)
    try:
        judged = compute(question_of(held, others=[one.variable for one in others]),
                         is_stopping=is_stopping)  # fmt: skip
    except apart.Stopped:
        _mine(held).update(leased_until=None, tries=F("tries") - 1)
        return False
    except apart.NotComputed as error:
        log.error("%s could not be computed: %s", held, error)
        _mine(held).update(leased_until=now + AGAIN_AFTER)
        return False
    judged["notes"] = [
        *judged.get("notes", []),
        *(one.sentence for one in others),
        *(one.words for one in clear_answers(held) if one.worked is False),
    ]
    with transaction.atomic():
        hold(held.change)
        return closing.write_verdict(held, judged, now=now)


def _take(comparison: Comparison, *, now: datetime) -> bool:
    """One at a time, of all attempts: another one waits for the next bell."""
    if Comparison.objects.open().filter(leased_until__gt=now).exists():
        return False
    free = Comparison.objects.open().filter(Q(leased_until=None) | Q(leased_until__lte=now))
    return bool(
        free.filter(pk=comparison.pk).update(leased_until=now + LEASE, tries=F("tries") + 1)
    )


def _mine(comparison: Comparison) -> ComparisonQuerySet:
    return Comparison.objects.open().filter(
        pk=comparison.pk, leased_until=comparison.leased_until, tries=comparison.tries
    )


def question_of(comparison: Comparison, *, others: list[str]) -> dict[str, Any]:
    """What opsboard.changes.rules is asked. `others`: variables that were found to change too."""
    change = comparison.change
    windows = {window.side: window for window in comparison.windows.all()}
    before, after = windows[Window.Side.BEFORE], windows[Window.Side.AFTER]
    beside = (sealing.beside_of(before), sealing.beside_of(after))
    slugs = [
        name.removeprefix(OF_A_PATH) for name in change.guardrails if name.startswith(OF_A_PATH)
    ]
    is_controlled = change.control_id is not None or beside[0].control is not None
    return {
        "before": before.text,
        "after": after.text,
        "control": _sides([one.control for one in beside]) if is_controlled else None,
        "paths": {slug: _sides([one.paths.get(slug) for one in beside]) for slug in slugs},
        "settings": {
            "changed": [*change.variables, *others],
            "margin": change.margin,
            "equivalence": change.equivalence,
            "metric": change.metric,
            "guardrails": change.guardrails,
        },
    }


def _sides(texts: list[str | None]) -> dict[str, str]:
    """What was to be measured beside the path and was not is empty, and never left out."""
    sides = (Window.Side.BEFORE, Window.Side.AFTER)
    return {side: text or csv_of([], side) for side, text in zip(sides, texts, strict=True)}
