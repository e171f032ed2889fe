"""Samples that a program sends: each is looked at, and one that is wrong leaves all of them out.

Nothing tells two equal answers from one that is sent twice: a call that is repeated adds its
samples again. The door of the API answers a repeated call with its Idempotency-Key as it did before
(opsboard.api.once).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from opsboard.changes.collecting import progress, since_of
from opsboard.changes.files import MOST_CALLS
from opsboard.changes.holding import hold_open
from opsboard.changes.models import MOST_SAMPLES, Change, Comparison, Sample, Window
from opsboard.changes.refusing import Refused
from opsboard.changes.sent import Sent
from opsboard.changes.sides import collecting_window
from opsboard.people import audit
from opsboard.people.audit import Actor
from opsboard.probes.models import microseconds
from opsboard.probes.stored import CACHE

__all__ = ["Sent", "Taken", "take"]

MOST_A_CALL = 10_000
CLOCKS_DIFFER = timedelta(minutes=5)
# The column holds no more.
MOST_LATENCY = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Taken:
    # Samples of the path that the window now has, without the warm-up, and how many it is to have.
    count: int
    of: int


@transaction.atomic
def take(
    comparison: Comparison,
    samples: Sequence[Sent],
    *,
    by: Actor,
    now: datetime,
    side: str | None = None,
) -> Taken:
    """Add samples to the window that collects. All of them are added, or none. Raises Refused."""
    held = hold_open(comparison)
    change = held.change
    if change.sampling != Change.Sampling.SENT:
        how = change.get_sampling_display().lower()
        raise Refused(f"{change} is measured by {how}: it takes no samples that are sent.")
    if not samples:
        raise Refused("Send at least one sample.")
    if len(samples) > MOST_A_CALL:
        raise Refused(f"At most {MOST_A_CALL:,} samples go in one call: send them in several.")
    window = collecting_window(held, now=now, side=side)
    earliest = since_of(window, change)
    for index, sample in enumerate(samples):
        if wrong := _wrong(sample, change, earliest=earliest, latest=now + CLOCKS_DIFFER):
            raise Refused(f"Sample {index}: {wrong}")
    for is_control in (False, True):
        _refuse_too_many(window, samples, is_control=is_control)
    Sample.objects.bulk_create(
        [
            Sample(
                window=window,
                is_control=one.is_control,
                at=microseconds(one.at),
                latency=one.latency_us,
                cache=CACHE.index(one.cache),
                is_ok=one.ok,
                db_calls=one.db_calls,
            )
            for one in samples
        ],
        batch_size=1_000,
    )
    after = {"samples": f"{len(samples)} sent, {window.side}"}
    audit.record(by, "sent samples to", "change", str(change), now=now, after=after)
    has = progress(window, now=now)
    return Taken(has.count, has.of)


def _refuse_too_many(window: Window, samples: Sequence[Sent], *, is_control: bool) -> None:
    more = sum(one.is_control is is_control for one in samples)
    held = window.collected.filter(is_control=is_control).count() if more else 0
    if held + more > MOST_SAMPLES:
        raise Refused(
            f"A window holds {MOST_SAMPLES:,} samples of a path, and has {held:,}: "
            f"send at most {MOST_SAMPLES - held:,} more."
        )


def _wrong(sample: Sent, change: Change, *, earliest: datetime, latest: datetime) -> str:
    """What is wrong with it, in a sentence; "": nothing is."""
    if sample.at.tzinfo is None:
        return "its time needs an offset, as in 2026-11-28T12:33:41Z."
    if sample.at < earliest:
        return f"its time is before {earliest:%F %H:%M:%S} UTC, from where this window counts."
    if sample.at > latest:
        return "its time is in the future: look at the clock of the machine that sends it."
    if not _is_whole(sample.latency_us) or not 1 <= sample.latency_us <= MOST_LATENCY:
        return f"its latency is a whole number of microseconds from 1 to {MOST_LATENCY}."
    if sample.cache not in CACHE:
        return f"its cache result is none of {', '.join(CACHE)}."
    calls = sample.db_calls
    if calls is not None and (not _is_whole(calls) or not 0 <= calls <= MOST_CALLS):
        return f"its database calls are a whole number from 0 to {MOST_CALLS}, or none are told."
    if sample.is_control and change.control_id is None:
        return f"it is of the control path, and {change} has none."
    return ""


def _is_whole(number: object) -> bool:
    return isinstance(number, int) and not isinstance(number, bool)
