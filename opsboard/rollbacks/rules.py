"""How long a rollback note may be trusted after somebody has looked at it. Pure."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

# Long enough that a weekly look finds it in time.
SOON = timedelta(days=14)


class Freshness(StrEnum):
    NOT_REVIEWED = "not reviewed"
    OUT_OF_DATE = "out of date"
    RUNS_OUT_SOON = "runs out soon"
    FRESH = "fresh"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ages:
    """How long a check lasts: of the services a company cannot work without, and of others."""

    tier_1: timedelta = timedelta(days=30)
    others: timedelta = timedelta(days=90)


def fresh_until(checked_at: datetime | None, *, tier: int, ages: Ages) -> datetime | None:
    """When a note runs out; None: nobody has reviewed it."""
    if checked_at is None:
        return None
    return checked_at + (ages.tier_1 if tier == 1 else ages.others)


def freshness(until: datetime | None, *, now: datetime) -> Freshness:
    """`until` is when it runs out, as `fresh_until` says; at that moment it is out of date."""
    if until is None:
        return Freshness.NOT_REVIEWED
    if now >= until:
        return Freshness.OUT_OF_DATE
    return Freshness.RUNS_OUT_SOON if until - now <= SOON else Freshness.FRESH


def steps_digest(steps: Sequence[Mapping[str, str]]) -> str:
    """SHA-256 of what is done and run, in hexadecimal: what a rehearsal is bound to."""
    gone = [[step.get("do", ""), step.get("run", "")] for step in steps]
    return hashlib.sha256(json.dumps(gone).encode()).hexdigest()
