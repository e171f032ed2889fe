"""The end of an after window: what it has is sealed, and may be judged."""

from datetime import datetime

from django.db import transaction

from opsboard.changes import sealing
from opsboard.changes.baselines import ITSELF, end_bursts
from opsboard.changes.clears import first_answers
from opsboard.changes.holding import hold_open
from opsboard.changes.models import Comparison, Window
from opsboard.changes.refusing import Refused
from opsboard.changes.rules.judged import NOT_THE_SAME, Judged
from opsboard.people import audit


def close(comparison: Comparison, *, now: datetime) -> None:
    """Seal the after window with what it has. Where both sides were not asked the same, that is
    the verdict. Raises Refused when it is closed already, or has no after window."""
    prepared = sealing.prepare_of(comparison, Window.Side.AFTER, now=now)
    with transaction.atomic():
        _close(comparison, prepared, now=now)


def _close(comparison: Comparison, prepared: sealing.Prepared | None, *, now: datetime) -> None:
    held = hold_open(comparison)
    after = held.windows.filter(side=Window.Side.AFTER).first()
    if after is None or after.sealed_at is not None:
        raise Refused(f"{held} has no after window that collects.")
    after.comparison = held
    sentence = sealing.why_not_the_same(held)
    answers = first_answers(held, now=now)
    sealing.keep(sealing.close(after, prepared, by=None, now=now))
    end_bursts(after, now=now)
    surroundings = held.surroundings | {"after_clears": answers}
    Comparison.objects.filter(pk=held.pk).update(surroundings=surroundings)
    if sentence:
        write_verdict(held, _invalid(held, sentence), now=now)


def _invalid(comparison: Comparison, sentence: str) -> Judged:
    windows = {window.side: window.count for window in comparison.windows.all()}
    return {
        "verdict": "invalid",
        "reason": NOT_THE_SAME,
        "n": [windows[Window.Side.BEFORE], windows[Window.Side.AFTER]],
        "changed": list(comparison.change.variables),
        "notes": [sentence.removesuffix(sealing.REPEAT_IT)],
    }


def write_verdict(comparison: Comparison, judged: Judged, *, now: datetime) -> bool:
    """Once: whoever comes second changes nothing. Returns whether it was written."""
    waiting = Comparison.objects.open().filter(pk=comparison.pk)
    written = waiting.update(
        verdict=judged["verdict"],
        reason=judged["reason"],
        result=judged,
        judged_at=now,
        leased_until=None,
    )
    if written:
        after = {
            "attempt": comparison.number,
            "verdict": judged["verdict"],
            "reason": judged["reason"],
        }
        audit.record(ITSELF, "judged", "change", str(comparison.change), now=now, after=after)
    return bool(written)
