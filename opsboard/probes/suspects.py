"""Probes that may end whoever asks them: found out in few tries, and set aside.

A lease that ran out without a result says that its worker died, or stood still, while it held the
probe; which of all that it held was the cause, it does not say. So whoever lost a lease is claimed
apart from all others: first a few suspects together, then each alone. The next result clears it.
One that loses more than MOST_LEASES_LOST leases in a row is set aside: not asked any more, without
data, until its sheet is edited or a person probes it.

Workers may also be killed by something else, again and again. A lease lost alone proves nothing
while workers die that hold no suspect: then it is not counted.
"""

from collections.abc import Sequence
from typing import Any

from django.db.models import F, Q

from opsboard.probes.models import MOST_LEASES_LOST, Probe, ProbeQuerySet, Shift, StateChange
from opsboard.probes.rules import State

# Of those that lost one lease an eighth are claimed together, at most so many: few innocents go
# with a guilty one, and a crowd does not wait in line. Who lost two is claimed alone.
TOGETHER = 32
# How many are looked at for one claim.
_LOOKED_AT = 256
SET_ASIDE = (
    f"Opsboard's worker ended {MOST_LEASES_LOST + 1} times in a row while it asked this, so it is"
    " not asked any more: read the worker's log and look at what the far side answers, then edit"
    " the sheet or run a probe now."
)

Row = dict[str, Any]


def due_suspects(location: str, *, now: int, until: int) -> ProbeQuerySet:
    """Probes due until then that lost a lease: it ran out just now, or before."""
    is_due = Q(slot_at__lte=until) | Q(ask_now_at__lte=now) | Q(slot_at__gt=now + 2 * F("interval"))
    ran_out = Q(leased_until__lt=now, claim_id__isnull=False)
    # Without a claim it was handed back, to be taken from that time on.
    is_free = Q(leased_until=None) | Q(leased_until__lt=now, claim_id=None)
    lost_before = is_free & Q(leases_lost__gt=0, leases_lost__lte=MOST_LEASES_LOST)
    return Probe.objects.active().filter(is_due, ran_out | lost_before, location=location)


def take_suspects(
    location: str, *, claim_id: int, now: int, columns: Sequence[str], horizon: int, margin: int
) -> list[Row]:
    """Claim a few suspects that may be asked together. Call it in the claim's transaction.

    `horizon` and `margin` are what a lease lasts beyond the timeout, in microseconds.
    """
    waiting = due_suspects(location, now=now, until=now + horizon).order_by("slot_at")
    locked = waiting.select_for_update(skip_locked=True)[:_LOOKED_AT]
    rows: list[Row] = list(locked.values(*{*columns, "claim_id", "leased_until", "leases_lost"}))
    if not rows:
        return []
    _count_lost(location, rows, lasts=horizon + margin)
    _set_aside([row for row in rows if row["leases_lost"] > MOST_LEASES_LOST], now=now)
    taken = _share([row for row in rows if row["leases_lost"] <= MOST_LEASES_LOST])
    if taken:
        Probe.objects.filter(pk__in=[row["id"] for row in taken]).update(
            claim_id=claim_id,
            leased_until=now + horizon + margin + F("timeout"),
            leases_lost=taken[0]["leases_lost"],
        )
    return taken


def _share(rows: Sequence[Row]) -> list[Row]:
    """Those that lost the fewest, for most of them are innocent: a few together, or one alone."""
    fewest = min((row["leases_lost"] for row in rows), default=0)
    alike = [row for row in rows if row["leases_lost"] == fewest]
    few = min(max(len(alike) // 8, 1), TOGETHER)
    return alike[: few if fewest == 1 else 1]


def _count_lost(location: str, rows: Sequence[Row], *, lasts: int) -> None:
    """Raise `leases_lost` of the rows whose lease ran out, where that proves anything."""
    ran_out = [row for row in rows if row["claim_id"] is not None]
    began = {row["id"]: row["leased_until"] - row["timeout"] - lasts for row in ran_out}
    unsuspected = [began[row["id"]] for row in ran_out if row["leases_lost"] == 0]
    other_death = _note_death(location, max(unsuspected, default=0))
    for row in ran_out:
        was_alone = row["leases_lost"] > 1
        if not was_alone or began[row["id"]] >= other_death:
            row["leases_lost"] += 1


def _note_death(location: str, began: int) -> int:
    """When the newest lease began that was lost by a probe nobody suspected; `began` may be it."""
    duty = f"lost:{location}"
    known = Shift.objects.filter(duty=duty).values_list("claimed_at", flat=True).first() or 0
    if began > known:
        Shift.objects.bulk_create(
            [Shift(duty=duty, instance="any", began_at=began, claimed_at=began)],
            update_conflicts=True,
            unique_fields=["duty", "instance"],
            update_fields=["claimed_at"],
        )
    return max(began, known)


def _set_aside(rows: Sequence[Row], *, now: int) -> None:
    """No incident: nobody knows whether the path works. Reconciling heals what hangs on it."""
    for row in rows:
        changed = row["state"] != State.NO_DATA
        Probe.objects.filter(pk=row["id"]).update(
            claim_id=None,
            leased_until=None,
            leases_lost=row["leases_lost"],
            ask_now_at=None,
            state=State.NO_DATA,
            state_since=now if changed else row["state_since"],
            reason=SET_ASIDE,
        )
        if changed:
            StateChange.objects.create(
                probe_id=row["id"],
                at=now,
                before=row["state"],
                after=State.NO_DATA,
                reason=SET_ASIDE,
            )
