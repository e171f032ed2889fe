"""Attempts: a baseline is opened and sealed before anything is changed. All of them stay."""

from datetime import datetime, timedelta

from django.db import transaction

from opsboard.changes import sealing
from opsboard.changes.collecting import LONGEST_BACK, Sampling, first_of_newest, probe_of
from opsboard.changes.holding import hold, hold_open, hold_standing, said_at
from opsboard.changes.models import FEWEST_SAMPLES, Burst, Change, Comparison, Window
from opsboard.changes.refusing import Refused
from opsboard.people import audit
from opsboard.people.audit import Actor, Via
from opsboard.probes.models import moment
from opsboard.services.models import Deploy, Running

# Who acts when nobody does.
ITSELF = Actor(None, Via.BOARD, who="Opsboard")
LONGEST_REASON = 300


@transaction.atomic
def open_baseline(change: Change, *, by: Actor, now: datetime) -> Comparison:
    """Begin the first attempt, or repeat with the same settings. Raises Refused.

    A window of probes reaches back over what was seen already, and may be full at once.
    """
    held = hold_standing(change)
    attempts = held.comparisons.order_by("-number")
    last = attempts.first()
    if last and last.judged_at is None and last.given_up_at is None:
        raise Refused(f"Attempt {last.number} of {held} is still open: finish it or give it up.")
    asked = sealing.asked_now(held, held.path)
    if not asked and held.sampling != Sampling.SENT:
        raise Refused(
            f"{held.path.name} is not asked in {held.environment.slug}"
            f"{f' from {held.location}' if held.location else ''}: edit its sheet, "
            "or declare another change."
        )
    comparison = Comparison.objects.create(
        change=held,
        number=last.number + 1 if last else 1,
        began_at=now,
        began_by=by.person,
        began_as=by.who[:120],
        fingerprint=asked,
        control_fingerprint=sealing.asked_now(held, held.control),
    )
    window = Window(
        comparison=comparison,
        side=Window.Side.BEFORE,
        opened_at=now,
        starts_at=_reaching_back(held, now=now),
        closes_at=now + timedelta(hours=held.lasts),
    )
    window.starts_at = first_of_newest(window, now=now)
    window.save()
    audit.record(
        by, "opened a baseline", "change", str(held), now=now, after={"attempt": comparison.number}
    )
    return comparison


def _reaching_back(change: Change, *, now: datetime) -> datetime:
    """From when on what was seen is of the state before: not before a deploy or since when it is
    known what runs, nor before the last time that what is asked was edited, nor over 7 days."""
    if change.sampling == Sampling.BURST:
        return now
    bounds = [now - LONGEST_BACK]
    deploys = Deploy.objects.filter(environment=change.environment_id, at__lte=now)
    if last := deploys.order_by("-at").values_list("at", flat=True).first():
        bounds.append(last)
    if running := Running.objects.filter(environment=change.environment_id).first():
        bounds += [running.commit_since, *([running.root_since] if running.root_since else [])]
    if change.sampling == Sampling.PROBES:
        paths = [change.path, *([change.control] if change.control else [])]
        for probe in [probe_of(change, path) for path in paths]:
            # None: nobody wrote down when, so that nothing before now can be believed.
            at = probe.ordered_at if probe else None
            bounds.append(now if at is None else moment(at))
    return min(max(bounds), now)


def seal(comparison: Comparison, *, by: Actor | None, now: datetime) -> Window:
    """Close the baseline; `by` None: it is full, or out of time, and closes itself.

    Raises Refused when it has too few samples, or when what is asked is not the same any more.
    """
    prepared = sealing.prepare_of(comparison, Window.Side.BEFORE, now=now)
    with transaction.atomic():
        return _seal(comparison, prepared, by=by, now=now)


def _seal(
    comparison: Comparison, prepared: sealing.Prepared | None, *, by: Actor | None, now: datetime
) -> Window:
    held = hold_open(comparison)
    before = held.windows.get(side=Window.Side.BEFORE)
    if before.sealed_at is not None:
        raise Refused(f"The baseline of {held} was sealed at {said_at(before.sealed_at)}.")
    if sentence := sealing.why_not_the_same(held):
        raise Refused(sentence)
    before.comparison = held
    sealed = sealing.close(before, prepared, by=by, now=now)
    if sealed.count < FEWEST_SAMPLES:
        raise Refused(
            f"The baseline has {sealed.count} samples, and says nothing below {FEWEST_SAMPLES}: "
            "wait for more."
        )
    sealing.keep(sealed)
    end_bursts(sealed, now=now)
    Comparison.objects.filter(pk=held.pk).update(surroundings=sealing.surroundings_of(held.change))
    audit.record(
        by or ITSELF, "sealed a baseline", "change", str(held.change), now=now,
        after={"attempt": held.number, "samples": sealed.count, "SHA-256": sealed.sha256},
    )  # fmt: skip
    return sealed


@transaction.atomic
def give_up(comparison: Comparison, because: str, *, by: Actor | None, now: datetime) -> None:
    """It gets no verdict. What it has stays; samples that nobody sealed go. Raises Refused."""
    words = " ".join(because.split())
    if not words or len(words) > LONGEST_REASON:
        raise Refused(f"Say why it is given up, in at most {LONGEST_REASON} characters.")
    hold(comparison.change)
    held = Comparison.objects.select_for_update().get(pk=comparison.pk)
    if held.judged_at is not None:
        raise Refused(f"{held} was judged at {said_at(held.judged_at)}: its verdict stays.")
    if held.given_up_at is not None:
        raise Refused(f"{held} was given up at {said_at(held.given_up_at)}.")
    for window in held.windows.filter(sealed_at=None):
        window.collected.all().delete()
        end_bursts(window, now=now)
    Comparison.objects.filter(pk=held.pk).update(
        given_up_at=now, given_up_because=words, leased_until=None
    )
    audit.record(
        by or ITSELF, "gave up", "change", str(held.change), now=now,
        after={"attempt": held.number, "reason": words},
    )  # fmt: skip
    comparison.refresh_from_db()


def end_bursts(window: Window, *, now: datetime) -> None:
    """Nothing is asked for a window that takes no samples any more."""
    Burst.objects.filter(window=window, finished_at=None).update(finished_at=now)
